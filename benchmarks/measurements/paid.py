"""A run of payments by batches, from what opens an activation to its last payment's end."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from benchmarks.database import quiet
from benchmarks.measurements.measured import Setting
from benchmarks.processor import processor_seconds
from benchmarks.world import World

_TABLES = (
    "registry.enrolment",
    "registry.entitlement",
    "payments.instruction",
    "payments.instruction_move",
)
_LONGEST_SECONDS = 900
_FIRST_LOOK_SECONDS, _LAST_LOOK_SECONDS = 0.004, 0.05

_NUMBERS = """
    SELECT coalesce((SELECT max(number) FROM payments.payment_round), 0) AS round,
        coalesce((SELECT max(number) FROM payments.journal_entry), 0) AS entry,
        coalesce((SELECT max(number) FROM payments.batch), 0) AS batch
"""
_ROUND = """
    SELECT number, activation_id::text AS activation_id, status::text AS status, reason,
        entitlement_count, total_minor, chunk_count, released_at
    FROM payments.payment_round WHERE number > $1 AND status <> 'gathering'
"""
_IS_SENT = """
    SELECT coalesce(sum(line_count), 0) = $1 AND bool_and(status = 'under_way')
    FROM payments.batch WHERE number > $2
"""
_IS_OVER = """
    SELECT NOT EXISTS (
        SELECT FROM payments.chunk WHERE round_number = $1 AND status <> 'settled'
    )
"""
_IS_FOLLOWED = """
    SELECT NOT EXISTS (
        SELECT FROM registry.entitlement_chunk
        WHERE status NOT IN ('empty', 'settled', 'refused')
    )
"""
_TIMES = """
    SELECT min(made_at) AS made_at, (
        SELECT max(moved_at) FROM payments.batch_move
        WHERE batch_number > $1 AND to_status = 'under_way'
    ) AS sent_at, max(finished_at) AS finished_at
    FROM payments.batch WHERE number > $1
"""
_ENDS = """
    SELECT count(*) FILTER (WHERE instruction.status = 'settled') AS settled, count(*) AS count
    FROM payments.chunk
    JOIN payments.instruction ON instruction.chunk_number = chunk.number
    WHERE chunk.round_number = $1
"""


class NotPaid(Exception):
    """A run did not come to its end, or was not paid as it should have been. Says how."""


@dataclass(frozen=True)
class Numbers:
    """The highest numbers that the payments service had given: what is above them is the run's."""

    round: int
    entry: int
    batch: int


@dataclass(frozen=True, kw_only=True)
class PaidRun:
    """Seconds of a run, by its parts."""

    activation_id: str
    before: Numbers
    payments: int
    activation: float
    """From what opened it to the release of its round."""
    dispatch: float
    """From the first claim to the last batch that is under way."""
    settlement: float
    """From when the provider told the first result, or from the last dispatch, to the last line's
    end; what overlaps with the dispatch is in none."""
    payment: float
    """From the release to the end of the last chunk."""
    together: float
    worked: float
    """Processor time of all processes, the provider's excepted."""


async def numbers_of(connection: asyncpg.Connection) -> Numbers:
    """How far the payments service has counted."""
    return Numbers(**dict(await connection.fetchrow(_NUMBERS)))


async def pay(
    setting: Setting,
    connection: asyncpg.Connection,
    begin: Callable[[], object],
    *,
    apart: bool = False,
) -> PaidRun:
    """Let ``begin`` open an activation, and wait until the last of its payments has its end.

    ``apart``: the provider tells no result until all is sent, and everything but payments stands
    still from the release on, so that dispatch and settlement can be told apart. Raises NotPaid.
    """
    world = setting.world
    provider = world.batch_provider
    # What the registry has still to hear of the run before is none of this one's work.
    await _until(connection, _IS_FOLLOWED)
    before = await numbers_of(connection)
    paid_before = await asyncio.to_thread(provider.summary)
    await quiet(connection, *_TABLES)
    if apart:
        await asyncio.to_thread(provider.hold)
    worked = processor_seconds(world.stack.process_ids())
    began_at: datetime = await connection.fetchval("SELECT clock_timestamp()")
    began = time.perf_counter()
    await asyncio.to_thread(begin)
    opened = await _released(connection, before)
    settling_at: datetime | None = None
    if apart:
        with world.only("payments-api", "payments-worker"):
            await _until(connection, _IS_SENT, opened["entitlement_count"], before.batch)
            settling_at = await _let_go(world, connection)
            await _until(connection, _IS_OVER, opened["number"])
    else:
        await _until(connection, _IS_OVER, opened["number"])
    together = time.perf_counter() - began
    worked = processor_seconds(world.stack.process_ids()) - worked
    times = await connection.fetchrow(_TIMES, before.batch)
    payments = await _check(setting, connection, opened, paid_before)
    released_at: datetime = opened["released_at"]
    return PaidRun(
        activation_id=opened["activation_id"],
        before=before,
        payments=payments,
        activation=(released_at - began_at).total_seconds(),
        dispatch=(times["sent_at"] - times["made_at"]).total_seconds(),
        settlement=(times["finished_at"] - (settling_at or times["sent_at"])).total_seconds(),
        payment=together - (released_at - began_at).total_seconds(),
        together=together,
        worked=worked,
    )


async def _released(connection: asyncpg.Connection, before: Numbers) -> asyncpg.Record:
    deadline = time.perf_counter() + _LONGEST_SECONDS
    while time.perf_counter() < deadline:
        opened = await connection.fetchrow(_ROUND, before.round)
        if opened is not None:
            if opened["status"] != "released":
                raise NotPaid(f"The round is {opened['status']}: {opened['reason']}")
            return opened
        await asyncio.sleep(_LAST_LOOK_SECONDS)
    raise NotPaid(f"The round was not released within {_LONGEST_SECONDS} s.")


async def _until(connection: asyncpg.Connection, look: str, *given: int) -> None:
    """Wait until it is so. Looks often at first and more seldom later."""
    began = time.perf_counter()
    while (spent := time.perf_counter() - began) < _LONGEST_SECONDS:
        if await connection.fetchval(look, *given):
            return
        await asyncio.sleep(min(_LAST_LOOK_SECONDS, max(_FIRST_LOOK_SECONDS, spent / 100)))
    raise NotPaid(f"The payments had no end within {_LONGEST_SECONDS} s.")


async def _let_go(world: World, connection: asyncpg.Connection) -> datetime:
    at: datetime = await connection.fetchval("SELECT clock_timestamp()")
    await asyncio.to_thread(world.batch_provider.let_go)
    return at


async def _check(
    setting: Setting,
    connection: asyncpg.Connection,
    opened: asyncpg.Record,
    paid_before: dict[str, int],
) -> int:
    """The provider's own memory is the judge: each payment once, and as much as was entitled."""
    ends = await connection.fetchrow(_ENDS, opened["number"])
    told = await asyncio.to_thread(setting.world.batch_provider.summary)
    paid: int = told["paid"] - paid_before["paid"]
    minor = told["minor"] - paid_before["minor"]
    if told["twice"]:
        raise NotPaid(f"The provider was to pay {told['twice']:,} payments a second time.")
    if not ends["settled"] == ends["count"] == paid == opened["entitlement_count"]:
        raise NotPaid(
            f"Of {opened['entitlement_count']:,} entitlements {ends['settled']:,} are settled, and "
            f"the provider paid {paid:,}."
        )
    if minor != opened["total_minor"]:
        raise NotPaid(f"The provider paid {minor:,} of {opened['total_minor']:,}.")
    return paid
