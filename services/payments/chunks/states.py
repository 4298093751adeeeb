"""A chunk's life: announced by the registry, raised or refused whole, settled; set-aside rows."""

from enum import StrEnum


class ChunkStatus(StrEnum):
    ANNOUNCED = "announced"
    """To be fetched from the registry."""
    RAISED = "raised"
    """Checked; its instructions exist and some have no end yet."""
    REFUSED = "refused"
    """It is not what was announced: nothing of it is paid, unless it is announced again."""
    SETTLED = "settled"
    """Every one of its instructions has an end."""


class SetAsideReason(StrEnum):
    """Why an entitlement of a raised chunk has no instruction there."""

    UNKNOWN_PROVIDER = "unknown-provider"
    """No provider of the settings has that code."""
    OTHER_CURRENCY = "other-currency"
    """It is not in the chunk's currency, or its provider is not."""
    NO_AMOUNT = "no-amount"
    """Nothing is owed, or less than nothing."""
    ABOVE_MAXIMUM = "above-maximum"
    """More than its fund pays one household at a time."""
    ALREADY_PAID = "already-paid"
    """Another chunk's instruction paid it."""
    UNDECIDED = "undecided"
    """Another chunk's instruction has no end yet: the chunk waits for it."""
    ALREADY_FAILED = "already-failed"
    """Another chunk's instruction failed, for the same announcement or a later one."""


ANSWERED_ELSEWHERE = (
    SetAsideReason.ALREADY_PAID,
    SetAsideReason.UNDECIDED,
    SetAsideReason.ALREADY_FAILED,
)
"""Another chunk's instruction for the entitlement says how it ended."""

MOVES: frozenset[tuple[ChunkStatus, ChunkStatus]] = frozenset(
    {
        (ChunkStatus.ANNOUNCED, ChunkStatus.RAISED),
        (ChunkStatus.ANNOUNCED, ChunkStatus.REFUSED),
        (ChunkStatus.RAISED, ChunkStatus.SETTLED),
        # A correction of a payment that had its end: the registry is told anew.
        (ChunkStatus.SETTLED, ChunkStatus.RAISED),
        # The registry announced it again.
        (ChunkStatus.REFUSED, ChunkStatus.ANNOUNCED),
    }
)
"""Every legal move. What is not here does not happen."""
