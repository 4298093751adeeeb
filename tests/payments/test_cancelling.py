"""A cancelled activation: nothing of it is sent any more, and it is said how much had been."""

from datetime import date
from uuid import UUID

from shared.contracts.events import ActivationCancelled
from shared.ids import new_id
from tests.payments.announcing import FUND, Announced
from tests.payments.conftest import StartSandbox, World, entitlements
from tests.payments.steps import SILENCE, Steps, paid

ON = date(2026, 1, 6)
WHY = "Its activation was cancelled on 2026-01-06: nothing of it is sent any more."
REFUSED = "org.sangkroh.chunk-refused.v1"


async def cancel(world: World, steps: Steps, activation_id: UUID) -> None:
    await world.registry.publish(ActivationCancelled(activation_id=activation_id, cancelled_on=ON))
    await steps.raise_announced()
    while await steps.step("cancel"):
        pass


async def test_what_is_ready_is_cancelled_and_its_money_is_free_again(
    world: World, steps: Steps
) -> None:
    await world.fund(10_000_000)
    other = await world.registry.announce(entitlements(1, provider="mekong"))
    announced = await world.registry.announce(entitlements(5, provider="mekong"))
    await steps.raise_announced()
    orders = await steps.claim(size=3)
    sent = [
        order
        for order in orders
        if (await world.get(f"/instructions/{order.instruction_id}"))["chunk_id"]
        == str(announced.chunk_id)
    ]
    await cancel(world, steps, announced.activation_id)
    stands = await world.get(f"/activations/{announced.activation_id}")
    assert stands["cancelled_on"] == "2026-01-06"
    assert (stands["sent_count"], stands["sent_minor"]) == (len(sent), len(sent) * 96_000)
    assert stands["cancelled_count"] == 5 - len(sent) > 0
    assert stands["cancelled_minor"] == (5 - len(sent)) * 96_000
    assert stands["waiting_count"] == 0
    # What had been sent is followed to its end; what belongs to another activation goes on.
    await steps.hear([(order.instruction_id, paid(order.instruction_id)) for order in orders])
    await steps.pay_all()
    await steps.close_all()
    assert (await world.chunk(other))["status"] == "settled"
    ends = list((await world.outcomes(announced)).values())
    assert ends.count(("paid", "")) == len(sent)
    assert ends.count(("failed", "activation_cancelled")) == 5 - len(sent)
    fund = await world.get(f"/funds/{FUND}")
    assert fund["committed_minor"] == 0
    assert fund["available_minor"] == 10_000_000 - (len(sent) + 1) * 96_000
    await world.proofs()


async def test_nothing_is_claimed_from_the_moment_that_it_is_heard(
    world: World, steps: Steps
) -> None:
    await world.fund(10_000_000)
    announced = await world.registry.announce(entitlements(3, provider="mekong"))
    await steps.raise_announced()
    await world.registry.publish(
        ActivationCancelled(activation_id=announced.activation_id, cancelled_on=ON)
    )
    await steps.raise_announced()
    assert await steps.claim() == []


async def test_what_is_unknown_is_asked_about_and_not_sent_again(
    world: World, steps: Steps, start_sandbox: StartSandbox
) -> None:
    sandbox = start_sandbox()
    await world.fund(10_000_000)
    announced = await world.registry.announce(entitlements(1, provider="mekong"))
    await steps.raise_announced()
    # Claimed, and never sent: the provider does not know it.
    [order] = await steps.claim()
    await steps.hear([(order.instruction_id, SILENCE)])
    await cancel(world, steps, announced.activation_id)
    for _ in range(3):
        await world.owner.execute(
            "UPDATE payments.instruction SET next_action_at = clock_timestamp(), "
            "sent_at = sent_at - interval '1 hour'"
        )
        assert await steps.step("inquire-mekong") == 1
    assert (await world.get(f"/instructions/{order.instruction_id}"))["status"] == "unknown"
    assert sandbox.book() == {}
    # Persons see it at once, and not when it has become old.
    kinds = (await world.get("/unresolved"))["kinds"]
    assert {kind["kind"]: kind["sorts"][0]["reason"] for kind in kinds if kind["count"]} == {
        "not_known_to_provider": "activation_cancelled"
    }


async def test_a_round_for_which_nothing_was_reserved_is_refused_and_its_payments_end(
    world: World, steps: Steps
) -> None:
    announced = await world.registry.announce(entitlements(3))
    await steps.raise_announced()
    assert (await world.get("/rounds"))["items"][0]["status"] == "unfunded"
    await cancel(world, steps, announced.activation_id)
    [refused] = (await world.get("/rounds"))["items"]
    assert (refused["status"], refused["reason"]) == ("refused", WHY)
    await steps.close_all()
    assert set((await world.outcomes(announced)).values()) == {("failed", "activation_cancelled")}
    assert (await world.get(f"/activations/{announced.activation_id}"))["sent_count"] == 0
    # Money that comes in does not wake it.
    await world.fund(10_000_000)
    await steps.raise_announced()
    assert (await world.get(f"/funds/{FUND}"))["committed_minor"] == 0
    await world.proofs()


async def refused_with_its_reason(world: World, announced: Announced) -> None:
    chunk = await world.chunk(announced)
    assert (chunk["status"], chunk["reason"]) == ("refused", WHY)
    refusals = {event["chunk_id"]: event["reason"] for event in await world.events(REFUSED)}
    assert refusals[str(announced.chunk_id)] == WHY
    assert await world.count("ready") == 0


async def test_a_chunk_that_was_not_fetched_is_refused(world: World, steps: Steps) -> None:
    world.registry.status = 503
    announced = await world.registry.announce(entitlements(3))
    await steps.raise_announced()
    await cancel(world, steps, announced.activation_id)
    await refused_with_its_reason(world, announced)


async def test_a_chunk_that_is_announced_later_is_refused(world: World, steps: Steps) -> None:
    await world.fund(10_000_000)
    activation_id = new_id()
    await cancel(world, steps, activation_id)
    stands = await world.get(f"/activations/{activation_id}")
    assert (stands["cancelled_on"], stands["announced_count"]) == ("2026-01-06", 0)
    announced = await world.registry.announce(entitlements(3), activation_id=activation_id)
    await steps.raise_announced()
    while await steps.step("cancel"):
        pass
    await refused_with_its_reason(world, announced)
    assert world.registry.fetches == 0
    # Announced again, it is refused again.
    await world.registry.announce_again(announced)
    await steps.raise_announced()
    while await steps.step("cancel"):
        pass
    await refused_with_its_reason(world, announced)
    assert len(await world.events(REFUSED)) == 2
    await world.proofs()


async def test_an_activation_that_nobody_spoke_of_is_not_found(world: World) -> None:
    assert (await world.client.get(f"/activations/{new_id()}")).status_code == 404
