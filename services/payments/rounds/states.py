"""A round's life: gathered, then decided on as a whole."""

from enum import StrEnum


class RoundStatus(StrEnum):
    GATHERING = "gathering"
    """Chunks are still arriving, or the registry has not yet said that these are all."""
    RELEASED = "released"
    """The whole of it is reserved in the fund: its instructions may be sent."""
    UNFUNDED = "unfunded"
    """The fund does not cover the whole of it: nothing is sent until it does."""
    UNAPPROVED = "unapproved"
    """It is above what its fund lets go by itself: nothing is sent until two persons release it."""
    REFUSED = "refused"
    """What was announced does not add up: nothing is sent."""


WAITING = (RoundStatus.GATHERING, RoundStatus.UNFUNDED, RoundStatus.UNAPPROVED)
"""Not decided on for good."""

MOVES: frozenset[tuple[RoundStatus, RoundStatus]] = frozenset(
    {
        (RoundStatus.GATHERING, RoundStatus.RELEASED),
        (RoundStatus.GATHERING, RoundStatus.UNFUNDED),
        (RoundStatus.GATHERING, RoundStatus.REFUSED),
        (RoundStatus.UNFUNDED, RoundStatus.RELEASED),
        # Another round took the money that had come in: it waits on, for another reason.
        (RoundStatus.UNFUNDED, RoundStatus.UNFUNDED),
        # A chunk that was refused is announced again: it is summed up anew.
        (RoundStatus.UNFUNDED, RoundStatus.GATHERING),
        # A chunk that was announced meanwhile: the sum is no longer what was said.
        (RoundStatus.UNFUNDED, RoundStatus.REFUSED),
        (RoundStatus.GATHERING, RoundStatus.UNAPPROVED),
        (RoundStatus.UNFUNDED, RoundStatus.UNAPPROVED),
        # By two persons, or by itself where its fund's bounds were raised meanwhile.
        (RoundStatus.UNAPPROVED, RoundStatus.RELEASED),
        # Another round took what its fund had, or came before it within the bounds.
        (RoundStatus.UNAPPROVED, RoundStatus.UNFUNDED),
        (RoundStatus.UNAPPROVED, RoundStatus.UNAPPROVED),
        (RoundStatus.UNAPPROVED, RoundStatus.GATHERING),
        (RoundStatus.UNAPPROVED, RoundStatus.REFUSED),
    }
)
"""Every legal move. What is not here does not happen."""
