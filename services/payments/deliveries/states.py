"""A delivery's life: one event on its way to one subscriber."""

from enum import StrEnum


class DeliveryStatus(StrEnum):
    WAITING = "waiting"
    """To be sent, or sent again."""
    DELIVERED = "delivered"
    """The receiver answered 2xx."""
    FAILED = "failed"
    """It was tried as often as it is; a replay tries it again."""
    STOPPED = "stopped"
    """Its subscription came to an end before it was delivered."""
