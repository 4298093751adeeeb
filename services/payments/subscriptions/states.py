"""How a subscription stands, and how what is sent to it is signed."""

from enum import StrEnum


class SubscriptionStatus(StrEnum):
    ACTIVE = "active"
    DISABLED = "disabled"
    """The receiver answered 410: it wants no more. For more, it is proposed anew."""
    ENDED = "ended"
    """Somebody ended it."""


class Signing(StrEnum):
    """A way of Standard Webhooks 1.0."""

    HMAC_SHA256 = "hmac-sha256"
    """``v1``: by a secret that both sides know."""
    ED25519 = "ed25519"
    """``v1a``: by a key that stays here; whoever has the public one can verify."""
