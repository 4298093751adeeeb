"""What is committed and spent is told by budget line, and a ceiling holds for its rounds."""

import asyncio
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.payments.announcing import FUND
from tests.payments.conftest import World, entitlements
from tests.payments.steps import REJECTED, Steps, paid

LINES = f"/funds/{FUND}/budget-lines"
WHY = "Annex 2."


def line(ceiling_minor: int, code: str = "floods") -> dict[str, Any]:
    return {"code": code, "name": "Floods", "ceiling_minor": ceiling_minor, "reason": WHY}


async def told(world: World, code: str = "floods") -> tuple[int, int]:
    """What is committed and spent on a line."""
    found = await world.get(f"{LINES}/{code}")
    return found["committed_minor"], found["spent_minor"]


async def the_rounds(world: World) -> list[Any]:
    found: list[Any] = (await world.get("/rounds"))["items"]
    return found


async def test_a_round_over_its_lines_ceiling_waits_until_two_persons_raise_it(
    world: World, steps: Steps
) -> None:
    await world.fund(2_000_000, prefund_minor=900_000)
    await world.registry.announce(entitlements(2, provider="mekong"), budget_line="floods")
    await steps.raise_announced()
    [waiting] = await the_rounds(world)
    assert (waiting["status"], waiting["budget_line"]) == ("unfunded", "floods")
    assert "Fund relief has no budget line floods" in waiting["reason"]

    opening = await world.propose(LINES, line(100_000))
    assert opening["what"] == (
        "Open budget line floods of fund relief: it may come to 100,000 KHR."
    )
    await world.approve(opening["id"])
    await steps.raise_announced()
    assert await steps.claim() == []
    [waiting] = await the_rounds(world)
    assert waiting["status"] == "unfunded"

    # Whatever else is announced on it finds no room either, and what is on no line goes.
    await world.registry.announce(entitlements(2, provider="mekong"), budget_line="floods")
    await world.registry.announce(entitlements(1, provider="mekong"))
    await steps.raise_announced()
    rounds = await the_rounds(world)
    assert [each["status"] for each in rounds] == ["unfunded", "unfunded", "released"]
    assert "has room for 100,000 KHR" in rounds[1]["reason"]
    assert await told(world) == (0, 0)

    raising, rival = [await world.propose(LINES, line(ceiling)) for ceiling in (200_000, 10**9)]
    assert "Until now that is 100,000 KHR, of which 0 KHR" in raising["what"]
    own = await world.client.post(f"/approvals/{raising['id']}/approval", json={"reason": WHY})
    assert own.status_code == 409
    await world.approve(raising["id"])
    problem = await world.approve(rival["id"], status=409)
    assert "after this was proposed" in problem["detail"]
    await steps.raise_announced()
    rounds = await the_rounds(world)
    assert [each["status"] for each in rounds] == ["released", "unfunded", "released"]
    assert await told(world) == (192_000, 0)
    fund = await world.get(f"/funds/{FUND}")
    assert fund["committed_minor"] == 288_000

    sent = await steps.claim()
    on_line = [order for order in sent if order.money.amount_minor == 96_000]
    assert len(on_line) == 3
    for order in sent:
        await steps.hear([(order.instruction_id, paid(order.instruction_id))])
    assert await told(world) == (0, 192_000)
    assert (await world.get(f"/funds/{FUND}"))["spent_minor"] == 288_000
    proofs = await world.proofs()
    assert proofs["budget_lines_add_up"] == [
        {
            "fund": FUND,
            "budget_line": "floods",
            "committed_minor": 0,
            "in_flight_minor": 0,
            "spent_minor": 192_000,
            "paid_minor": 192_000,
        }
    ]
    lines = {
        (each["account"], each["scope"]): each["debit_minor"] - each["credit_minor"]
        for each in (await world.get("/trial-balance"))["lines"]
        if each["book"] == "line"
    }
    assert lines == {
        ("LINE_OPEN", "relief/floods"): -192_000,
        ("LINE_COMMITTED", "relief/floods"): 0,
        ("LINE_SPENT", "relief/floods"): 192_000,
    }


