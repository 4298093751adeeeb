"""No one hand moves money: it comes in by two persons, and goes out by two above the bounds."""

import asyncio
from typing import Any

import pytest

from shared.clock import set_clock
from shared.ids import new_id
from tests.conftest import NOON
from tests.payments.announcing import FUND, Entitlement
from tests.payments.conftest import World, entitlements
from tests.payments.steps import REJECTED, Steps
from tests.server import eventually

WHY = {"reason": "As the council decided."}
MONEY = {"amount_minor": 1_000_000, "reference": "MEF 1182/2020"}
BOUNDED = "org.sangkroh.fund-bounded.v1"


async def decided(world: World, *ids: str) -> list[dict[str, Any]]:
    """What became of each proposal when the second person approved all in one call."""
    async with world.checker() as checker:
        answer = await checker.post(
            "/approvals/decisions",
            json={"approval_ids": ids, "decision": "approved", **WHY},
            headers={"Idempotency-Key": str(new_id())},
        )
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


async def the_round(world: World) -> Any:
    [found] = (await world.get("/rounds"))["items"]
    return found


async def test_money_comes_in_by_two_persons_and_the_ledger_names_them(world: World) -> None:
    await world.open_fund()
    deposit = await world.propose(f"/funds/{FUND}/deposits", MONEY)
    assert deposit["what"] == "Record 1,000,000 KHR as arrived for fund relief: MEF 1182/2020"
    assert (deposit["amount_minor"], deposit["currency"]) == (1_000_000, "KHR")
    prefunding = await world.propose(
        "/providers/mekong/prefundings", {"amount_minor": 400_000, "reference": "NBC 31"}
    )
    too_much = await world.propose(
        "/providers/tonle/prefundings", {"amount_minor": 600_001, "reference": "NBC 32"}
    )
    assert prefunding["what"] == "Record 400,000 KHR as paid from the treasury to mekong: NBC 31"
    assert (await world.get(f"/funds/{FUND}"))["authorised_minor"] == 0

    # In whatever order they are ticked: the prefunding needs the deposit that was proposed before.
    last, second, first = await decided(world, too_much["id"], prefunding["id"], deposit["id"])
    assert (first["decided"], second["decided"], last["decided"]) == (True, True, False)
    assert "treasury account in KHR holds less" in last["detail"]
    assert (await world.get(f"/approvals/{too_much['id']}"))["status"] == "waiting"
    assert (await world.get(f"/funds/{FUND}"))["available_minor"] == 1_000_000
    assert (await world.get("/providers/mekong"))["float_minor"] == 400_000
    posted = await world.owner.fetch(
        "SELECT transfer.code::text, transfer.reason, proposed_by, decided_by "
        "FROM payments.transfer JOIN payments.approval ON approval.id = approval_id "
        "ORDER BY transfer.id"
    )
    persons = ("officer@test", "checker@test")
    assert [tuple(row) for row in posted] == [
        ("fund_received", "MEF 1182/2020", *persons),
        ("budget_authorised", "MEF 1182/2020", *persons),
        ("provider_prefunded", "NBC 31", *persons),
    ]
    await world.proofs()


async def test_two_checkers_at_once_carry_a_deposit_out_once(world: World) -> None:
    await world.open_fund()
    deposit = await world.propose(f"/funds/{FUND}/deposits", MONEY)

    async def approves(subject: str) -> int:
        async with world.service.client(subject=subject) as checker:
            answer = await checker.post(f"/approvals/{deposit['id']}/approval", json=WHY)
        return answer.status_code

    async def both_wait() -> bool:
        return bool(
            await world.owner.fetchval("SELECT count(*) >= 2 FROM pg_locks WHERE NOT granted")
        )

    async with world.owner.transaction():
        await world.owner.execute("SELECT FROM payments.approval FOR UPDATE")
        both = [asyncio.create_task(approves(f"checker-{number}@test")) for number in (1, 2)]
        await eventually(both_wait)
    assert sorted(await asyncio.gather(*both)) == [200, 409]
    assert (await world.get(f"/funds/{FUND}"))["authorised_minor"] == 1_000_000
    await world.proofs()


