"""Money that came back goes back to its fund by two persons, each payment once."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.clock import set_clock
from shared.ids import new_id
from tests.conftest import NOON
from tests.payments.announcing import FUND
from tests.payments.conftest import World, entitlements
from tests.payments.steps import REJECTED, Steps, paid

WHY = "Unclaimed, as the sub-decree says."
LINES = f"/funds/{FUND}/budget-lines"


def set_days(world: World, days: int) -> None:
    assert world.settings.clock_file is not None
    set_clock(world.settings.clock_file, NOON + timedelta(days=days))


def day(days: int) -> str:
    return (NOON + timedelta(days=days)).date().isoformat()


async def returned(world: World, steps: Steps, count: int, **announced: Any) -> list[UUID]:
    """So many payments at mekong that were paid and came back."""
    await world.registry.announce(entitlements(count, provider="mekong"), **announced)
    await steps.raise_announced()
    ids = [order.instruction_id for order in await steps.pay_all()]
    assert len(ids) == count
    for instruction_id in ids:
        await world.resolve(instruction_id, "returned")
    while await steps.step("resolve"):
        pass
    return ids


def before(days: int, **changes: Any) -> dict[str, Any]:
    return {
        "fund": FUND,
        "provider": "mekong",
        "returned_before": day(days),
        "reason": WHY,
        **changes,
    }


def named(*ids: UUID) -> dict[str, Any]:
    chosen = [str(each) for each in ids]
    return {"fund": FUND, "provider": "mekong", "instruction_ids": chosen, "reason": WHY}


async def state(world: World) -> tuple[int, int, int]:
    """Available and spent of the fund, and owed for what came back."""
    fund = await world.get(f"/funds/{FUND}")
    provider = await world.get("/providers/mekong")
    return fund["available_minor"], fund["spent_minor"], provider["returns_payable_minor"]


async def test_what_nobody_claimed_by_a_day_goes_back_to_the_fund(
    world: World, steps: Steps
) -> None:
    set_days(world, 0)
    await world.fund(2_000_000, prefund_minor=900_000)
    await world.post(
        LINES, {"code": "floods", "name": "Floods", "ceiling_minor": 10**6, "reason": WHY}
    )
    early = [
        *await returned(world, steps, 2, budget_line="floods"),
        *await returned(world, steps, 1),
    ]
    set_days(world, 50)
    [late] = await returned(world, steps, 1)
    assert await state(world) == (2_000_000 - 384_000, 384_000, 384_000)
    await world.proofs()

    # It is kept for its household for ninety days.
    problem = await world.post("/reclaims", before(10), status=409)
    assert "is kept for its household for 90 days" in problem["detail"]
    set_days(world, 100)
    proposal, rival = [await world.propose("/reclaims", before(10)) for _ in range(2)]
    assert proposal["what"] == (
        "Give 288,000 KHR back to fund relief: 3 payments that came back to mekong and that "
        "nobody claimed."
    )
    assert (proposal["households"], proposal["amount_minor"]) == (3, 288_000)
    own = await world.client.post(f"/approvals/{proposal['id']}/approval", json={"reason": WHY})
    assert own.status_code == 409
    assert await state(world) == (2_000_000 - 384_000, 384_000, 384_000)
    await world.approve(proposal["id"])
    problem = await world.approve(rival["id"], status=409)
    assert "That is 0 payments" in problem["detail"]
    assert await state(world) == (2_000_000 - 96_000, 96_000, 96_000)
    line = await world.get(f"{LINES}/floods")
    assert (line["committed_minor"], line["spent_minor"]) == (0, 0)

    reclaim = await world.get(f"/reclaims/{proposal['id']}")
    assert (await world.get("/reclaims"))["items"] == [reclaim]
    assert (reclaim["amount_minor"], reclaim["households"]) == (288_000, 3)
    assert (reclaim["proposed_by"], reclaim["approved_by"]) == ("officer@test", "checker@test")
    items = (await world.get(f"/reclaims/{proposal['id']}/items"))["items"]
    assert {each["instruction_id"] for each in items} == {str(each) for each in early}
    listed = (await world.get("/unresolved/returned"))["items"]
    assert [each["instruction_id"] for each in listed] == [str(late)]
    numbers = (await world.proofs())["returns_add_up"]
    assert numbers[0] == {
        "provider": "mekong",
        "payable_minor": 96_000,
        "unclaimed_minor": 96_000,
        "given_back_minor": 288_000,
        "restored_minor": 288_000,
    }
    # A single one is named, however long ago it came back; once.
    await world.post("/reclaims", named(late))
    await world.post("/reclaims", named(late), status=409)
    assert await state(world) == (2_000_000, 0, 0)
    await world.proofs()


async def test_only_what_was_paid_and_came_back_from_that_fund_and_provider_goes_back(
    world: World, steps: Steps
) -> None:
    await world.fund(2_000_000, prefund_minor=900_000)
    await world.registry.announce(entitlements(3, provider="mekong"))
    await steps.raise_announced()
    settled, rejected, held = [order.instruction_id for order in await steps.claim()]
    await steps.hear([(settled, paid(settled)), (rejected, REJECTED)])
    await steps.hear([(held, paid(held, amount_minor=1))])
    await world.resolve(held, "returned")
    while await steps.step("resolve"):
        pass
    for instruction_id in (settled, rejected, held, new_id()):
        await world.post("/reclaims", named(instruction_id), status=409)
    [back] = await returned(world, steps, 1)
    await world.post("/reclaims", {**named(back), "provider": "tonle"}, status=409)
    await world.post("/reclaims", named(back, settled), status=409)
    await world.post("/reclaims", {**named(back), "fund": "nowhere"}, status=404)
    await world.post("/reclaims", {**named(back), "returned_before": day(0)}, status=422)
    await world.post("/reclaims", {"fund": FUND, "provider": "mekong", "reason": WHY}, status=422)
    assert (await world.client.get(f"/reclaims/{new_id()}")).status_code == 404
    await world.post("/reclaims", named(back, back))
    assert (await state(world))[2] == 0
    await world.proofs()


async def test_the_proof_finds_a_payment_that_was_given_back_unbooked(
    world: World, steps: Steps
) -> None:
    await world.fund(2_000_000, prefund_minor=900_000)
    [back] = await returned(world, steps, 1)
    await world.proofs()
    await world.owner.execute(
        "INSERT INTO payments.reclaim_item VALUES ($1, gen_random_uuid(), 96000)", back
    )
    found = await world.get("/proofs")
    failed = {proof["name"] for proof in found["proofs"] if not proof["holds"]}
    assert failed == {"returns_add_up"}


CHOICES = st.lists(
    st.tuples(st.sampled_from(["return", "name", "day"]), st.integers(0, 5)),
    min_size=2,
    max_size=7,
)


async def test_whatever_is_given_back_is_so_once_and_the_fund_has_it(
    world: World, steps: Steps
) -> None:
    set_days(world, 0)
    total_minor = 100_000_000
    await world.fund(total_minor, prefund_minor=40_000_000)
    loop = asyncio.get_running_loop()
    open_ids: list[tuple[int, UUID]] = []
    days = 0

    async def play(choices: list[tuple[str, int]]) -> None:
        nonlocal days, open_ids
        for what, number in choices:
            days += 40
            set_days(world, days)
            match what:
                case "return":
                    open_ids += [
                        (days, each) for each in await returned(world, steps, number % 3 + 1)
                    ]
                case "name" if open_ids:
                    chosen = open_ids[number % len(open_ids) :][:2]
                    await world.post("/reclaims", named(*(each for _, each in chosen)))
                    open_ids = [each for each in open_ids if each not in chosen]
                case "day":
                    until = days - 90 - number
                    due = [each for each in open_ids if each[0] < until]
                    status = 201 if due else 409
                    await world.post("/reclaims", before(until), status=status)
                    open_ids = [each for each in open_ids if each not in due]
            owed_minor = len(open_ids) * 96_000
            assert await state(world) == (total_minor - owed_minor, owed_minor, owed_minor)
            await world.proofs()

    @given(CHOICES)
    @settings(
        max_examples=6,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        derandomize=True,
    )
    def run(choices: list[tuple[str, int]]) -> None:
        asyncio.run_coroutine_threadsafe(play(choices), loop).result()

    await asyncio.to_thread(run)
