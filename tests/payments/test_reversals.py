"""A wrong deposit or prefunding is taken back by two persons, whole and once, or not at all."""

import asyncio
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.ids import new_id
from tests.payments.announcing import FUND
from tests.payments.conftest import World, entitlements
from tests.payments.steps import Steps

WRONG = {"amount_minor": 10_000_000, "reference": "MEF 1182/2020"}
WHY = "A zero too many."


async def taken_back(world: World, approval_id: str) -> dict[str, Any]:
    """The proposal to take it back."""
    body = {"approval_id": approval_id, "reason": WHY}
    proposal: dict[str, Any] = await world.propose("/reversals", body)
    return proposal


async def test_a_wrong_deposit_is_taken_back_and_both_tell_of_each_other(world: World) -> None:
    await world.open_fund()
    deposit = await world.propose(f"/funds/{FUND}/deposits", WRONG)
    await world.post("/reversals", {"approval_id": deposit["id"], "reason": WHY}, status=404)
    await world.approve(deposit["id"])
    await world.post(f"/funds/{FUND}/deposits", {"amount_minor": 1_000_000, "reference": "right"})
    first, second = [await taken_back(world, deposit["id"]) for _ in range(2)]
    assert first["what"] == (
        "Take back that 10,000,000 KHR was recorded as arrived for fund relief: MEF 1182/2020"
    )
    assert (first["amount_minor"], first["currency"]) == (10_000_000, "KHR")
    own = await world.client.post(f"/approvals/{first['id']}/approval", json={"reason": WHY})
    assert own.status_code == 409
    await world.approve(first["id"])
    problem = await world.approve(second["id"], status=409)
    assert "taken back already" in problem["detail"]
    await world.post("/reversals", {"approval_id": deposit["id"], "reason": WHY}, status=409)

    fund = await world.get(f"/funds/{FUND}")
    assert fund["authorised_minor"] == fund["available_minor"] == 1_000_000
    [original, right] = (await world.get(f"/funds/{FUND}/deposits"))["items"]
    assert (original["id"], original["reversal_id"]) == (deposit["id"], first["id"])
    assert right["reversal_id"] is None
    reversal = await world.get(f"/reversals/{first['id']}")
    assert (await world.get("/reversals"))["items"] == [reversal]
    assert (reversal["reverses"], reversal["fund"], reversal["amount_minor"]) == (
        deposit["id"],
        FUND,
        10_000_000,
    )
    assert (reversal["proposed_by"], reversal["approved_by"]) == ("officer@test", "checker@test")
    assert reversal["reason"] == WHY
    posted = await world.owner.fetch(
        "SELECT code::text, amount_minor, reason FROM payments.transfer "
        "WHERE approval_id::text = $1 ORDER BY id",
        first["id"],
    )
    assert [tuple(row) for row in posted] == [
        ("fund_received_reversed", 10_000_000, WHY),
        ("budget_authorised_reversed", 10_000_000, WHY),
    ]
    [numbers] = (await world.proofs())["reversals_undo"]
    assert numbers == {"reversals": 1, "without_original": 0, "different": 0}
    # A reversal is no deposit: it is not taken back by another.
    await world.post("/reversals", {"approval_id": first["id"], "reason": WHY}, status=404)
    await world.get(f"/reversals/{first['id']}")
    missing = await world.client.get(f"/reversals/{new_id()}")
    assert missing.status_code == 404


