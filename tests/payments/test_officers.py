"""What an officer may decide about single payments, and what not."""

from importlib import import_module
from typing import Any
from uuid import UUID

from shared.ids import new_id
from tests.payments.conftest import World, entitlements
from tests.payments.steps import REJECTED, Steps, paid

WHY = {"reason": "The officer says so."}


async def rejected(world: World, steps: Steps, *, fund_minor: int = 10_000_000) -> tuple[Any, Any]:
    await world.fund(fund_minor)
    announced = await world.registry.announce(entitlements(1))
    await steps.raise_announced()
    [order] = await steps.claim()
    await steps.hear([(order.instruction_id, REJECTED)])
    await steps.step("close")
    await world.until_chunk(announced, "settled")
    return announced, order


async def test_a_rejected_payment_is_tried_again_as_a_new_instruction(
    world: World, steps: Steps
) -> None:
    announced, order = await rejected(world, steps)
    attempt = await world.post(f"/instructions/{order.instruction_id}/attempts", WHY)
    assert attempt["id"] != str(order.instruction_id)
    assert (attempt["status"], attempt["attempt"]) == ("ready", 2)
    assert [transfer["code"] for transfer in attempt["transfers"]] == ["attempt_reserved"]
    late = await world.post(f"/instructions/{order.instruction_id}/attempts", WHY, status=409)
    assert "tried again already" in late["detail"]
    [again] = await steps.claim()
    assert str(again.instruction_id) == attempt["id"]
    await steps.hear([(again.instruction_id, paid(again.instruction_id))])
    await steps.step("close")
    events = await world.events("org.sangkroh.payments-settled.v1")
    assert [(event["paid_count"], event["failed_count"]) for event in events] == [(0, 1), (1, 0)]
    outcomes = await world.client.get(f"/chunks/{announced.chunk_id}/outcomes")
    [row] = outcomes.text.splitlines()
    assert row.split(",")[1] == "paid"
    await world.proofs()


async def test_an_attempt_is_refused_when_the_fund_is_empty(world: World, steps: Steps) -> None:
    _, order = await rejected(world, steps, fund_minor=192_000)
    await world.registry.announce(entitlements(2))
    await steps.raise_announced()
    proposed = await world.propose(f"/instructions/{order.instruction_id}/attempts", WHY)
    problem = await world.approve(proposed["id"], status=409)
    assert "does not cover" in problem["detail"]
    assert (await world.get(f"/approvals/{proposed['id']}"))["status"] == "waiting"
    await world.proofs()


async def test_a_late_success_beside_a_paid_attempt_can_only_be_returned(
    world: World, steps: Steps
) -> None:
    _, order = await rejected(world, steps)
    first = order.instruction_id
    attempt = UUID((await world.post(f"/instructions/{first}/attempts", WHY))["id"])
    await steps.claim()
    await steps.hear([(attempt, paid(attempt)), (first, paid(first))])
    refused = await world.resolve(first, "settled")
    await world.resolve(first, "returned", **WHY)
    while await steps.step("resolve"):
        pass
    [item] = (await world.get(f"/resolutions/{refused['id']}/items"))["items"]
    assert item["result"] == "refused"
    assert "a household is paid an entitlement once" in item["detail"]
    resolved = await world.get(f"/instructions/{first}")
    assert (resolved["status"], resolved["reason"]) == ("returned", "returned_by_officer")
    assert resolved["moves"][-1]["reason"] == WHY["reason"]
    assert resolved["moves"][-1]["actor"] == "officer@test, approved by checker@test"
    await world.proofs()


