"""What a line of a list comes to, and what becomes of results that were uploaded."""

from enum import StrEnum


class LineOutcome(StrEnum):
    PAID = "paid"
    NOT_PAID = "not-paid"
    """Definite: it is not to be paid from this list any more. Who did not come yet has no
    outcome."""
    UNCLAIMED = "unclaimed"
    """Nobody said anything of it until its money went back."""


class UploadStatus(StrEnum):
    WAITING = "waiting"
    """For the second person, as long as its proposal does not expire."""
    APPROVED = "approved"
    DECLINED = "declined"
    NOTHING_NEW = "nothing-new"
    """It says nothing that was not said before: nobody has to decide."""
