"""The states of an activation and its legal moves."""

from enum import StrEnum


class State(StrEnum):
    """Where an activation stands. Proposed and open ones are live: one for each trigger at most."""

    PROPOSED = "proposed"
    OPEN = "open"
    DECLINED = "declined"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


LEGAL_MOVES: dict[State, frozenset[State]] = {
    State.PROPOSED: frozenset({State.OPEN, State.DECLINED, State.EXPIRED, State.CLOSED}),
    # Closing ends the widening; what was opened is still paid.
    State.OPEN: frozenset({State.CLOSED, State.CANCELLED}),
    State.DECLINED: frozenset(),
    # Nobody decided in time, which is no no: the same evidence may be proposed again.
    State.EXPIRED: frozenset(),
    # What is left of it to be paid, later rounds for instance, is not.
    State.CLOSED: frozenset({State.CANCELLED}),
    State.CANCELLED: frozenset(),
}

LIVE = (State.PROPOSED, State.OPEN)


class Origin(StrEnum):
    """Who began it."""

    EVIDENCE = "evidence"
    DECLARED = "declared"
