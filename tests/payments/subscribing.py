"""What tests of subscriptions have in common: a quick sender, a receiver, and events to tell."""

from collections.abc import Iterator
from typing import Any

import pytest

from shared.contracts import events
from shared.contracts.catalogue import EXAMPLES
from shared.database import Database
from shared.events import Event, Published, append
from tests.hearing import hear
from tests.payments.conftest import World
from tests.payments.receiver import RunningReceiver, receiving
from tests.payments.steps import Steps

OPENED = events.ActivationOpened
REASON = "Agreed in the protocol of March."

QUICK = {
    "PAYMENTS_SUBSCRIBERS_ON_LOOPBACK": "true",
    "PAYMENTS_DELIVERY_TIMEOUT_SECONDS": "1",
    "PAYMENTS_DELIVERY_RETRY_SECONDS": "[0.05, 0.05, 0.05]",
    "PAYMENTS_DELIVERY_PAUSE_SECONDS": "0.05",
    "PAYMENTS_DELIVERY_PAUSE_LONGEST_SECONDS": "0.1",
}


@pytest.fixture
def environment(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    for name, value in QUICK.items():
        monkeypatch.setenv(name, value)
    return {**environment, **QUICK}


@pytest.fixture
def receiver() -> Iterator[RunningReceiver]:
    with receiving() as running:
        yield running


def subscription(url: str, **changes: Any) -> dict[str, Any]:
    """A subscription to activations that open, as it is proposed."""
    return {
        "name": "Ministry",
        "url": url,
        "types": [OPENED.type],
        "reason": REASON,
        **changes,
    }


async def subscribed(world: World, url: str, **changes: Any) -> Any:
    """A subscription that two persons agreed on."""
    return await world.post("/subscriptions", subscription(url, **changes))


async def key_of(world: World, subscribed_to: Any) -> Any:
    """The newest key of a subscription, as whoever made it sees it."""
    page = await world.get(f"/subscriptions/{subscribed_to['id']}/keys")
    return page["items"][-1]


async def tell(
    world: World, *facts: Published, again: int = 1, **changes: Any
) -> list[dict[str, Any]]:
    """Tell facts, by default one activation, so often; the ids and types of the events."""
    database: Database = world.service.app.state.database
    told = facts or (OPENED.model_validate({**EXAMPLES[OPENED], **changes}),)
    written: list[Event] = [
        fact.to_event(clock=world.service.app.state.clock) for _ in range(again) for fact in told
    ]
    async with database.transaction() as session:
        await append(session, written)
    return [{"id": str(event.id), "type": event.type} for event in written]


async def fan_out(steps: Steps) -> None:
    """Have deliveries be made of everything that was told."""
    await hear(steps.worker, "payments", loop="events-to-subscribers", consumer="subscriptions")


async def deliver(steps: Steps) -> None:
    """Make deliveries of everything that was told, and send what is due, once."""
    await fan_out(steps)
    while await steps.step("deliver"):
        pass


async def deliveries(world: World, **only: Any) -> list[dict[str, Any]]:
    page = await world.get("/deliveries", limit=500, **only)
    items: list[dict[str, Any]] = page["items"]
    return items
