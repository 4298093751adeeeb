"""What a statement's lines are, and in which ways a statement and our books may differ."""

from enum import StrEnum


class StatementFormat(StrEnum):
    CSV = "csv"
    CAMT_053 = "camt.053"


class Direction(StrEnum):
    """Which way money goes, as our account with the provider sees it."""

    OUT = "out"
    """It left the account: a payment, a charge."""
    IN = "in"
    """It came into the account: a prefunding, a payment that came back."""


class DifferenceKind(StrEnum):
    UNKNOWN_PAYMENT = "unknown_payment"
    """Money went out on the statement, for nothing that we ordered of that provider."""
    PAID_AGAIN = "paid_again"
    """A payment of ours went out once more, under another reference."""
    LINE_REPEATED = "line_repeated"
    """The same line, with the same reference, stands on a statement again."""
    UNKNOWN_RECEIPT = "unknown_receipt"
    """Money came in on the statement, and we know of none that should."""
    OTHER_AMOUNT = "other_amount"
    """A payment of ours, with another amount than our books have."""
    OTHER_REFERENCE = "other_reference"
    """A payment of ours, under another reference than the provider told us."""
    AWAITING_ANSWER = "awaiting_answer"
    """Paid on the statement, with the amount that we ordered; without an end here. It is taken as
    the provider's answer."""
    NOT_PAID_HERE = "not_paid_here"
    """Paid on the statement, and held, rejected or never sent here."""
    RETURNED_THERE = "returned_there"
    """A payment of ours came back on the statement, and is not returned here."""
    OTHER_DAY = "other_day"
    """The same payment and amount, which our books have on another day: no fault."""
    NOT_ON_STATEMENT = "not_on_statement"
    """Paid here on that day, and on no statement."""
    PREFUNDING_NOT_ON_STATEMENT = "prefunding_not_on_statement"
    """Paid to the provider by our books on that day, and on no statement."""
    OPENING_DIFFERS = "opening_differs"
    """The statement does not begin with what the day before ended with."""
    CLOSING_DIFFERS = "closing_differs"
    """The statement's lines do not lead from its first balance to its last."""
    FLOAT_DIFFERS = "float_differs"
    """The statement's last balance is not what our books have at the provider."""


IN_SUSPENSE = (DifferenceKind.UNKNOWN_PAYMENT, DifferenceKind.PAID_AGAIN)
"""Money that is gone and that nothing in our books explains: in SUSPENSE until two persons say what
it was, so that nobody counts on it."""

ANSWERED = (DifferenceKind.AWAITING_ANSWER, DifferenceKind.NOT_PAID_HERE)
"""Lines with the right amount, which may say of a payment what the provider did not."""

BALANCES = (
    DifferenceKind.OPENING_DIFFERS,
    DifferenceKind.CLOSING_DIFFERS,
    DifferenceKind.FLOAT_DIFFERS,
)
"""Differences of balances: looked at again with each statement."""


class Closure(StrEnum):
    """How a difference came to its end."""

    EXPLAINED = "explained"
    """By itself: our books, or another statement, say the same now."""
    RESOLVED = "resolved"
    """By two persons."""
    SUPERSEDED = "superseded"
    """Its statement was replaced by a corrected one, which is compared anew."""


class Outcome(StrEnum):
    """What two persons may decide about a difference."""

    RELEASED = "released"
    """The money is at the provider after all: it goes back to the float."""
    CHARGED = "charged"
    """The provider kept it, or it is lost: booked as its charges, as far as these are not booked
    already."""
    RECEIVED = "received"
    """The provider gave it: booked to the float, against its charges."""
    ACCEPTED = "accepted"
    """Looked at, and nothing is booked by it."""


FITS: dict[Outcome, tuple[DifferenceKind, ...]] = {
    Outcome.RELEASED: IN_SUSPENSE,
    Outcome.CHARGED: IN_SUSPENSE,
    Outcome.RECEIVED: (DifferenceKind.UNKNOWN_RECEIPT,),
    Outcome.ACCEPTED: tuple(kind for kind in DifferenceKind if kind not in IN_SUSPENSE),
}
"""Which differences each outcome is for."""