async def test_a_payment_that_came_back_is_recorded(world: World, steps: Steps) -> None:
    await world.fund(10_000_000)
    announced = await world.registry.announce(entitlements(1))
    await steps.raise_announced()
    [order] = await steps.claim()
    instruction_id = order.instruction_id
    await steps.hear([(instruction_id, paid(instruction_id))])
    await steps.step("close")
    await world.resolve(instruction_id, "returned")
    await steps.step("resolve")
    await steps.step("close")
    events = await world.events("org.sangkroh.payments-settled.v1")
    assert [event["failed_count"] for event in events] == [0, 1]
    outcomes = await world.client.get(f"/chunks/{announced.chunk_id}/outcomes")
    assert outcomes.text.split(",")[1] == "failed"
    mekong = (await world.get("/providers"))["items"][0]
    assert mekong["returns_payable_minor"] == 96_000
    await world.proofs()


async def test_only_a_ready_payment_of_a_released_round_is_cancelled(
    world: World, steps: Steps
) -> None:
    announced = await world.registry.announce(entitlements(2, provider="mekong"))
    await steps.raise_announced()
    page = await world.get("/instructions", chunk_id=str(announced.chunk_id))
    instruction_id, other = (item["id"] for item in page["items"])
    cancelled = {"outcome": "cancelled", **WHY}
    path = f"/instructions/{instruction_id}/resolution"
    problem = await world.post(path, cancelled, status=409)
    assert "a round that is not released cannot be cancelled" in problem["detail"]
    await world.fund(10_000_000)
    await steps.raise_announced()
    await world.post(path, cancelled)
    await steps.step("resolve")
    found = await world.get(f"/instructions/{instruction_id}")
    assert (found["status"], found["reason"]) == ("cancelled", "cancelled_by_officer")
    assert found["moves"][-1]["reason"] == WHY["reason"]
    [order] = await steps.claim()
    assert str(order.instruction_id) == other
    await world.post(f"/instructions/{other}/resolution", cancelled, status=409)
    await world.post(f"/instructions/{new_id()}/resolution", cancelled, status=404)
    await world.proofs()


async def test_who_lacks_the_scope_is_refused(world: World) -> None:
    async with world.service.client("payments:read") as reader:
        answer = await reader.post(
            f"/instructions/{new_id()}/attempts", json=WHY, headers={"Idempotency-Key": "1"}
        )
        assert answer.status_code == 403
        assert (await reader.get("/proofs")).status_code == 200
        assert (await reader.get("/funds")).status_code == 403
    async with world.service.client() as everyone:
        del everyone.headers["Authorization"]
        assert (await everyone.get("/proofs")).status_code == 401


async def test_what_officers_wrote_before_it_was_a_code_stands_in_the_history(
    world: World, steps: Steps
) -> None:
    await world.fund(10_000_000)
    await world.registry.announce(entitlements(1, provider="mekong"))
    await steps.raise_announced()
    [instruction] = (await world.get("/instructions"))["items"]
    await world.resolve(instruction["id"], "cancelled", **WHY)
    await steps.step("resolve")
    cancelled = await world.get(f"/instructions/{instruction['id']}")
    migration = import_module("services.payments.migrations.versions.0002_officers_reasons")
    # As the version before left it: by the way back, then by the way there.
    await world.owner.execute(migration.WORDS)
    before = await world.get(f"/instructions/{instruction['id']}")
    assert before["reason"] == WHY["reason"]
    await world.owner.execute(migration.CODES)
    assert await world.get(f"/instructions/{instruction['id']}") == cancelled


async def test_a_new_attempt_stays_while_the_one_before_may_have_been_paid_after_all(
    world: World, steps: Steps
) -> None:
    await world.fund(10_000_000)
    await world.registry.announce(entitlements(1, provider="mekong"))
    await steps.raise_announced()
    [order] = await steps.claim()
    first = order.instruction_id
    await steps.hear([(first, REJECTED)])
    attempt = UUID((await world.post(f"/instructions/{first}/attempts", WHY))["id"])
    # The late success comes while the new attempt has not left.
    await steps.hear([(first, paid(first))])
    assert (await world.get(f"/instructions/{first}"))["status"] == "held"
    assert await steps.claim() == []

    await world.resolve(first, "returned")
    await steps.step("resolve")
    assert [order.instruction_id for order in await steps.claim()] == [attempt]
    await world.proofs()
