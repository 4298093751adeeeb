"""The registry is told how many payments have ended while others are open."""

import asyncio

from tests.payments.conftest import World, entitlements
from tests.payments.steps import REJECTED, Steps, paid, running_steps

COUNTED = "org.sangkroh.payments-counted.v1"


async def test_what_ended_is_told_by_sets_and_not_by_payment(world: World, steps: Steps) -> None:
    await world.fund(10_000_000)
    announced = await world.registry.announce(entitlements(6, provider="mekong"))
    await steps.raise_announced()
    orders = await steps.claim()
    # Nothing has ended yet: raised and sent are counted, and not told.
    assert await steps.step("count") == 0
    assert await world.events(COUNTED) == []
    for order in orders[:3]:
        await steps.hear([(order.instruction_id, paid(order.instruction_id))])
    await steps.hear([(orders[3].instruction_id, REJECTED)])
    assert await steps.step("count") == 1
    [told] = await world.events(COUNTED)
    counted_at = told.pop("counted_at")
    assert told == {
        "chunk_id": str(announced.chunk_id),
        "activation_id": str(announced.activation_id),
        "scheme": "flood",
        "round": 1,
        "open_count": 2,
        "paid_count": 3,
        "paid_minor": 3 * 96_000,
        "failed_count": 1,
        "failed_minor": 96_000,
    }
    assert await steps.step("count") == 0
    await steps.hear([(orders[4].instruction_id, paid(orders[4].instruction_id))])
    await steps.step("count")
    later = (await world.events(COUNTED))[1]
    assert later["counted_at"] > counted_at
    assert (later["open_count"], later["paid_count"]) == (1, 4)
    # The end of all is told as ever, with what came of each.
    await steps.hear([(orders[5].instruction_id, paid(orders[5].instruction_id))])
    await steps.close_all()
    await steps.step("count")
    assert len(await world.events(COUNTED)) == 2
    [settled] = await world.events("org.sangkroh.payments-settled.v1")
    assert (settled["paid_count"], settled["failed_count"]) == (5, 1)


async def test_what_is_tried_again_has_not_failed(world: World, steps: Steps) -> None:
    await world.fund(10_000_000)
    await world.registry.announce(entitlements(2, provider="mekong"))
    await steps.raise_announced()
    first, second = await steps.claim()
    await steps.hear([(first.instruction_id, REJECTED)])
    await steps.step("count")
    await world.post(f"/instructions/{first.instruction_id}/attempts", {"reason": "Once more."})
    await steps.pay_all()
    await steps.step("count")
    told = [
        (event["open_count"], event["paid_count"], event["failed_count"], event["failed_minor"])
        for event in await world.events(COUNTED)
    ]
    assert told == [(1, 0, 1, 96_000), (1, 1, 0, 0)]
    await steps.hear([(second.instruction_id, paid(second.instruction_id))])
    await world.proofs()


async def test_several_workers_tell_each_change_once(world: World, steps: Steps) -> None:
    await world.fund(10_000_000)
    await world.registry.announce(entitlements(3, provider="mekong"))
    await steps.raise_announced()
    [order, *_] = await steps.claim()
    await steps.hear([(order.instruction_id, paid(order.instruction_id))])
    async with running_steps(world.settings) as others:
        await asyncio.gather(*(each.step("count") for each in (steps, others, steps, others)))
    assert len(await world.events(COUNTED)) == 1
    await world.proofs()
