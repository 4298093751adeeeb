"""One payment that stays open does not hide its chunk from the registry."""

import asyncio

import pytest

from tests.payments.conftest import World, entitlements
from tests.payments.steps import REJECTED, SILENCE, Steps, paid, running_steps
from tests.server import eventually

PROGRESSED = "org.sangkroh.payments-progressed.v1"
SECONDS = 0.3


@pytest.fixture
def environment(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setenv("PAYMENTS_PROGRESS_SECONDS", str(SECONDS))
    return environment


async def released(steps: Steps) -> None:
    """Raise and release all that there is, as it is seen first: nothing of it takes long."""
    await steps.raise_announced()
    assert await steps.step("progress") > 0


async def look(steps: Steps) -> None:
    """Look at every chunk, once it is due again."""
    await asyncio.sleep(SECONDS)
    while await steps.step("progress"):
        pass


async def test_the_ends_of_a_chunk_are_told_though_one_payment_has_none(
    world: World, steps: Steps
) -> None:
    await world.fund(10_000_000)
    owed = entitlements(3, provider="mekong")
    bad = entitlements(1, provider="nowhere", account="+85512999999")
    announced = await world.registry.announce([*owed, *bad])
    await released(steps)
    first, second, silent = await steps.claim()
    await steps.hear([(first.instruction_id, paid(first.instruction_id))])
    await steps.hear([(second.instruction_id, REJECTED), (silent.instruction_id, SILENCE)])
    await steps.close_all()
    await look(steps)
    [event] = await world.events(PROGRESSED)
    assert event == {
        "chunk_id": str(announced.chunk_id),
        "activation_id": str(announced.activation_id),
        "scheme": "flood",
        "round": 1,
        "open_count": 1,
        "paid_count": 1,
        "paid_minor": 96_000,
        "failed_count": 1,
        "failed_minor": 96_000,
        "unpayable_count": 1,
        "unpayable_minor": 96_000,
    }
    ends = sorted(end for end, _ in (await world.outcomes(announced)).values())
    assert ends == ["failed", "paid", "unpayable"]
    # Nothing new, nothing told; and the end of all is told as ever.
    await look(steps)
    assert len(await world.events(PROGRESSED)) == 1
    await steps.hear([(silent.instruction_id, paid(silent.instruction_id))])
    await steps.close_all()
    await look(steps)
    assert len(await world.events(PROGRESSED)) == 1
    assert (await world.chunk(announced))["status"] == "settled"


async def test_a_correction_is_told_while_another_payment_is_open(
    world: World, steps: Steps
) -> None:
    await world.fund(10_000_000)
    await world.registry.announce(entitlements(2, provider="mekong"))
    await released(steps)
    first, silent = await steps.claim()
    await steps.hear([(first.instruction_id, REJECTED), (silent.instruction_id, SILENCE)])
    await look(steps)
    # Paid after it was rejected: it has no end any more, until an officer says so.
    await steps.hear([(first.instruction_id, paid(first.instruction_id))])
    await look(steps)
    await world.resolve(first.instruction_id, "settled")
    await steps.step("resolve")
    await look(steps)
    told = [
        (event["open_count"], event["paid_count"], event["failed_count"])
        for event in await world.events(PROGRESSED)
    ]
    assert told == [(1, 0, 1), (2, 0, 0), (1, 1, 0)]


async def test_what_is_being_sent_just_now_is_not_told(world: World, steps: Steps) -> None:
    await world.fund(10_000_000)
    await world.registry.announce(entitlements(4, provider="mekong"))
    await released(steps)
    for _ in range(2):
        await asyncio.sleep(SECONDS)
        [order] = await steps.claim(size=1)
        await steps.hear([(order.instruction_id, paid(order.instruction_id))])
        assert await steps.step("progress") == 1
    assert await world.events(PROGRESSED) == []
    # The float has run out, say: nothing more is sent for a while, and two are paid.
    await look(steps)
    [event] = await world.events(PROGRESSED)
    assert (event["open_count"], event["paid_count"]) == (2, 2)


async def test_two_workers_tell_it_once(world: World, steps: Steps) -> None:
    await world.fund(10_000_000)
    await world.registry.announce(entitlements(2, provider="mekong"))
    await released(steps)
    first, silent = await steps.claim()
    await steps.hear([(first.instruction_id, REJECTED), (silent.instruction_id, SILENCE)])
    await asyncio.sleep(SECONDS)
    async with running_steps(world.settings) as others:
        await asyncio.gather(steps.step("progress"), others.step("progress"))
    assert len(await world.events(PROGRESSED)) == 1


async def test_the_worker_tells_it_by_itself(world: World, steps: Steps) -> None:
    await world.fund(10_000_000)
    await world.registry.announce(entitlements(2, provider="mekong"))
    await steps.raise_announced()
    first, held = await steps.claim()
    await steps.hear([(first.instruction_id, paid(first.instruction_id))])
    await steps.hear([(held.instruction_id, paid(held.instruction_id, amount_minor=1))])
    async with world.working():

        async def told() -> bool:
            return len(await world.events(PROGRESSED)) == 1

        await eventually(told)
