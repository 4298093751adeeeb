"""All workers together keep to what a provider can bear, by the provider's own record of it."""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

import asyncpg
import httpx
import pytest
from pydantic import ValidationError

from services.payments.dispatch.permits import seconds_since_boot
from services.payments.providers.pace.allowance import Allowance, Taken
from services.payments.providers.pace.pacing import TOKEN_SECONDS, NotPaced, Pace
from services.payments.settings.provider import ProviderPace
from services.payments.worker import wire
from shared.ids import new_id
from tests.payments.conftest import (
    BothSettings,
    Sandbox,
    StartSandbox,
    World,
    entitlements,
    providers_with,
)
from tests.payments.scripted import Script, script
from tests.payments.steps import Steps, running_steps

pytestmark = pytest.mark.long

__all__ = ["script"]

PER_SECOND = 10.0
BURST = 2
AT_ONCE = 3
PACE = {
    "requests_per_second": PER_SECOND,
    "requests_burst": BURST,
    "requests_at_once": AT_ONCE,
}
LATE = AT_ONCE + 2 * BURST
"""Requests that left in time and were on their way for long, no more than may be at once; and those
that each of two workers was given by a database that answered late."""


@dataclass(frozen=True)
class Call:
    """A call as the provider noted it."""

    arrived_seconds: float
    at_once: int
    resting: bool


def calls(sandbox: Sandbox, provider: str = "mekong") -> list[Call]:
    """What the provider says of the calls that it got, the oldest first."""
    rows = [line.split(",") for line in httpx.get(f"{sandbox.options.url}/traffic").text.split()]
    return [
        Call(int(arrived_ms) / 1_000, int(at_once), resting == "1")
        for code, arrived_ms, at_once, resting in rows[1:]
        if code == provider
    ]


def too_fast(found: Sequence[Call]) -> list[tuple[int, float]]:
    """Spans with more calls than the pace allows: how many there were, in how many seconds."""
    return [
        (count, span)
        for at, first in enumerate(found)
        for count, last in enumerate(found[at:], start=1)
        if count
        > BURST
        + LATE
        + PER_SECOND * ((span := last.arrived_seconds - first.arrived_seconds) + TOKEN_SECONDS)
    ]


def test_what_is_too_fast_is_seen() -> None:
    """By the clock of nobody: the calls are made up."""
    steady = [Call(number / PER_SECOND, 1, False) for number in range(100)]
    assert too_fast(steady) == []
    hasty = [*steady, *(Call(10 + number / 100, 1, False) for number in range(20))]
    assert too_fast(hasty) != []