async def test_a_rejected_payment_gives_its_room_back_and_an_attempt_needs_room(
    world: World, steps: Steps
) -> None:
    await world.fund(2_000_000, prefund_minor=900_000)
    await world.post(LINES, line(96_000))
    owed = entitlements(1, provider="mekong")
    await world.registry.announce(owed, budget_line="floods")
    await steps.raise_announced()
    [order] = await steps.claim()
    await steps.hear([(order.instruction_id, REJECTED)])
    assert await told(world) == (0, 0)
    path = f"/instructions/{order.instruction_id}/attempts"
    again = await world.propose(path, {"reason": WHY})
    await world.post(LINES, line(95_999))
    problem = await world.approve(again["id"], status=409)
    assert "budget line floods of fund relief has room for 95,999 KHR" in problem["detail"]
    await world.post(LINES, line(96_000))
    await world.approve(again["id"])
    assert await told(world) == (96_000, 0)
    shown = await world.instruction_of(owed[0].entitlement_id)
    accounts = {transfer["debit"] for transfer in shown["transfers"]}
    assert accounts == {"COMMITTED relief", "LINE_COMMITTED relief/floods"}
    await steps.pay_all()
    assert await told(world) == (0, 96_000)
    await world.proofs()
    # A success that comes late is recorded, whatever the ceiling: it has happened.
    await steps.hear([(order.instruction_id, paid(order.instruction_id, reference="late"))])
    assert await told(world) == (96_000, 96_000)
    await world.proofs()
    await world.resolve(order.instruction_id, "returned")
    while await steps.step("resolve"):
        pass
    assert await told(world) == (0, 96_000)
    await world.proofs()


async def test_lines_are_of_one_fund_and_are_read_at_a_past_moment(world: World) -> None:
    await world.open_fund()
    await world.post("/funds/nowhere/budget-lines", line(1), status=404)
    await world.post(LINES, line(1))
    await world.post(LINES, line(2, "droughts"))
    page = await world.get(LINES, limit=1)
    assert [each["code"] for each in page["items"]] == ["droughts"]
    rest = await world.get(LINES, limit=1, cursor=page["next_cursor"])
    assert [each["code"] for each in rest["items"]] == ["floods"]
    missing = await world.client.get(f"{LINES}/storms")
    assert missing.status_code == 404
    await world.post(LINES, {**line(1), "ceiling_minor": -1}, status=422)


MOVES = st.lists(
    st.tuples(
        st.sampled_from(["round", "pay", "reject", "ceiling"]),
        st.sampled_from(["floods", "droughts", None]),
        st.integers(0, 4),
    ),
    min_size=1,
    max_size=8,
)


async def test_whatever_happens_no_line_is_let_over_its_ceiling_and_lines_add_up(
    world: World, steps: Steps
) -> None:
    await world.fund(100_000_000, prefund_minor=40_000_000)
    for code in ("floods", "droughts"):
        await world.post(LINES, line(300_000, code))
    loop = asyncio.get_running_loop()

    async def play(moves: list[tuple[str, str | None, int]]) -> None:
        for what, code, number in moves:
            match what:
                case "round":
                    owed = entitlements(number + 1, provider="mekong")
                    await world.registry.announce(owed, budget_line=code)
                    await steps.raise_announced()
                case "pay":
                    await steps.pay_all()
                case "reject":
                    orders = await steps.claim(size=number + 1)
                    await steps.hear([(order.instruction_id, REJECTED) for order in orders])
                case "ceiling" if code is not None:
                    used = sum(await told(world, code))
                    await world.post(LINES, line(used + number * 96_000, code))
            await steps.raise_announced()
            for each in (await world.get(LINES))["items"]:
                used_minor = each["committed_minor"] + each["spent_minor"]
                assert used_minor <= each["ceiling_minor"]
            await world.proofs()

    @given(MOVES)
    @settings(
        max_examples=8,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        derandomize=True,
    )
    def run(moves: list[tuple[str, str | None, int]]) -> None:
        asyncio.run_coroutine_threadsafe(play(moves), loop).result()

    await asyncio.to_thread(run)
    spent = {each["code"]: each["spent_minor"] for each in (await world.get(LINES))["items"]}
    assert spent["floods"]
    assert sum(spent.values()) < (await world.get(f"/funds/{FUND}"))["spent_minor"]