async def test_a_proposal_that_expired_says_so_and_is_withdrawn_with_no_scope_at_all(
    world: World,
) -> None:
    await world.open_fund()
    path = f"/funds/{FUND}/deposits"
    first, second = [await world.propose(path, MONEY) for _ in range(2)]
    async with world.service.client("funds:write") as maker:
        withdrawn = await maker.delete(f"/approvals/{first['id']}")
    assert (withdrawn.status_code, withdrawn.json()["status"]) == (200, "declined")
    assert world.settings.clock_file is not None
    set_clock(world.settings.clock_file, NOON.replace(month=2))
    [late, gone] = await decided(world, second["id"], first["id"])
    assert "It expired at" in late["detail"]
    assert "declined by officer@test" in gone["detail"]
    assert (await world.get(f"/funds/{FUND}"))["authorised_minor"] == 0


async def test_a_fund_is_opened_with_its_bounds_and_two_persons_change_them(world: World) -> None:
    body = {"code": FUND, "name": "Relief", "currency": "KHR"}
    await world.post("/funds", body, status=422)
    narrow = {"maximum_payment_minor": 200_000, "maximum_round_minor": 100_000}
    await world.post("/funds", {**body, **narrow}, status=422)
    bounds = {"maximum_payment_minor": 200_000, "maximum_round_minor": 500_000}
    first, second = [await world.propose("/funds", {**body, **bounds}) for _ in range(2)]
    await world.get(f"/approvals/{first['id']}")
    assert (await world.get("/funds"))["items"] == []
    [opened, taken] = await decided(world, first["id"], second["id"])
    assert opened["decided"]
    assert "There is a fund relief already" in taken["detail"]

    wider = {"maximum_payment_minor": 300_000, "maximum_round_minor": 900_000, **WHY}
    widest = {"maximum_payment_minor": 10**15, "maximum_round_minor": 10**15, **WHY}
    change = await world.propose(f"/funds/{FUND}/bounds", wider)
    rival = await world.propose(f"/funds/{FUND}/bounds", widest)
    assert "300,000 KHR at most" in change["what"]
    assert "Until now that is 200,000 KHR, and 500,000 KHR." in change["what"]
    # The rival was proposed on bounds that its checker would no longer see.
    [changed, stale] = await decided(world, change["id"], rival["id"])
    assert changed["decided"]
    assert "were changed after this was proposed" in stale["detail"]
    fund = await world.get(f"/funds/{FUND}")
    assert (fund["maximum_payment_minor"], fund["maximum_round_minor"]) == (300_000, 900_000)
    told = await world.events(BOUNDED)
    assert [(each["fund"], each["currency"]) for each in told] == [(FUND, "KHR")] * 2
    assert [each["maximum_payment_minor"] for each in told] == [200_000, 300_000]
    assert [each["maximum_round_minor"] for each in told] == [500_000, 900_000]