async def test_what_is_promised_prefunded_or_sent_is_not_taken_back(
    world: World, steps: Steps
) -> None:
    await world.open_fund()
    deposit = await world.propose(f"/funds/{FUND}/deposits", WRONG)
    await world.approve(deposit["id"])
    prefunding = await world.propose(
        "/providers/mekong/prefundings", {"amount_minor": 9_000_000, "reference": "NBC 31"}
    )
    await world.approve(prefunding["id"])
    back = await taken_back(world, deposit["id"])
    problem = await world.approve(back["id"], status=409)
    assert "treasury account in KHR holds 1,000,000 KHR" in problem["detail"]
    assert (await world.get(f"/approvals/{back['id']}"))["status"] == "waiting"

    await world.registry.announce(entitlements(1, provider="mekong"))
    await steps.raise_announced()
    problem = await world.approve(back["id"], status=409)
    assert "Fund relief has 9,904,000 KHR that is not promised or spent" in problem["detail"]
    assert len(await steps.claim()) == 1
    float_back = await taken_back(world, prefunding["id"])
    problem = await world.approve(float_back["id"], status=409)
    assert "Provider mekong has 8,904,000 KHR of our money that is free" in problem["detail"]
    assert (await world.get("/reversals"))["items"] == []
    await world.proofs()

    # With what is right beside it there is room.
    await world.fund(1_000_000, prefund_minor=0)
    await world.post(
        "/providers/mekong/prefundings", {"amount_minor": 1_000_000, "reference": "NBC 32"}
    )
    await world.approve(float_back["id"])
    await world.approve(back["id"])
    [original, _] = (await world.get("/providers/mekong/prefundings"))["items"]
    assert original["reversal_id"] == float_back["id"]
    assert (await world.get("/providers/mekong"))["float_minor"] == 904_000
    assert (await world.get(f"/funds/{FUND}"))["available_minor"] == 904_000
    await world.proofs()


async def test_the_proof_finds_a_reversal_of_another_amount(world: World) -> None:
    await world.fund(1_000, prefund_minor=0)
    [deposit] = (await world.get(f"/funds/{FUND}/deposits"))["items"]
    back = await taken_back(world, deposit["id"])
    await world.approve(back["id"])
    await world.proofs()
    await world.owner.execute(
        "UPDATE payments.transfer SET amount_minor = 999 WHERE approval_id = "
        "(SELECT id FROM payments.reversal)"
    )
    found = await world.get("/proofs")
    failed = {proof["name"] for proof in found["proofs"] if not proof["holds"]}
    assert "reversals_undo" in failed


MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("deposit"), st.integers(1, 1_000)),
        st.tuples(st.just("prefunding"), st.integers(1, 1_000)),
        st.tuples(st.just("reversal"), st.integers(0, 9)),
    ),
    max_size=12,
)


async def test_whatever_is_taken_back_no_account_is_overdrawn(world: World) -> None:
    await world.open_fund()
    loop = asyncio.get_running_loop()
    standing: dict[str, tuple[str, int]] = {}
    fund_minor = float_minor = 0

    async def play(moves: list[tuple[str, int]]) -> None:
        nonlocal fund_minor, float_minor
        for what, number in moves:
            if what == "reversal":
                if not standing:
                    continue
                chosen = sorted(standing)[number % len(standing)]
                kind, minor = standing[chosen]
                possible = (
                    float_minor >= minor
                    if kind == "prefunding"
                    else fund_minor - float_minor >= minor
                )
                back = await taken_back(world, chosen)
                await world.approve(back["id"], status=200 if possible else 409)
                if possible:
                    del standing[chosen]
                    if kind == "prefunding":
                        float_minor -= minor
                    else:
                        fund_minor -= minor
                continue
            path = f"/funds/{FUND}/deposits"
            if what == "prefunding":
                path = "/providers/mekong/prefundings"
                if fund_minor - float_minor < number:
                    continue
            proposal = await world.propose(path, {"amount_minor": number, "reference": "test"})
            await world.approve(proposal["id"])
            standing[proposal["id"]] = (what, number)
            if what == "prefunding":
                float_minor += number
            else:
                fund_minor += number
        fund = await world.get(f"/funds/{FUND}")
        assert fund["available_minor"] == fund["authorised_minor"] == fund_minor
        assert (await world.get("/providers/mekong"))["float_minor"] == float_minor
        await world.proofs()

    @given(MOVES)
    @settings(
        max_examples=10,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        derandomize=True,
    )
    def run(moves: list[tuple[str, int]]) -> None:
        asyncio.run_coroutine_threadsafe(play(moves), loop).result()

    await asyncio.to_thread(run)
