"""The states of a chunk, and which moves are legal."""

from collections.abc import Mapping
from enum import StrEnum


class ChunkStatus(StrEnum):
    """Where a chunk stands."""

    PLANNED = "planned"
    """Waits for a worker."""
    EMPTY = "empty"
    """Worked; nothing in it is payable, so nothing was announced."""
    ANNOUNCED = "announced"
    """Worked, and payments was told; some of its payments may have ended already."""
    SETTLING = "settling"
    """Payments has outcomes that are not applied yet."""
    SETTLED = "settled"
    """Everything announced has its end; a correction makes it settling again."""
    REFUSING = "refusing"
    """Payments refused it; its entitlements do not say so yet."""
    REFUSED = "refused"
    """Payments found that it does not match its announcement, or cannot be covered; an officer
    may announce it again."""


_Status = ChunkStatus

LEGAL_MOVES: Mapping[ChunkStatus, frozenset[ChunkStatus]] = {
    # The registry's own worker makes its entitlements, in the transaction of the move.
    _Status.PLANNED: frozenset({_Status.EMPTY, _Status.ANNOUNCED}),
    _Status.EMPTY: frozenset(),
    # Payments says how it ends; outcomes of some of it leave it waiting for the others.
    _Status.ANNOUNCED: frozenset({_Status.ANNOUNCED, _Status.SETTLING, _Status.REFUSING}),
    # Further outcomes may be announced before the first are applied, and after the last were.
    # Payments tries one of its payments once more: it waits again.
    _Status.SETTLING: frozenset({_Status.ANNOUNCED, _Status.SETTLING, _Status.SETTLED}),
    _Status.SETTLED: frozenset({_Status.ANNOUNCED, _Status.SETTLING}),
    _Status.REFUSING: frozenset({_Status.REFUSED}),
    # Announced again by an officer.
    _Status.REFUSED: frozenset({_Status.ANNOUNCED}),
}

WAITING = (ChunkStatus.PLANNED, ChunkStatus.SETTLING, ChunkStatus.REFUSING)
"""Chunks that a worker has something to do for."""


def moves_to(target: ChunkStatus) -> list[ChunkStatus]:
    """The states from which ``target`` can be reached."""
    return sorted(status for status, targets in LEGAL_MOVES.items() if target in targets)
