"""Money that a fund keeps for a trigger that is ready: drawn by its rounds, or given back."""

import asyncio
from datetime import date
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.contracts.events import ActivationOpened, PreparationCounted, TriggerStoodDown
from shared.ids import new_id
from tests.hearing import hear
from tests.payments.announcing import CURRENCY, FUND
from tests.payments.conftest import World, entitlements
from tests.payments.steps import Steps
from tests.server import eventually

DAY = date(2020, 10, 8)


def counted(readiness_id: UUID, amount_minor: int, **changes: Any) -> PreparationCounted:
    return PreparationCounted(
        **{
            "readiness_id": readiness_id,
            "trigger": "mekong-stage",
            "scheme": "flood",
            "fund": FUND,
            "currency": CURRENCY,
            "households": 10,
            "amount_minor": amount_minor,
            "without_account": 1,
            "without_provider": 0,
            **changes,
        }
    )


def stood_down(readiness_id: UUID) -> TriggerStoodDown:
    return TriggerStoodDown(readiness_id=readiness_id, trigger="mekong-stage", stood_down_on=DAY)


def opened(activation_id: UUID, trigger: str = "mekong-stage") -> ActivationOpened:
    return ActivationOpened(
        activation_id=activation_id,
        trigger=trigger,
        trigger_version=1,
        scheme="flood",
        shock="flood",
        areas=["08"],
        severity="severe",
        opened_on=DAY,
        observed_on=DAY,
    )


async def told(world: World, steps: Steps, *facts: Any) -> None:
    """Tell payments, and let it act on it."""
    for fact in facts:
        await world.registry.publish(fact)
    await hear(steps.worker, "payments")
    while await steps.step("reserve"):
        pass


async def fund_of(world: World) -> tuple[int, int, int]:
    """What the fund has available, keeps for triggers, and has committed to rounds."""
    fund = await world.get(f"/funds/{FUND}")
    return fund["available_minor"], fund["reserved_minor"], fund["committed_minor"]


async def test_readiness_keeps_money_and_standing_down_gives_it_back(
    world: World, steps: Steps
) -> None:
    await world.fund(1_000_000)
    readiness_id = new_id()
    await told(world, steps, counted(readiness_id, 1_500_000))
    assert await fund_of(world) == (0, 1_000_000, 0)
    [shown] = (await world.get("/reservations", fund=FUND))["items"]
    assert (shown["wanted_minor"], shown["reserved_minor"]) == (1_500_000, 1_000_000)
    assert shown["short_minor"] == 500_000
    # What comes in later is kept as well, and no more than is wanted.
    await world.fund(800_000, prefund_minor=0)
    assert await steps.step("reserve") == 1
    assert await fund_of(world) == (300_000, 1_500_000, 0)
    assert await steps.step("reserve") == 0
    # Fewer are in reach than was thought: what is too much goes back.
    await told(world, steps, counted(readiness_id, 700_000))
    assert await fund_of(world) == (1_100_000, 700_000, 0)
    await world.proofs()
    await told(world, steps, stood_down(readiness_id), stood_down(readiness_id))
    assert await fund_of(world) == (1_800_000, 0, 0)
    [shown] = (await world.get("/reservations"))["items"]
    assert shown["released_at"] is not None
    assert shown["short_minor"] == 0
    await world.proofs()


async def test_a_round_takes_what_is_kept_for_its_trigger_and_no_other_does(
    world: World, steps: Steps
) -> None:
    await world.fund(400_000)
    readiness_id, activation_id = new_id(), new_id()
    await told(world, steps, counted(readiness_id, 400_000))
    assert await fund_of(world) == (0, 400_000, 0)
    # Another trigger's round finds nothing; this one's is paid from what was kept for it.
    another = await world.registry.announce(entitlements(2))
    await told(world, steps, opened(another.activation_id, trigger="rice-price"))
    await steps.raise_announced()
    await told(world, steps, opened(activation_id))
    mine = await world.registry.announce(entitlements(3), activation_id=activation_id)

    async def decided() -> bool:
        await steps.raise_announced()
        rounds = (await world.get("/rounds"))["items"]
        return len(rounds) == 2 and all(each["status"] != "gathering" for each in rounds)

    await eventually(decided)
    states = {
        each["activation_id"]: each["status"] for each in (await world.get("/rounds"))["items"]
    }
    assert states == {
        str(another.activation_id): "unfunded",
        str(mine.activation_id): "released",
    }
    assert await fund_of(world) == (0, 112_000, 288_000)
    await world.proofs()
    # What is left is free once the trigger stands down.
    await told(world, steps, stood_down(readiness_id))
    assert await fund_of(world) == (112_000, 0, 288_000)
    await world.proofs()


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("count"), st.integers(0, 2), st.integers(0, 500_000)),
        st.tuples(st.just("stand down"), st.integers(0, 2), st.just(0)),
        st.tuples(st.just("deposit"), st.just(0), st.integers(1, 200_000)),
        st.tuples(st.just("round"), st.integers(0, 2), st.integers(1, 200_000)),
        st.tuples(st.just("reserve"), st.just(0), st.just(0)),
    ),
    max_size=10,
)


async def test_whatever_is_told_nothing_is_kept_twice_or_lost(world: World, steps: Steps) -> None:
    await world.fund(1)
    loop = asyncio.get_running_loop()
    readiness = [new_id() for _ in range(3)]

    async def play(moves: list[tuple[str, int, int]]) -> None:
        for what, which, minor in moves:
            trigger = f"trigger-{which}"
            match what:
                case "count":
                    await told(world, steps, counted(readiness[which], minor, trigger=trigger))
                case "stand down":
                    await told(world, steps, stood_down(readiness[which]))
                case "deposit":
                    await world.fund(minor, prefund_minor=0)
                case "round":
                    activation_id = new_id()
                    await told(world, steps, opened(activation_id, trigger=trigger))
                    await world.registry.announce(
                        entitlements(1, amount_minor=minor), activation_id=activation_id
                    )
                    await steps.raise_announced()
                case "reserve":
                    await steps.step("reserve")
            proofs = await steps.prove()
            assert [proof for proof in proofs.proofs if not proof.holds] == []
            kept = (await world.get("/reservations"))["items"]
            for each in kept:
                assert (
                    each["reserved_minor"] <= max(each["wanted_minor"] - each["drawn_minor"], 0)
                    or each["short_minor"] == 0
                )

    @given(STEPS)
    @settings(
        max_examples=12,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        derandomize=True,
    )
    def run(moves: list[tuple[str, int, int]]) -> None:
        asyncio.run_coroutine_threadsafe(play(moves), loop).result()

    await asyncio.to_thread(run)
