"""A callback's life: stored as it came, then taken, or kept with the reason why it is not."""

from enum import StrEnum


class WebhookStatus(StrEnum):
    RECEIVED = "received"
    APPLIED = "applied"
    """What it says is stored among the answers, and applied as they are."""
    UNMATCHED = "unmatched"
    """Speaks of an instruction that is not here (yet); matched again later."""
    BLOCKED = "blocked"
    """It cannot be read now, and the reason says why; tried again later."""
    MALFORMED = "malformed"
    """Signed by the provider and not a callback that we understand."""


MOVES: frozenset[tuple[WebhookStatus, WebhookStatus]] = frozenset(
    {
        (WebhookStatus.RECEIVED, WebhookStatus.APPLIED),
        (WebhookStatus.RECEIVED, WebhookStatus.UNMATCHED),
        (WebhookStatus.RECEIVED, WebhookStatus.BLOCKED),
        (WebhookStatus.RECEIVED, WebhookStatus.MALFORMED),
        (WebhookStatus.UNMATCHED, WebhookStatus.RECEIVED),
        (WebhookStatus.BLOCKED, WebhookStatus.RECEIVED),
    }
)
"""Every legal move. What is not here does not happen."""
