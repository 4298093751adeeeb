"""The states of an entitlement, and which moves are legal."""

from collections.abc import Mapping
from enum import StrEnum


class EntitlementStatus(StrEnum):
    """Where an entitlement stands."""

    READY = "ready"
    PAID = "paid"
    FAILED = "failed"
    UNPAYABLE = "unpayable"
    EXCLUDED = "excluded"
    REFUSED = "refused"


_Status = EntitlementStatus

LEGAL_MOVES: Mapping[EntitlementStatus, frozenset[EntitlementStatus]] = {
    # Announced to payments, which says how it ends.
    _Status.READY: frozenset({_Status.PAID, _Status.FAILED, _Status.REFUSED}),
    # Money that came back after all, or arrived after all: payments settles the chunk again.
    _Status.PAID: frozenset({_Status.FAILED}),
    _Status.FAILED: frozenset({_Status.PAID}),
    # Ends from the beginning: no account, or another scheme pays.
    _Status.UNPAYABLE: frozenset(),
    _Status.EXCLUDED: frozenset(),
    # Payments refused the whole chunk: nothing of it was paid.
    _Status.REFUSED: frozenset(),
}


def moves_to(target: EntitlementStatus) -> list[EntitlementStatus]:
    """The states from which ``target`` can be reached."""
    return sorted(status for status, targets in LEGAL_MOVES.items() if target in targets)
