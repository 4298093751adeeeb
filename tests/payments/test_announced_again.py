"""A chunk that is announced again: told again, fetched again or paid by itself, as it needs."""

import pytest

from tests.payments.announcing import Announced
from tests.payments.conftest import World, entitlements
from tests.payments.steps import Steps

SETTLED = "org.sangkroh.payments-settled.v1"
REFUSED = "org.sangkroh.chunk-refused.v1"


@pytest.fixture(autouse=True)
def refused_at_once(steps: Steps, monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes wrong is refused the first time."""
    monkeypatch.setattr(steps.wiring.settings, "chunk_fetches_before_refusal", 1)


async def rounds(world: World) -> list[tuple[int, str, int | None]]:
    """The rounds, in order: which supplement each is, where it stands, what is reserved."""
    page = await world.get("/rounds")
    return [(item["supplement"], item["status"], item["reserved_minor"]) for item in page["items"]]


async def test_a_settled_chunk_is_told_of_again(world: World, steps: Steps) -> None:
    await world.fund(10_000_000)
    announced = await world.registry.announce(entitlements(3))
    await steps.raise_announced()
    await steps.pay_all()
    await steps.close_all()
    await world.registry.announce_again(announced)
    await steps.raise_announced()
    await steps.close_all()
    first, second = await world.events(SETTLED)
    assert first == second
    assert (await world.chunk(announced))["status"] == "settled"
    assert world.registry.fetches == 1
    await world.proofs()


async def test_a_chunk_that_is_under_way_is_not_touched(world: World, steps: Steps) -> None:
    await world.fund(10_000_000)
    announced = await world.registry.announce(entitlements(3))
    await world.registry.announce_again(announced)
    await steps.raise_announced()
    await world.registry.announce_again(announced)
    await steps.raise_announced()
    assert world.registry.fetches == 1
    assert await world.count("ready") == 3
    assert await rounds(world) == [(0, "released", 288_000)]


@pytest.mark.parametrize("changes", [{"count": 2}, {"total_minor": 288_001}, {"round": 2}])
async def test_other_figures_than_before_are_parked_with_words(
    world: World, steps: Steps, changes: dict[str, int]
) -> None:
    announced = await world.registry.announce(entitlements(3))
    await steps.raise_announced()
    await world.registry.announce_again(announced, changes)
    await steps.raise_announced()
    [letter] = await world.owner.fetch("SELECT error FROM payments.dead_letter")
    word = next(iter(changes)).removesuffix("_minor")
    assert f"announced before, with another {word}" in letter["error"]
    assert (await world.chunk(announced))["status"] == "raised"


async def refused_beside_a_good_chunk(world: World, steps: Steps) -> tuple[Announced, Announced]:
    owed = entitlements(6)
    good = await world.registry.announce_chunk(owed[:3])
    bad = await world.registry.announce_chunk(
        owed[3:],
        content=b"garbled",
        activation_id=good.activation_id,
        enrolment_id=good.enrolment_id,
    )
    await world.registry.complete(good, owed, chunk_count=2)
    await steps.raise_announced()
    assert (await world.chunk(bad))["status"] == "refused"
    # What the registry sends from now on is right.
    world.registry.chunks[bad.chunk_id] = world.registry.content_of(owed[3:])
    return good, bad


async def test_a_chunk_that_was_refused_is_paid_in_a_round_of_its_own(
    world: World, steps: Steps
) -> None:
    await world.fund(10_000_000)
    good, bad = await refused_beside_a_good_chunk(world, steps)
    assert await rounds(world) == [(0, "released", 288_000)]
    assert len(await steps.pay_all()) == 3
    for _ in range(2):
        # However often it is said, and also where the registry completes its run again.
        await world.registry.announce_again(bad)
        await world.registry.complete(good, entitlements(6), chunk_count=2)
    await steps.raise_announced()
    assert await rounds(world) == [(0, "released", 288_000), (1, "released", 288_000)]
    assert len(await steps.pay_all()) == 3
    await steps.close_all()
    assert {end for end, _ in (await world.outcomes(bad)).values()} == {"paid"}
    assert len(await world.events(REFUSED)) == 1
    await world.proofs()


async def test_a_chunk_that_is_announced_again_waits_for_its_own_money_and_says_so(
    world: World, steps: Steps
) -> None:
    await world.fund(300_000)
    _, bad = await refused_beside_a_good_chunk(world, steps)
    await world.registry.announce_again(bad)
    await steps.raise_announced()
    assert await rounds(world) == [(0, "released", 288_000), (1, "unfunded", None)]
    reason = (await world.get("/rounds"))["items"][1]["reason"]
    assert "needs 288,000 KHR and fund relief has 12,000 KHR available" in reason
    await world.fund(300_000)
    await steps.raise_announced()
    assert await rounds(world) == [(0, "released", 288_000), (1, "released", 288_000)]
    await world.proofs()


async def test_a_round_that_waits_for_money_takes_its_refused_chunk_back(
    world: World, steps: Steps
) -> None:
    await world.fund(100_000, prefund_minor=50_000)
    _, bad = await refused_beside_a_good_chunk(world, steps)
    assert await rounds(world) == [(0, "unfunded", None)]
    await world.registry.announce_again(bad)
    await steps.raise_announced()
    [waiting] = (await world.get("/rounds"))["items"]
    assert "needs 576,000 KHR" in waiting["reason"]
    await world.fund(1_000_000)
    await steps.raise_announced()
    assert await rounds(world) == [(0, "released", 576_000)]
    assert len(await steps.pay_all()) == 6
    await world.proofs()


async def test_a_chunk_that_is_refused_again_can_be_announced_once_more(
    world: World, steps: Steps
) -> None:
    await world.fund(10_000_000)
    owed = entitlements(3)
    announced = await world.registry.announce(owed, content=b"garbled")
    await steps.raise_announced()
    await world.registry.announce_again(announced)
    await steps.raise_announced()
    assert (await world.chunk(announced))["status"] == "refused"
    await world.registry.announce_again(announced, content=world.registry.content_of(owed))
    await steps.raise_announced()
    assert await rounds(world) == [
        (0, "released", 0),
        (1, "released", 0),
        (2, "released", 288_000),
    ]
    assert len(await steps.pay_all()) == 3
    await world.proofs()


async def test_the_chunks_of_a_refused_round_are_paid_once_they_are_announced_again(
    world: World, steps: Steps
) -> None:
    await world.fund(10_000_000)
    announced = await world.registry.announce_chunk(entitlements(3))
    await world.registry.complete(announced, entitlements(4))
    await steps.raise_announced()
    [refused] = (await world.get("/rounds"))["items"]
    assert "/reannouncement" in refused["reason"]
    assert await steps.pay_all() == []
    await world.registry.announce_again(announced)
    await steps.raise_announced()
    assert await rounds(world) == [(0, "refused", None), (1, "released", 288_000)]
    assert len(await steps.pay_all()) == 3
    assert world.registry.fetches == 1
    await world.proofs()


async def test_a_chunk_that_came_too_late_for_its_round_is_paid_once_it_is_announced_again(
    world: World, steps: Steps
) -> None:
    await world.fund(10_000_000)
    owed = entitlements(6)
    announced = await world.registry.announce(owed[:3])
    await steps.raise_announced()
    late = await world.registry.announce_chunk(
        owed[3:], activation_id=announced.activation_id, enrolment_id=announced.enrolment_id
    )
    await steps.raise_announced()
    assert (await world.chunk(late))["status"] == "refused"
    await world.registry.announce_again(late)
    await steps.raise_announced()
    assert await rounds(world) == [(0, "released", 288_000), (1, "released", 288_000)]
    assert len(await steps.pay_all()) == 6
    await world.proofs()
