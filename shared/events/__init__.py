"""The event log: facts that other services need, appended in the transaction that made them."""

from shared.events.consumer import Consumer, Handler
from shared.events.log import Event, StoredEvent, publish, publish_all

__all__ = ["Consumer", "Event", "Handler", "StoredEvent", "publish", "publish_all"]