@pytest.fixture
def paced(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Every process that is started from now on keeps a pace."""
    monkeypatch.setenv("PAYMENTS_PROVIDERS", providers_with(environment, **PACE))
    monkeypatch.setenv("PAYMENTS_DISPATCH_LEASE_SECONDS", "60")
    monkeypatch.setenv("PAYMENTS_PENDING_INQUIRY_SECONDS", "5")
    monkeypatch.setenv("PAYMENTS_INQUIRY_LONGEST_SECONDS", "10")


async def test_two_workers_send_no_faster_than_one_and_no_more_at_once(
    world: World, start_sandbox: StartSandbox, paced: None
) -> None:
    sandbox = start_sandbox(answer_delay_ms=100)
    await world.fund(20_000_000)
    announced = await world.registry.announce(entitlements(40, provider="mekong"))
    workers = [
        subprocess.Popen(
            [sys.executable, "-m", "services", "payments-worker"], stdout=subprocess.DEVNULL
        )
        for _ in range(2)
    ]
    try:
        await world.until_chunk(announced, "settled")
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    found = calls(sandbox)
    assert len(found) >= 40
    assert len(sandbox.book()) == 40
    assert too_fast(found) == []
    assert max(call.at_once for call in found) <= AT_ONCE
    await world.proofs()


@pytest.fixture
async def two(world: World, paced: None) -> AsyncIterator[list[Steps]]:
    """Two workers of the same service."""
    async with AsyncExitStack() as stack:
        settings = BothSettings()
        yield [await stack.enter_async_context(running_steps(settings)) for _ in range(2)]


async def test_a_rest_that_one_worker_is_asked_for_is_kept_by_all_and_seen(
    world: World, start_sandbox: StartSandbox, two: list[Steps]
) -> None:
    sandbox = start_sandbox(rest_after=1, rest_seconds=600)
    first, second = two
    await world.fund(20_000_000)
    await world.registry.announce(entitlements(20, provider="mekong"))
    await first.raise_announced()
    assert await first.step("send-mekong") > 0
    asked = len(calls(sandbox))
    assert 1 <= asked <= AT_ONCE
    # What was claimed and had not left went back.
    assert await world.count("ready") == 20 - await world.count("unknown")
    assert await world.count("unknown") == asked
    assert await first.step("pace") == 1
    assert await second.step("pace") == 0
    await world.owner.execute("UPDATE payments.instruction SET next_action_at = now()")
    for worker in (first, second):
        for step in ("send-mekong", "inquire-mekong"):
            assert await worker.step(step) == 0
    assert len(calls(sandbox)) == asked
    mekong = await world.get("/providers/mekong")
    assert mekong["health"]["resting_because"] == "http_429"
    assert mekong["health"]["resting_until"] is not None
    tonle = await world.get("/providers/tonle")
    assert (tonle["health"]["resting_because"], tonle["health"]["resting_until"]) == (None, None)

    # The rest is over: it goes on, and is not shown any more.
    await world.owner.execute("UPDATE payments.provider_allowance SET rests_until = now()")
    assert (await world.get("/providers/mekong"))["health"]["resting_until"] is None


def allowance(steps: Steps, pace: ProviderPace) -> Allowance:
    """What another worker takes of the same provider."""
    return Allowance(
        pace,
        code="mekong",
        directory=steps.wiring.directory,
        database=steps.wiring.database,
        worker_id=new_id(),
        lease_seconds=60,
    )


async def places(worker: Allowance, *, wanted: int, under_way: int = 0) -> tuple[int, int]:
    """How many places a worker may use, and how many are kept for it."""
    taken = await worker.take(tokens=0, returned=0, places=wanted, under_way=under_way)
    assert taken.places is not None
    return taken.places.part, taken.places.held


async def test_the_places_of_a_worker_that_was_killed_come_back(
    steps: Steps, owner: asyncpg.Connection
) -> None:
    pace = ProviderPace(requests_at_once=4)
    killed, other = allowance(steps, pace), allowance(steps, pace)
    assert await places(killed, wanted=9) == (4, 4)
    assert await places(other, wanted=9) == (0, 0)
    await owner.execute(
        "UPDATE payments.provider_share SET ends_at = now() - interval '1 second' WHERE places > 0"
    )
    assert await places(other, wanted=9) == (4, 4)
    assert await owner.fetchval("SELECT count(*) FROM payments.provider_share") == 1


async def test_workers_that_want_places_come_to_have_as_many_each(steps: Steps) -> None:
    pace = ProviderPace(requests_at_once=5)
    first, second = allowance(steps, pace), allowance(steps, pace)
    assert await places(first, wanted=5) == (5, 5)
    assert await places(second, wanted=5) == (0, 0)
    # What is under way ends before another begins: never more at once than there may be.
    assert await places(first, wanted=5, under_way=5) == (3, 5)
    assert await places(second, wanted=5) == (0, 0)
    assert await places(first, wanted=5, under_way=3) == (3, 3)
    assert await places(second, wanted=5) == (2, 2)
    await first.leave()
    assert await places(second, wanted=5) == (5, 5)


async def test_no_more_tokens_are_given_than_time_brings(steps: Steps) -> None:
    """By the time that passed, whatever that was: a busy machine makes it more and not less."""
    pace = ProviderPace(requests_per_second=50, requests_burst=5)
    workers = [allowance(steps, pace) for _ in range(3)]
    began = time.monotonic()

    async def taking(worker: Allowance) -> int:
        taken = [
            await worker.take(tokens=100, returned=0, places=0, under_way=0) for _ in range(20)
        ]
        return sum(_count(each) for each in taken)

    given = sum(await asyncio.gather(*(taking(worker) for worker in workers)))
    assert 0 < given <= 5 + 50 * (time.monotonic() - began)

    # What was not used comes back, and is no more than the burst.
    await workers[0].take(tokens=0, returned=1_000, places=0, under_way=0)
    passed = time.monotonic()
    got = _count(await workers[0].take(tokens=1_000, returned=0, places=0, under_way=0))
    assert got <= 5 + 50 * (time.monotonic() - passed + 1)


class Permitted:
    """What may leave, until it may not."""

    def __init__(self) -> None:
        self.reason: str | None = None

    def refusal(self) -> str | None:
        return self.reason


async def test_what_waits_for_its_turn_is_let_go_once_it_may_not_leave(steps: Steps) -> None:
    pace = Pace(allowance(steps, ProviderPace(requests_at_once=1)), now=seconds_since_boot)
    permit = Permitted()
    assert await pace.turn(permit) is None
    waiting = [asyncio.create_task(pace.turn(permit)) for _ in range(20)]
    await asyncio.sleep(0)
    permit.reason = "worker_stopping"
    assert await asyncio.gather(*waiting) == ["worker_stopping"] * 20
    pace.end()
    # The place that was in use is the next one's.
    assert await pace.turn(None) is None
    pace.rest(60, reason="http_503")
    assert await pace.turn(None) == "provider_rests"


def _count(taken: Taken) -> int:
    assert taken.tokens is not None
    return taken.tokens.count


def test_a_pace_for_what_takes_no_requests_is_refused_at_the_start(
    script: Script, paced: None
) -> None:
    with pytest.raises(NotPaced, match="take requests_per_second"):
        wire(BothSettings())


def test_a_burst_of_no_rate_is_refused() -> None:
    with pytest.raises(ValidationError, match="requests_burst is of a requests_per_second"):
        ProviderPace(requests_burst=3)
