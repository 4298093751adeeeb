"""The states of an entitlement and of its announcements, and which moves are legal."""

from collections.abc import Mapping
from enum import StrEnum


class EntitlementStatus(StrEnum):
    """Where an entitlement stands, or one of its announcements."""

    READY = "ready"
    PAID = "paid"
    FAILED = "failed"
    UNPAYABLE = "unpayable"
    EXCLUDED = "excluded"
    REFUSED = "refused"


_Status = EntitlementStatus
Moves = Mapping[EntitlementStatus, frozenset[EntitlementStatus]]

ANNOUNCEMENT_MOVES: Moves = {
    # Payments says how it ends, or sets it aside, or refuses its whole chunk.
    _Status.READY: frozenset({_Status.PAID, _Status.FAILED, _Status.UNPAYABLE, _Status.REFUSED}),
    # Money that came back after all, or arrived after all: payments settles the chunk again.
    _Status.PAID: frozenset({_Status.FAILED}),
    _Status.FAILED: frozenset({_Status.PAID, _Status.UNPAYABLE}),
    _Status.UNPAYABLE: frozenset({_Status.PAID, _Status.FAILED}),
    # An officer has the chunk announced again.
    _Status.REFUSED: frozenset({_Status.READY}),
}

LEGAL_MOVES: Moves = {
    # An entitlement is as its latest announcement, unless an earlier one is paid.
    _Status.READY: ANNOUNCEMENT_MOVES[_Status.READY],
    _Status.PAID: frozenset({_Status.FAILED, _Status.UNPAYABLE, _Status.REFUSED}),
    # What is not paid, and not on its way, can be announced again by a repair.
    _Status.FAILED: frozenset({_Status.PAID, _Status.UNPAYABLE, _Status.READY}),
    _Status.UNPAYABLE: frozenset({_Status.PAID, _Status.FAILED, _Status.READY}),
    _Status.REFUSED: frozenset({_Status.PAID, _Status.READY}),
    # Another scheme pays. Whom an officer kept out, two persons admit again.
    _Status.EXCLUDED: frozenset({_Status.UNPAYABLE}),
}


def moves_to(target: EntitlementStatus) -> list[EntitlementStatus]:
    """The states from which an entitlement can reach ``target``."""
    return sorted(status for status, targets in LEGAL_MOVES.items() if target in targets)


def side_by_side(moves: Moves) -> tuple[list[EntitlementStatus], list[EntitlementStatus]]:
    """Legal moves for SQL: from which states, and to which."""
    pairs = [(status, to) for status, targets in moves.items() for to in sorted(targets)]
    return [status for status, _ in pairs], [to for _, to in pairs]
