"""A chunk's life: announced by the registry, raised whole or refused whole, settled."""

from enum import StrEnum


class ChunkStatus(StrEnum):
    ANNOUNCED = "announced"
    """To be fetched from the registry."""
    RAISED = "raised"
    """Checked; its instructions exist and some have no end yet."""
    REFUSED = "refused"
    """It is not what was announced: nothing of it is paid."""
    SETTLED = "settled"
    """Every one of its instructions has an end."""


MOVES: frozenset[tuple[ChunkStatus, ChunkStatus]] = frozenset(
    {
        (ChunkStatus.ANNOUNCED, ChunkStatus.RAISED),
        (ChunkStatus.ANNOUNCED, ChunkStatus.REFUSED),
        (ChunkStatus.RAISED, ChunkStatus.SETTLED),
        # A correction of a payment that had its end: the registry is told anew.
        (ChunkStatus.SETTLED, ChunkStatus.RAISED),
    }
)
"""Every legal move. What is not here does not happen."""
