"""Batches that are made at the same time at one provider: each payment once, within the float."""

import asyncio
from collections.abc import Sequence

import asyncpg
import pytest

from services.payments.batches.claiming import MadeBatch
from services.payments.settings import WorkerSettings
from tests.payments.batch_provider import BatchProvider, Fault, provider
from tests.payments.conftest import World, entitlements, providers_with
from tests.payments.steps import Steps, running_steps
from tests.server import eventually

__all__ = ["provider"]

_AMOUNT_MINOR = 96_000
_SENDING = ("send-batches-mekong", "send-batches-mekong-beside")


async def _announce(world: World, steps: Steps, sizes: Sequence[int]) -> None:
    """Chunks of so many payments that are ready to be sent."""
    for size in sizes:
        await world.registry.announce(entitlements(size, provider="mekong"))

    async def released() -> bool:
        await steps.raise_announced()
        rounds = (await world.get("/rounds", limit=500))["items"]
        return len(rounds) == len(sizes) and all(each["status"] == "released" for each in rounds)

    await eventually(released)


async def _make(steps: Steps, *, beside: bool, end: asyncio.Event) -> MadeBatch | None:
    """Make a batch, and commit it not before the end."""
    lane = steps.wiring.batch_lanes["mekong"]
    async with steps.wiring.database.transaction() as session:
        made = await lane._claims.make(
            session,
            provider="mekong",
            provider_number=await lane.provider_number(),
            size=100,
            most_minor=None,
            most_open=3,
            lease_seconds=60,
            actor="test",
            beside=beside,
        )
        await end.wait()
    return made


async def test_two_are_made_at_once_each_of_a_chunk_of_its_own_and_no_third(
    provider: BatchProvider, world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    await world.fund(10**9)
    await _announce(world, steps, [3, 4, 5])
    end = asyncio.Event()
    first = asyncio.create_task(_make(steps, beside=True, end=end))
    await eventually(lambda: _waits(owner, 1))
    # It waits for what the first has booked, and has its lines by then.
    second = asyncio.create_task(_make(steps, beside=True, end=end))
    await eventually(lambda: _waits(owner, 2))
    now = asyncio.Event()
    now.set()
    assert await _make(steps, beside=True, end=now) is None
    assert await _make(steps, beside=False, end=now) is None
    end.set()
    made = [batch for batch in await asyncio.gather(first, second) if batch]
    assert [len(batch.order.lines) for batch in made] == [3, 4]
    third = await _make(steps, beside=False, end=now)
    assert third is not None
    assert len(third.order.lines) == 5
    assert await world.count("sending") == 12
    await world.proofs()


async def _waits(owner: asyncpg.Connection, count: int) -> bool:
    """Whether so many batches are being made."""
    found: int = await owner.fetchval(
        "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database "
        "WHERE locktype = 'advisory' AND objsubid = 1 AND datname = current_database()"
    )
    return found == count


@pytest.mark.parametrize("float_lines", [0, 1, 5, 7, 11, 12, 40])
async def test_however_many_make_them_no_more_is_made_than_the_float_covers_and_no_less(
    float_lines: int,
    provider: BatchProvider,
    world: World,
    steps: Steps,
    owner: asyncpg.Connection,
) -> None:
    await world.fund(10**9, prefund_minor=float_lines * _AMOUNT_MINOR)
    await _announce(world, steps, [3, 4, 5])
    async with running_steps(WorkerSettings()) as others:
        for _ in range(6):
            # Whoever finds places or the float taken by another is back in a moment.
            await asyncio.gather(
                *(each.worker.step(name) for each in (steps, others) for name in _SENDING)
            )
        await asyncio.gather(steps.wiring.settle_requests(), others.wiring.settle_requests())
    sent = [
        line for batches in provider.taken.values() for batch in batches for line in batch.lines
    ]
    assert len(sent) == len(set(sent)) == min(float_lines, 12)
    assert await world.count("sending") == len(sent)
    await world.proofs()


async def test_what_together_overdraws_the_float_is_refused_and_made_alone(
    provider: BatchProvider, world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    await world.fund(10**9, prefund_minor=20 * _AMOUNT_MINOR)
    await _announce(world, steps, [3, 4, 5])
    assert await steps.step(_SENDING[0]) == 3
    account = "FROM payments.account WHERE code = 'PROVIDER_FLOAT' AND scope = 'mekong'"
    async with owner.transaction():
        await owner.fetchval(f"SELECT id {account} FOR UPDATE")
        beside = asyncio.create_task(steps.worker.step(_SENDING[1]))
        await eventually(lambda: _waits(owner, 1))
        # Others have taken all but two of it when its turn comes.
        await owner.execute(
            "UPDATE payments.account SET credits_minor = debits_minor - $1 "
            "WHERE code = 'PROVIDER_FLOAT' AND scope = 'mekong'",
            2 * _AMOUNT_MINOR,
        )
    assert await beside == 0
    assert await world.count("sending") == 3
    assert await steps.step(_SENDING[0]) == 2
    assert await world.count("sending") == 5
    assert await owner.fetchval(f"SELECT debits_minor - credits_minor {account}") == 0


@pytest.fixture
def two_at_once(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch is one payment, two are open at a time, and what is not known may be for an hour."""
    changed = providers_with(
        environment, batch_lines=1, batches_at_once=2, not_known_untrue_seconds=3600
    )
    monkeypatch.setenv("PAYMENTS_PROVIDERS", changed)


@pytest.mark.usefixtures("two_at_once")
@pytest.mark.parametrize(("lost", "sent", "settled"), [(3, 12, 9), (12, 10, 0)])
async def test_what_is_ready_does_not_wait_for_batches_that_are_not_known_unless_they_are_many(
    lost: int,
    sent: int,
    settled: int,
    provider: BatchProvider,
    world: World,
    steps: Steps,
    owner: asyncpg.Connection,
) -> None:
    await world.fund(10**9)
    await _announce(world, steps, [12])
    for at in range(12 + 6):
        provider.faults = iter([Fault.LOST_BEFORE] if at < lost else [])
        await steps.step("send-batches-mekong")
        await owner.execute(
            "UPDATE payments.batch SET next_action_at = now() "
            "WHERE next_action_at IS NOT NULL AND reason IS DISTINCT FROM 'not_known_may_be_untrue'"
        )
        await steps.step("batches-mekong")
    assert provider.requests["take"] == sent
    assert await world.count("settled") == len(provider.paid) == settled
    await world.proofs()
