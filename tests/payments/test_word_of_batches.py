"""What a provider tells of a batch while somebody is at it: not lost, and not read twice for it."""

import asyncio
from collections import Counter

import asyncpg
import pytest

from services.payments.batches.repository import ask_now
from services.payments.providers.batches import (
    BatchAnswer,
    BatchAnswerKind,
    BatchName,
    ResultKind,
    ResultsPage,
)
from tests.payments.batch_provider import BatchProvider, provider
from tests.payments.conftest import World, entitlements
from tests.payments.steps import Steps

__all__ = ["provider"]


class Desk:
    """Where the provider's results are read: it is asked, and answers once it is open."""

    def __init__(self, provider: BatchProvider) -> None:
        self.asked: Counter[tuple[ResultKind, int]] = Counter()
        self.begun, self.opened = asyncio.Event(), asyncio.Event()
        self.completed = True
        self._provider = provider

    async def read_results(
        self, name: BatchName, kind: ResultKind, *, offset: int, limit: int
    ) -> ResultsPage | None:
        self.asked[kind, offset] += 1
        self.begun.set()
        known = self._provider.results(name, kind, offset=offset, limit=limit)
        await self.opened.wait()
        return known if self.completed else ResultsPage(results=[], count=0)

    async def ask_batch(self, name: BatchName) -> BatchAnswer:
        if self.completed:
            return self._provider.ask(name)
        return BatchAnswer(BatchAnswerKind.UNDER_WAY)


@pytest.fixture
async def desk(
    provider: BatchProvider, world: World, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> Desk:
    """Of a provider that has taken a batch of five, and was told to pay it."""
    desk = Desk(provider)
    await world.fund(10_000_000)
    await world.registry.announce(entitlements(5, provider="mekong"))
    await steps.raise_announced()
    await steps.step("send-batches-mekong")
    await steps.step("batches-mekong")
    adapter = steps.wiring.batch_lanes["mekong"].adapter
    monkeypatch.setattr(adapter, "read_results", desk.read_results)
    monkeypatch.setattr(adapter, "ask_batch", desk.ask_batch)
    return desk


async def begin_reading(steps: Steps, desk: Desk) -> None:
    assert await steps.worker.step("batches-mekong") == 1
    async with asyncio.timeout(30):
        await desk.begun.wait()


async def tell(steps: Steps, owner: asyncpg.Connection) -> None:
    """The provider calls back about its batch."""
    batch = await owner.fetchrow("SELECT provider_number, provider_batch_id FROM payments.batch")
    async with steps.wiring.database.transaction() as session:
        await ask_now(session, batch["provider_number"], [batch["provider_batch_id"]])


async def statuses(owner: asyncpg.Connection) -> Counter[str]:
    return Counter(await owner.fetchval("SELECT array_agg(status::text) FROM payments.instruction"))


async def test_what_is_told_of_results_that_are_being_read_has_nobody_read_them_beside(
    desk: Desk, world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    await begin_reading(steps, desk)
    await tell(steps, owner)
    assert await steps.worker.step("batches-mekong") == 0
    desk.opened.set()
    await steps.wiring.settle_requests()
    assert await statuses(owner) == {"settled": 5}
    assert set(desk.asked.values()) == {1}
    await world.proofs()


async def test_what_is_told_after_the_answer_that_is_acted_on_is_looked_at_once_that_is_done(
    desk: Desk, world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    desk.completed = False
    await begin_reading(steps, desk)
    await tell(steps, owner)
    desk.opened.set()
    await steps.wiring.settle_requests()
    assert await statuses(owner) == {"sending": 5}
    desk.completed = True
    assert await steps.step("batches-mekong") == 1
    assert await statuses(owner) == {"settled": 5}
    await world.proofs()
