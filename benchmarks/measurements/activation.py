"""From an opened activation to instructions that are ready."""

import asyncio
import os
import time
from dataclasses import dataclass

import asyncpg

from benchmarks.communes import COUNTRY, areas_with
from benchmarks.database import copy_of, make_copies, owner, quiet, rows_of
from benchmarks.figures import (
    Bound,
    Figure,
    Pair,
    Reach,
    median_bare,
    median_measured,
    median_ratio,
    spread,
)
from benchmarks.households import PAYABLE_SHARE
from benchmarks.measurements.measured import Setting
from benchmarks.processor import processor_seconds
from benchmarks.world import World

NAME = "activation"
ALL_NAMES = (NAME, "memory")

_TABLES = ("registry.enrolment", "registry.entitlement", "payments.instruction")
_PAIRS = 3
_WARM_UP_PART = 100
_LONGEST_SECONDS = 600
_LARGEST_BYTES = 500e6

_ROUND = """
    SELECT status::text AS status, reason, entitlement_count, total_minor
    FROM payments.payment_round WHERE activation_id = $1 AND status <> 'gathering'
"""
_MADE = """
    SELECT count(*) AS instructions, sum(amount_minor) AS minor
    FROM payments.instruction JOIN payments.chunk ON chunk.number = instruction.chunk_number
    JOIN payments.payment_round ON payment_round.number = chunk.round_number
    WHERE payment_round.activation_id = $1
"""
_OF_ACTIVATION = {
    "registry.enrolment": "enrolment.activation_id = $1",
    "registry.entitlement": "entitlement.activation_id = $1",
    "payments.instruction": """
        instruction.chunk_number IN (
            SELECT chunk.number FROM payments.chunk
            JOIN payments.payment_round ON payment_round.number = chunk.round_number
            WHERE payment_round.activation_id = $1
        )
    """,
}


@dataclass(frozen=True)
class _Run:
    instructions: int
    seconds: Pair
    processor: Pair
    """Seconds of processor time in all processes together."""


class ActivationFailed(Exception):
    """The round was not released, or not with what was announced. Says why."""


def households_for(instructions: int) -> int:
    """How many households it takes for so many that have an account, with a little to spare."""
    return round(instructions / PAYABLE_SHARE * 1.002)


