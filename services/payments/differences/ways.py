"""What is to be done about each kind of difference."""

from services.payments.reconciliation.kinds import DifferenceKind

_RESOLVE = "POST /v1/differences/{number}/resolution"
_ACCEPT = f"{_RESOLVE} as accepted ends it; another person approves it."
_PAYMENT = "POST /v1/resolutions; another person approves it. This ends by itself then."

_WAYS: dict[DifferenceKind, str] = {
    DifferenceKind.UNKNOWN_PAYMENT: f"Ask the provider what it was. {_RESOLVE} as charged, or as "
    "released once it is back; another person approves it.",
    DifferenceKind.PAID_AGAIN: "Ask the provider to take the second payment back. "
    f"{_RESOLVE} as released once it is back, or as charged; another person approves it.",
    DifferenceKind.LINE_REPEATED: "Ask the provider whether it paid once or twice, and for a "
    f"corrected statement. {_ACCEPT}",
    DifferenceKind.UNKNOWN_RECEIPT: "If the treasury paid it, record the prefunding with this "
    f"reference: it ends by itself. Else {_RESOLVE} as received, or as accepted where it is booked "
    "otherwise; another person approves it.",
    DifferenceKind.OTHER_AMOUNT: f"Ask the provider what it paid, and record that: {_PAYMENT} A "
    f"corrected statement ends it as well. {_ACCEPT}",
    DifferenceKind.OTHER_REFERENCE: f"Ask the provider which of the references is right. {_ACCEPT}",
    DifferenceKind.AWAITING_ANSWER: "Nothing: the line is taken as the provider's answer, and this "
    "ends by itself.",
    DifferenceKind.NOT_PAID_HERE: f"Record how it ended: {_PAYMENT} {_ACCEPT}",
    DifferenceKind.RETURNED_THERE: f"Record it as returned: {_PAYMENT} {_ACCEPT}",
    DifferenceKind.OTHER_DAY: "Nothing: both have the same payment.",
    DifferenceKind.NOT_ON_STATEMENT: "It may stand on the statement of the day after, which ends "
    f"it. Else ask the provider; if it was never paid, record it as returned: {_PAYMENT} {_ACCEPT}",
    DifferenceKind.PREFUNDING_NOT_ON_STATEMENT: "It may stand on the statement of the day after, "
    f"which ends it. Else ask the treasury whether it was sent. {_ACCEPT}",
    DifferenceKind.OPENING_DIFFERS: "Ask the provider what was booked between the two statements, "
    f"or for a corrected one. {_ACCEPT}",
    DifferenceKind.CLOSING_DIFFERS: "Lines are missing, or were set aside: "
    "GET /v1/statements/{statement_id}/set-aside. Ask the provider for the whole file. "
    f"{_ACCEPT}",
    DifferenceKind.FLOAT_DIFFERS: "The other differences of the day come to it, or something is "
    f"missing in either book. {_ACCEPT}",
}


def what_to_do(kind: DifferenceKind) -> str:
    """The way out of a difference."""
    return _WAYS[kind]
