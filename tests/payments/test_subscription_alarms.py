"""Whoever is not reached, or wants no more, is an alarm until that is over."""

from typing import Any

import asyncpg

from tests.payments.conftest import World
from tests.payments.receiver import RunningReceiver
from tests.payments.steps import Steps
from tests.payments.subscribing import (
    deliver,
    environment,
    receiver,
    subscribed,
    tell,
)

__all__ = ["environment", "receiver"]


async def alarms(world: World, steps: Steps, **filters: Any) -> list[Any]:
    """What there is after it was looked at once more."""
    await steps.step("watch")
    found: list[Any] = (await world.get("/alarms", **filters))["items"]
    return found


async def older(owner: asyncpg.Connection) -> None:
    """Have everything that was to be delivered have waited for longer than is usual."""
    await owner.execute("UPDATE payments.delivery SET made_at = made_at - interval '1 hour'")


async def test_a_receiver_that_takes_nothing_is_an_alarm_until_it_takes_something(
    world: World, steps: Steps, receiver: RunningReceiver, owner: asyncpg.Connection
) -> None:
    agreed = await subscribed(world, f"{receiver.url}/flaky/4")
    well = await subscribed(world, f"{receiver.url}/ok")
    await tell(world)
    await deliver(steps)
    assert await alarms(world, steps) == []
    await older(owner)
    for _ in range(2):
        [alarm] = await alarms(world, steps, status="open")
    assert (alarm["kind"], alarm["occurrences"]) == ("subscription_failing", 1)
    assert alarm["subscription_id"] == agreed["id"] != well["id"]
    assert (alarm["instruction_id"], alarm["provider"]) == (None, None)
    assert "it answered 500" in alarm["detail"]
    assert f"/v1/subscriptions/{agreed['id']}" in alarm["detail"]
    # Nobody clears it by hand: it ends when the receiver takes something.
    refused = await world.client.post(
        f"/alarms/{alarm['number']}/clearance", json={"reason": "Seen."}
    )
    assert refused.status_code == 409

    await owner.execute(
        "UPDATE payments.delivery SET status = 'delivered', finished_at = clock_timestamp(), "
        "next_attempt_at = NULL WHERE subscription_id = $1",
        agreed["id"],
    )
    assert await alarms(world, steps, status="open") == []
    [cleared] = await alarms(world, steps, status="cleared")
    assert cleared["cleared_by"] is None


async def test_the_alarm_ends_with_the_subscription(
    world: World, steps: Steps, receiver: RunningReceiver, owner: asyncpg.Connection
) -> None:
    agreed = await subscribed(world, f"{receiver.url}/status/500")
    await tell(world)
    await deliver(steps)
    await older(owner)
    assert len(await alarms(world, steps, status="open")) == 1
    ended = await world.client.delete(f"/subscriptions/{agreed['id']}")
    assert ended.status_code == 200
    assert await alarms(world, steps, status="open") == []


async def test_a_receiver_that_wants_no_more_is_an_alarm_until_a_person_has_looked(
    world: World, steps: Steps, receiver: RunningReceiver
) -> None:
    url = f"{receiver.url}/status/410"
    gone = [await subscribed(world, url) for _ in range(2)]
    await tell(world)
    await deliver(steps)
    found = await alarms(world, steps, status="open")
    assert {alarm["kind"] for alarm in found} == {"subscription_disabled"}
    assert {alarm["subscription_id"] for alarm in found} == {each["id"] for each in gone}
    cleared = await world.client.post(
        f"/alarms/{found[0]['number']}/clearance", json={"reason": "They know, and want none."}
    )
    assert cleared.status_code == 200
    # Who is sent to again, at the same address, needs no looking at.
    await subscribed(world, url)
    assert await alarms(world, steps, status="open") == []