async def test_a_round_above_its_bound_is_released_once_by_two_persons(
    world: World, steps: Steps
) -> None:
    await world.open_fund(maximum_round_minor=1_000_000)
    await world.fund(10_000_000)
    await world.registry.announce(entitlements(11, provider="mekong"))
    await steps.raise_announced()
    waiting = await the_round(world)
    assert (waiting["status"], waiting["reserved_minor"]) == ("unapproved", None)
    assert "comes to 1,056,000 KHR, and fund relief lets 1,000,000 KHR go" in waiting["reason"]
    assert await steps.step("release") == 0
    assert await steps.claim() == []
    mekong = await world.get("/providers/mekong")
    assert (mekong["waiting_for_release_count"], mekong["waiting_for_release_minor"]) == (
        11,
        1_056_000,
    )
    [listed, *_] = (await world.get("/unresolved/not_released"))["items"]
    assert listed["approval_id"] is None

    path = f"/rounds/{waiting['number']}/release"
    first, second = [await world.propose(path, WHY) for _ in range(2)]
    assert first["what"] == (
        "Release round 1 of scheme flood from fund relief: 11 payments, 96,000 KHR at most each."
    )
    assert (first["households"], first["amount_minor"]) == (11, 1_056_000)
    [listed, *_] = (await world.get("/unresolved/not_released"))["items"]
    assert listed["approval_id"] == first["id"]
    own = await world.client.post(f"/approvals/{first['id']}/approval", json=WHY)
    assert own.status_code == 409
    [released, again] = await decided(world, first["id"], second["id"])
    assert released["decided"]
    assert "The round is released" in again["detail"]
    found = await world.get(f"/rounds/{waiting['number']}")
    assert (found["status"], found["reserved_minor"]) == ("released", 1_056_000)
    assert found["reason"] is None
    reserved = await world.owner.fetchrow(
        "SELECT amount_minor, approval_id::text FROM payments.transfer "
        "WHERE code = 'round_reserved'"
    )
    assert tuple(reserved or ()) == (1_056_000, first["id"])
    assert len(await steps.claim()) == 11
    await world.proofs()
    await world.post(path, WHY, status=409)
    await world.post("/rounds/999/release", WHY, status=404)


async def test_many_small_runs_of_one_round_do_not_pass_the_bound(
    world: World, steps: Steps
) -> None:
    await world.open_fund(maximum_payment_minor=96_000, maximum_round_minor=200_000)
    await world.fund(10_000_000)
    activation_id = new_id()
    for _ in range(3):
        await world.registry.announce(entitlements(1), activation_id=activation_id)
    await world.registry.announce(entitlements(1))
    await steps.raise_announced()
    rounds = (await world.get("/rounds"))["items"]
    assert [each["status"] for each in rounds] == ["released", "released", "unapproved", "released"]
    assert "after 192,000 KHR of the same round of the activation" in rounds[2]["reason"]
    # A wider bound lets it go by itself.
    wider = {"maximum_payment_minor": 96_000, "maximum_round_minor": 288_000, **WHY}
    await world.post(f"/funds/{FUND}/bounds", wider)
    await steps.raise_announced()
    rounds = (await world.get("/rounds"))["items"]
    assert {each["status"] for each in rounds} == {"released"}
    await world.proofs()


async def test_an_overdrawn_fund_and_another_sum_leave_an_approved_release_undone(
    world: World, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps.wiring.settings, "chunk_fetches_before_refusal", 1)
    await world.open_fund(maximum_payment_minor=96_000, maximum_round_minor=100_000)
    await world.fund(400_000)
    owed = entitlements(4)
    good = await world.registry.announce_chunk(owed[:2])
    bad = await world.registry.announce_chunk(
        owed[2:],
        content=b"nonsense",
        activation_id=good.activation_id,
        enrolment_id=good.enrolment_id,
    )
    await world.registry.complete(good, owed, chunk_count=2)
    await steps.raise_announced()
    waiting = await the_round(world)
    path = f"/rounds/{waiting['number']}/release"
    smaller = await world.propose(path, WHY)
    assert smaller["amount_minor"] == 192_000
    await world.registry.announce_again(bad, content=world.registry.content_of(owed[2:]))
    await steps.raise_announced()
    assert (await the_round(world))["status"] == "unapproved"
    problem = await world.approve(smaller["id"], status=409)
    assert "comes to 384,000 KHR now; it came to 192,000 KHR" in problem["detail"]

    larger = await world.propose(path, WHY)
    await world.registry.announce(entitlements(1))
    await steps.raise_announced()
    problem = await world.approve(larger["id"], status=409)
    assert "fund relief has 304,000 KHR available" in problem["detail"]
    assert (await world.get(f"/rounds/{waiting['number']}"))["status"] == "unapproved"
    await world.fund(80_000, prefund_minor=0)
    await world.approve(larger["id"])
    assert await world.count("ready") == 5
    await world.proofs()


