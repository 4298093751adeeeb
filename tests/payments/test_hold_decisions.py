"""What a rule holds is let go or cancelled by two persons, one by one or all at once."""

from typing import Any

from shared.ids import new_id
from tests.payments.announcing import Entitlement
from tests.payments.batch_provider import provider
from tests.payments.conftest import World
from tests.payments.holding import ACCOUNT, CAP, after_an_hour, forget_sending, held, released, rule
from tests.payments.scripted import Script, script
from tests.payments.steps import Steps

__all__ = ["provider", "script"]


async def carried_out(steps: Steps) -> None:
    while await steps.step("resolve"):
        pass


async def decide(world: World, steps: Steps, decision: str, **about: Any) -> Any:
    """The proposal, once it is approved and carried out."""
    body = {"decision": decision, "reason": "Looked at in the village.", **about}
    proposal = await world.propose("/holds/decisions", body)
    await world.approve(proposal["id"])
    await carried_out(steps)
    return proposal


async def test_all_that_a_rule_holds_is_let_go_at_once_by_two_persons(
    world: World, steps: Steps
) -> None:
    await world.fund(20_000_000)
    await rule(world, **ACCOUNT, **CAP)
    await released(
        world,
        steps,
        *(Entitlement("+85512000001") for _ in range(3)),
        Entitlement("+85512000002", amount_minor=300_000),
        Entitlement("+85512000001", amount_minor=300_000),
    )
    assert await steps.claim() == []
    body = {
        "decision": "release",
        "reason": "Looked at in the village.",
        "chosen": {"rule": "same_account", "scheme": "flood", "provider": "mekong"},
    }
    proposal = await world.propose("/holds/decisions", body)
    assert proposal["what"] == (
        "Let 4 ready payments be sent after all, at mekong. Rules hold them: same_account 4, "
        "above_cap 1."
    )
    assert (proposal["households"], proposal["amount_minor"]) == (4, 588_000)
    holds = (await world.get("/holds"))["items"]
    assert {hold["approval_id"] for hold in holds if hold["rule"] == "same_account"} == {
        proposal["id"]
    }
    # One person lets nothing go.
    await carried_out(steps)
    assert await steps.claim() == []
    await world.approve(proposal["id"])
    # Until it is carried out nobody is to decide once more.
    assert {
        hold["approval_id"] for hold in (await world.get("/holds", rule="same_account"))["items"]
    } == {proposal["id"]}
    await carried_out(steps)
    assert [by for _, by in await held(world)] == ["above_cap"]
    assert len(await steps.pay_all()) == 4
    resolution = await world.get(f"/resolutions/{proposal['id']}")
    assert (resolution["outcome"], resolution["done_count"]) == ("released", 4)
    ended = [hold for hold in (await world.get("/holds", ended=True))["items"] if hold["ended_at"]]
    assert {hold["resolution_id"] for hold in ended} == {proposal["id"]}
    assert len(ended) == 5
    await world.proofs()


async def test_what_is_cancelled_is_not_sent_and_its_money_is_free_again(
    world: World, steps: Steps
) -> None:
    await world.fund(20_000_000)
    await rule(world, **ACCOUNT)
    announced = await released(
        world, steps, *(Entitlement("+85512000001") for _ in range(2)), Entitlement("+85512000002")
    )
    chosen = {"activation_id": str(announced.activation_id)}
    proposal = await decide(world, steps, "cancel", chosen=chosen)
    assert proposal["what"] == (
        "Cancel 2 ready payments, at mekong. Rules hold them: same_account 2."
    )
    assert await held(world) == []
    assert (await world.get("/holds", ended=True))["items"][0]["status"] == "cancelled"
    assert await world.count("cancelled") == 2
    assert len(await steps.pay_all()) == 1
    await steps.close_all()
    assert (await world.chunk(announced))["status"] == "settled"
    assert (await world.get("/funds/relief"))["committed_minor"] == 0
    await world.proofs()


async def test_a_list_of_held_payments_is_decided_on(world: World, steps: Steps) -> None:
    await world.fund(20_000_000)
    await rule(world, **ACCOUNT)
    await released(
        world, steps, *(Entitlement("+85512000001") for _ in range(2)), Entitlement("+85512000002")
    )
    (first, _), (second, _) = await held(world)
    await decide(world, steps, "release", instruction_ids=[first])
    await decide(world, steps, "cancel", instruction_ids=[second])
    assert (await world.get(f"/instructions/{second}"))["status"] == "cancelled"
    assert await held(world) == []
    [free] = [
        item["id"]
        for item in (await world.get("/instructions"))["items"]
        if item["id"] not in (first, second)
    ]
    for decision in ("release", "cancel"):
        for ids, status in (([free], 409), ([str(new_id())], 404), ([], 422)):
            body: dict[str, Any] = {"decision": decision, "reason": "Looked at."}
            body["instruction_ids"] = ids
            await world.post("/holds/decisions", body, status=status)
    for chosen in ({}, {"rule": "above_cap"}):
        body = {"decision": "release", "reason": "Looked at.", "chosen": chosen}
        await world.post("/holds/decisions", body, status=422 if not chosen else 409)
    assert len(await steps.claim()) == 2


async def test_a_decision_is_carried_out_once_and_finds_what_has_changed(
    world: World, steps: Steps
) -> None:
    await world.fund(20_000_000)
    await rule(world, **ACCOUNT)
    announced = await released(world, steps, *(Entitlement("+85512000001") for _ in range(3)))
    (first, _), *_ = await held(world)
    chosen = {"rule": "same_account"}
    body = {"decision": "release", "reason": "Looked at.", "chosen": chosen}
    answers = [
        await world.client.post("/holds/decisions", json=body, headers={"Idempotency-Key": "one"})
        for _ in range(2)
    ]
    assert answers[0].json() == answers[1].json()
    both = await world.propose("/holds/decisions", body)
    await decide(world, steps, "cancel", instruction_ids=[first])
    await world.approve(answers[0].json()["id"])
    await carried_out(steps)
    await world.approve(both["id"])
    await carried_out(steps)
    once = await world.get(f"/resolutions/{answers[0].json()['id']}")
    twice = await world.get(f"/resolutions/{both['id']}")
    assert (once["done_count"], once["overtaken_count"]) == (2, 1)
    assert (twice["done_count"], twice["overtaken_count"]) == (0, 3)
    [overtaken] = (await world.get(f"/resolutions/{once['id']}/items", result="overtaken"))["items"]
    assert overtaken["detail"].startswith("It is cancelled now")
    assert len(await steps.pay_all()) == 2
    await steps.close_all()
    assert (await world.chunk(announced))["status"] == "settled"
    await world.proofs()


async def test_what_is_let_go_and_may_have_been_sent_is_sent_again(
    script: Script, world: World, steps: Steps
) -> None:
    await world.fund(20_000_000)
    await rule(world, **ACCOUNT)
    await released(world, steps, *(Entitlement("+85512000001") for _ in range(2)))
    await forget_sending(world, steps)
    await decide(world, steps, "release", chosen={"scheme": "flood"})
    await after_an_hour(world)
    await world.owner.execute("UPDATE events.epoch SET begun_at = begun_at - interval '1 hour'")
    await steps.step("inquire-mekong")
    # A further attempt at each may have been lost as well, and is asked about first.
    assert script.sent == []
    assert await steps.step("ask-further") == 2
    await steps.step("inquire-mekong")
    assert len(script.sent) == 2
