"""The event log: facts that other services need, appended in the transaction that made them."""

from shared.events.consumer import Consumer, Handler, Handlers
from shared.events.log import Event, Published, StoredEvent, append, append_on, publish, publish_all

__all__ = [
    "Consumer",
    "Event",
    "Handler",
    "Handlers",
    "Published",
    "StoredEvent",
    "append",
    "append_on",
    "publish",
    "publish_all",
]