async def test_more_than_one_household_may_get_is_set_aside_and_tried_no_more(
    world: World, steps: Steps
) -> None:
    await world.open_fund(maximum_payment_minor=96_000)
    await world.fund(10_000_000)
    large = Entitlement(account="+85512000009", amount_minor=96_001)
    announced = await world.registry.announce([*entitlements(2, provider="mekong"), large])
    await steps.raise_announced()
    [aside] = (await world.get(f"/chunks/{announced.chunk_id}/set-aside"))["items"]
    assert (aside["entitlement_id"], aside["reason"]) == (
        str(large.entitlement_id),
        "above-maximum",
    )
    assert (await the_round(world))["status"] == "released"
    # A bound that was lowered since is not passed by trying again either.
    [first, _] = await steps.claim()
    await steps.hear([(first.instruction_id, REJECTED)])
    proposed = await world.propose(f"/instructions/{first.instruction_id}/attempts", WHY)
    [listed] = (await world.get("/unresolved/rejected"))["items"]
    assert listed["approval_id"] == proposed["id"]
    lower = {"maximum_payment_minor": 95_999, "maximum_round_minor": 1_000_000, **WHY}
    await world.post(f"/funds/{FUND}/bounds", lower)
    problem = await world.approve(proposed["id"], status=409)
    assert "pays one household 95,999 KHR at most" in problem["detail"]
    await world.proofs()


async def test_a_fund_that_is_opened_late_bounds_what_was_raised_before(
    world: World, steps: Steps
) -> None:
    await world.registry.announce(entitlements(2, provider="mekong"))
    await steps.raise_announced()
    await world.open_fund(maximum_payment_minor=95_999)
    await world.fund(10_000_000)
    await steps.raise_announced()
    waiting = await the_round(world)
    assert waiting["status"] == "unapproved"
    assert "A payment of it is 96,000 KHR" in waiting["reason"]
    # Nor do two persons release it: the bound on one household has no way around.
    path = f"/rounds/{waiting['number']}/release"
    assert "pays one household 95,999 KHR" in (await world.post(path, WHY, status=409))["detail"]
    assert await steps.step("release") == 0
    wider = {"maximum_payment_minor": 96_000, "maximum_round_minor": 1_000_000, **WHY}
    await world.post(f"/funds/{FUND}/bounds", wider)
    await steps.raise_announced()
    assert len(await steps.claim()) == 2
    await world.proofs()


async def test_a_fund_from_before_there_were_bounds_lets_nothing_go_by_itself(
    world: World, steps: Steps
) -> None:
    await world.fund(10_000_000)
    await world.owner.execute(
        "UPDATE payments.fund SET maximum_payment_minor = NULL, maximum_round_minor = NULL"
    )
    await world.registry.announce(entitlements(2, provider="mekong"))
    await steps.raise_announced()
    waiting = await the_round(world)
    assert "Nobody has set what fund relief pays" in waiting["reason"]
    await world.post(f"/rounds/{waiting['number']}/release", WHY)
    assert len(await steps.claim()) == 2
    await world.registry.announce(entitlements(2, provider="mekong"))
    await steps.raise_announced()
    assert await steps.claim() == []
    bounds = {"maximum_payment_minor": 96_000, "maximum_round_minor": 1_000_000, **WHY}
    proposed = await world.propose(f"/funds/{FUND}/bounds", bounds)
    assert "Until now every round of it waits for two persons." in proposed["what"]
    await world.approve(proposed["id"])
    await steps.raise_announced()
    assert len(await steps.claim()) == 2
    await world.proofs()
