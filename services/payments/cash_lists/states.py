"""How a list stands."""

from enum import StrEnum


class CashListState(StrEnum):
    OPEN = "open"
    """Its households may fetch their money, and some lines have no result."""
    OVERDUE = "overdue"
    """The last day has passed, and some lines have no result."""
    DONE = "done"
    """Each line has a result."""


class NotPaidReason(StrEnum):
    """Why a line is not to be paid from its list any more."""

    REFUSED = "refused"
    DECEASED = "deceased"
    MOVED_AWAY = "moved-away"
    NOT_THE_PERSON = "not-the-person"
    NO_DOCUMENT = "no-document"
    OTHER = "other"


class RowFault(StrEnum):
    """Why a row of uploaded results says nothing."""

    NOT_A_ROW = "not-a-row"
    """It cannot be read as a row of the heading's columns."""
    OTHER_LIST = "other-list"
    """It names another list."""
    NUMBER_UNREADABLE = "number-unreadable"
    NO_SUCH_LINE = "no-such-line"
    OTHER_CODE = "other-code"
    """Its code is not that of the line: a row was moved."""
    OTHER_AMOUNT = "other-amount"
    """Its amount is not that of the line, or is in another currency."""
    OUTCOME_UNREADABLE = "outcome-unreadable"
    DAY_UNREADABLE = "day-unreadable"
    """What was paid has a day, as 2022-10-17 or 17/10/2022."""
    DAY_IMPOSSIBLE = "day-impossible"
    """Before the list was made, or not here yet."""
    REASON_UNREADABLE = "reason-unreadable"
    """What was not paid has one of the reasons."""
    REFERENCE_UNREADABLE = "reference-unreadable"
    CONTRADICTS_ITSELF = "contradicts-itself"
    """Another row of the file says otherwise of the same line."""
