"""A batch's life: many payments that leave in one request, and end line by line."""

from enum import StrEnum


class BatchStatus(StrEnum):
    WAITING = "waiting"
    """Made of a part of a refused batch, and not sent yet."""
    SENDING = "sending"
    """Committed, with its lines, as about to be sent: from here on the provider may have it."""
    UNKNOWN = "unknown"
    """No answer is not "no": left only by asking the provider."""
    CREATED = "created"
    """The provider has it and pays nothing of it until we approve it."""
    APPROVING = "approving"
    """Committed as about to be approved: from here on the provider may pay."""
    UNDER_WAY = "under_way"
    """The provider pays it, or has paid it: its results are read as they come."""
    READ = "read"
    """Every result that the provider has was read; what has none is waited for once more."""
    CLOSED = "closed"
    """Each line has an end, or is a payment of which nobody knows what became of it."""
    REFUSED = "refused"
    """The provider refused it whole and pays nothing of it: its lines left it."""
    UNSENT = "unsent"
    """Nothing of it ever left: its lines left it."""


OPEN = (
    BatchStatus.WAITING,
    BatchStatus.SENDING,
    BatchStatus.UNKNOWN,
    BatchStatus.CREATED,
    BatchStatus.APPROVING,
    BatchStatus.UNDER_WAY,
    BatchStatus.READ,
)
"""Something is still to be done about it."""

MOVES: frozenset[tuple[BatchStatus, BatchStatus]] = frozenset(
    {
        *(
            (before, after)
            # What was sent again may be answered by any of these as well.
            for before in (BatchStatus.SENDING, BatchStatus.UNKNOWN)
            for after in (BatchStatus.CREATED, BatchStatus.UNDER_WAY, BatchStatus.REFUSED)
        ),
        (BatchStatus.WAITING, BatchStatus.SENDING),
        # Each of its lines has an end meanwhile.
        (BatchStatus.WAITING, BatchStatus.CLOSED),
        (BatchStatus.SENDING, BatchStatus.UNKNOWN),
        # By whoever claimed it and knows that nothing of it ever left, and by nobody else.
        (BatchStatus.SENDING, BatchStatus.UNSENT),
        # Not known to a provider that recognises repeats: sent again, the same, with the same id.
        (BatchStatus.UNKNOWN, BatchStatus.SENDING),
        # Not known for good to one that does not: its lines are unknown each by itself.
        (BatchStatus.UNKNOWN, BatchStatus.CLOSED),
        (BatchStatus.CREATED, BatchStatus.APPROVING),
        (BatchStatus.CREATED, BatchStatus.REFUSED),
        (BatchStatus.APPROVING, BatchStatus.UNDER_WAY),
        (BatchStatus.APPROVING, BatchStatus.REFUSED),
        (BatchStatus.APPROVING, BatchStatus.CLOSED),
        (BatchStatus.UNDER_WAY, BatchStatus.READ),
        (BatchStatus.READ, BatchStatus.UNDER_WAY),
        (BatchStatus.UNDER_WAY, BatchStatus.CLOSED),
        (BatchStatus.READ, BatchStatus.CLOSED),
    }
)
"""Every legal move. What is not here does not happen."""