def measure(setting: Setting, *, instructions: int) -> list[Figure]:
    """Activations of the country, each with its bare limit."""
    show = setting.world.show
    with show.phase("activation: warming up"):
        asyncio.run(_run(setting, instructions // _WARM_UP_PART))
    runs = []
    with show.phase("activation: real, and by bare INSERT", total=_PAIRS) as phase:
        for done in range(1, _PAIRS + 1):
            runs.append(asyncio.run(_run(setting, None)))
            phase.reach(done)
    setting.world.memory.look()
    return [_against_insert(setting, runs), _memory(setting)]


async def _run(setting: Setting, instructions: int | None) -> _Run:
    """One activation of about so many instructions, or of the country, and its bare limit."""
    world = setting.world
    async with owner(world.stack.database_url) as connection:
        if not await connection.fetchval("SELECT to_regclass($1)", copy_of(_TABLES[0])):
            await make_copies(connection, _TABLES)
        areas = [COUNTRY] if instructions is None else await areas_with(connection, instructions)
        activation_id = world.propose(areas)
        await quiet(connection, *_TABLES)
        worked = processor_seconds(world.stack.process_ids())
        began = time.perf_counter()
        await asyncio.to_thread(world.open, activation_id)
        await released(connection, activation_id)
        measured = time.perf_counter() - began
        worked = processor_seconds(world.stack.process_ids()) - worked
        made = await connection.fetchrow(_MADE, activation_id)
        announced = await connection.fetchrow(_ROUND, activation_id)
        if tuple(made) != (announced["entitlement_count"], announced["total_minor"]):
            raise ActivationFailed("The instructions differ from what was announced.")
        with world.only():
            bare, inserting = await _insert_bare(world, connection, activation_id)
    return _Run(made["instructions"], Pair(measured, bare), Pair(worked, inserting))


async def released(connection: asyncpg.Connection, activation_id: str) -> None:
    """Wait until every instruction is committed and the round released.

    Looks often at first and more seldom later: the looking is to cost the run nothing.
    """
    began = time.perf_counter()
    while (spent := time.perf_counter() - began) < _LONGEST_SECONDS:
        decided = await connection.fetchrow(_ROUND, activation_id)
        if decided is not None:
            if decided["status"] != "released":
                raise ActivationFailed(f"The round is {decided['status']}: {decided['reason']}")
            return
        await asyncio.sleep(min(0.05, max(0.004, spent / 100)))
    raise ActivationFailed(f"The round was not released within {_LONGEST_SECONDS} s.")


async def _insert_bare(
    world: World, connection: asyncpg.Connection, activation_id: str
) -> tuple[float, float]:
    """Insert the very rows of the run into the copies, in one transaction.

    Returns the seconds that it took, and those that processors worked for it.
    """
    for table, condition in _OF_ACTIVATION.items():
        await connection.execute(f"CREATE UNLOGGED TABLE {rows_of(table)} (LIKE {table})")
        await connection.execute(
            f"INSERT INTO {rows_of(table)} SELECT * FROM {table} WHERE {condition}", activation_id
        )
    await quiet(connection, *(copy_of(table) for table in _TABLES))
    worked = processor_seconds(world.stack.process_ids())
    began = time.perf_counter()
    async with connection.transaction():
        for table in _TABLES:
            await connection.execute(f"INSERT INTO {copy_of(table)} SELECT * FROM {rows_of(table)}")
    seconds = time.perf_counter() - began
    worked = processor_seconds(world.stack.process_ids()) - worked
    for table in _TABLES:
        await connection.execute(f"DROP TABLE {rows_of(table)}")
    return seconds, worked


def _against_insert(setting: Setting, runs: list[_Run]) -> Figure:
    pairs = [run.seconds for run in runs]
    ready = runs[0].instructions
    return setting.figure(
        NAME,
        path=f"activation → {ready:,} instructions ready",
        limit="the same rows by bare INSERT … SELECT",
        value=median_ratio(pairs),
        unit="×",
        reach=Reach(bound=Bound.AT_MOST, value=1.3),
        measured=f"{median_measured(pairs):.1f} s",
        bare=f"{median_bare(pairs):.1f} s",
        details=[
            f"""
            {setting.households:,} households are registered, of which {ready:,} have an
            account. A second person approves a declared activation of the whole country;
            the clock runs from that request until the last instruction is committed and its
            round released: enrolled, entitled, announced in chunks, streamed over HTTP,
            checked against the announcement, raised, reserved in the ledger.
            """,
            """
            The limit: INSERT … SELECT of the very rows that the run made (enrolment,
            entitlement and instruction), from plain tables, on one connection in one
            transaction, into copies of the three tables with all indexes and constraints,
            which hold the rows of all runs before, as the tables themselves do. Everything
            else stands still meanwhile.
            """,
            "Before each side: VACUUM (ANALYZE) of the tables, CHECKPOINT.",
            _processor_time(runs),
            spread(pairs),
        ],
    )


def _processor_time(runs: list[_Run]) -> str:
    """What others on the machine distort less than the time that passes."""
    worked = [run.processor for run in runs]
    if not median_bare(worked):
        return "PostgreSQL is on another machine: its processor time is not known."
    each = median_measured(worked) / runs[0].instructions * 1e6
    bare_each = median_bare(worked) / runs[0].instructions * 1e6
    return (
        f"Processor time: {median_measured(worked):.1f} s in all processes ({each:.1f} µs for each "
        f"instruction) against {median_bare(worked):.1f} s ({bare_each:.1f} µs), on "
        f"{os.cpu_count()} cores."
    )


def _memory(setting: Setting) -> Figure:
    peaks = setting.world.memory.peaks
    named = sorted(
        [*peaks.processes.items(), ("largest backend of PostgreSQL", peaks.largest_backend)],
        key=lambda cost: -cost[1],
    )
    largest_name, largest = named[0]
    return setting.figure(
        "memory",
        path="peak memory of the largest process",
        limit=largest_name,
        value=largest / 1e6,
        unit="MB",
        reach=Reach(bound=Bound.AT_MOST, value=_LARGEST_BYTES / 1e6),
        measured=f"{largest / 1e6:,.0f} MB",
        bare="",
        details=[
            f"""
            Since the start, through the import of {setting.households:,} households and all
            activations:
            """,
            *(f"{name}: {size / 1e6:,.0f} MB" for name, size in named),
            f"""
            All of PostgreSQL: {peaks.backends_together / 1e6:,.0f} MB of private memory at
            most, and the shared buffers once.
            """,
            """
            Of a service's process the peak resident memory (VmHWM); of a backend its
            private memory (RssAnon), looked at four times a second, for the shared buffers
            that it touched belong to all.
            """,
        ],
    )
