"""A payment instruction's life: its states, the legal moves, and what each posts to the ledger.

An instruction is one attempt to pay one entitlement into one account. Its id is the correlation
id towards the provider, fixed before anything is sent and the same on every resend.
"""

from enum import StrEnum

from services.payments.ledger.accounts import CHARGED, AccountCode, Posting, TransferCode


class Status(StrEnum):
    READY = "ready"
    """Raised from a checked chunk; sent once its round is released."""
    SENDING = "sending"
    """Committed as about to be sent; from here on the provider may have it."""
    PENDING = "pending"
    """The provider has it and has not decided."""
    UNKNOWN = "unknown"
    """No answer is not "no": left only by asking the provider."""
    SETTLED = "settled"
    REJECTED = "rejected"
    HELD = "held"
    """The provider's answers contradict our order or each other: an officer decides."""
    RETURNED = "returned"
    CANCELLED = "cancelled"


LIVE = (Status.READY, Status.SENDING, Status.PENDING, Status.UNKNOWN, Status.HELD)
"""Has no end yet: its chunk stays open."""

EXCLUSIVE = (Status.READY, Status.SENDING, Status.PENDING, Status.UNKNOWN, Status.SETTLED)
"""At most one of an entitlement's instructions is in these (unique partial index). A held one is
left out: a late success beside a newer attempt has to be recorded, and then decided."""

NOT_EXCLUSIVE = (Status.REJECTED, Status.HELD, Status.RETURNED, Status.CANCELLED)
"""The others: an entitlement may have several (another partial index)."""

IN_FLIGHT = (Status.SENDING, Status.PENDING, Status.UNKNOWN)
"""With the provider, as far as we know: has a time at which something is to be done about it."""

MAY_HAVE_BEEN_SENT = "may_have_been_sent"
"""Why a ready instruction is taken for sent: whatever was lost, the provider may have had it."""

MAY_BE_ELSEWHERE = "may_be_with_another_provider"
"""Why a ready instruction waits: commits were lost, and another provider may have had it."""

MAY_BE_TRIED_ANEW = "may_have_been_tried_anew"
"""Why an unknown instruction waits: commits were lost, and perhaps a further attempt with them."""

ENDS = (Status.SETTLED, Status.REJECTED, Status.RETURNED, Status.CANCELLED)

_SENT = (Posting(TransferCode.SENT, AccountCode.IN_TRANSIT, AccountCode.PROVIDER_FLOAT),)
_NOT_SENT = (Posting(TransferCode.NOT_SENT, AccountCode.PROVIDER_FLOAT, AccountCode.IN_TRANSIT),)
_SETTLED = (
    Posting(TransferCode.SETTLED, AccountCode.GRANTS_PAID, AccountCode.IN_TRANSIT),
    Posting(TransferCode.COMMITMENT_SPENT, AccountCode.BUDGET_SPENT, AccountCode.COMMITTED),
    CHARGED,
)
_REJECTED = (
    Posting(TransferCode.REJECTED, AccountCode.PROVIDER_FLOAT, AccountCode.IN_TRANSIT),
    Posting(TransferCode.COMMITMENT_RELEASED, AccountCode.BUDGET_AVAILABLE, AccountCode.COMMITTED),
)
# ``CHARGED`` posts what the provider charges for the payment, and nothing where that is nothing.
_HELD = (Posting(TransferCode.HELD, AccountCode.SUSPENSE, AccountCode.IN_TRANSIT),)
_HELD_AFTER_REJECTION = (
    Posting(TransferCode.LATE_SUCCESS_HELD, AccountCode.SUSPENSE, AccountCode.PROVIDER_FLOAT),
    Posting(
        TransferCode.LATE_SUCCESS_RECOMMITTED, AccountCode.COMMITTED, AccountCode.BUDGET_AVAILABLE
    ),
)
_HELD_SETTLED = (
    Posting(TransferCode.HELD_SETTLED, AccountCode.GRANTS_PAID, AccountCode.SUSPENSE),
    Posting(TransferCode.COMMITMENT_SPENT, AccountCode.BUDGET_SPENT, AccountCode.COMMITTED),
    CHARGED,
)
_HELD_RETURNED = (
    Posting(TransferCode.HELD_RETURNED, AccountCode.PROVIDER_FLOAT, AccountCode.SUSPENSE),
    Posting(TransferCode.HELD_RELEASED, AccountCode.BUDGET_AVAILABLE, AccountCode.COMMITTED),
)
_RETURNED = (
    Posting(TransferCode.RETURNED, AccountCode.PROVIDER_FLOAT, AccountCode.RETURNS_PAYABLE),
)
_CANCELLED = (
    Posting(TransferCode.COMMITMENT_RELEASED, AccountCode.BUDGET_AVAILABLE, AccountCode.COMMITTED),
)

UNDERPAID = (
    Posting(TransferCode.UNDERPAID, AccountCode.PROVIDER_FLOAT, AccountCode.GRANTS_PAID),
    Posting(
        TransferCode.UNDERPAID_RELEASED, AccountCode.BUDGET_AVAILABLE, AccountCode.BUDGET_SPENT
    ),
)
"""What a move to ``settled`` posts besides, by the difference, where less was paid than ordered."""
OVERPAID = (
    Posting(TransferCode.OVERPAID, AccountCode.GRANTS_PAID, AccountCode.PROVIDER_FLOAT),
    Posting(TransferCode.OVERPAID_SPENT, AccountCode.BUDGET_SPENT, AccountCode.BUDGET_AVAILABLE),
)
"""The same where more was paid than ordered: refused where the float or the fund lacks it."""
MOVES: dict[tuple[Status, Status], tuple[Posting, ...]] = {
    (Status.READY, Status.SENDING): _SENT,
    # It may have been sent before the database lost that it was: asked about before it is sent.
    (Status.READY, Status.UNKNOWN): _SENT,
    # Nothing was reserved for it, and nothing is posted, where its round was never released.
    (Status.READY, Status.CANCELLED): _CANCELLED,
    # Its account cannot be paid: nothing was sent, and its round's money is free again.
    (Status.READY, Status.REJECTED): _CANCELLED,
    # By whoever claimed it and knows that nothing of it ever left, and by nobody else.
    (Status.SENDING, Status.READY): _NOT_SENT,
    (Status.SENDING, Status.PENDING): (),
    (Status.SENDING, Status.UNKNOWN): (),
    (Status.SENDING, Status.SETTLED): _SETTLED,
    (Status.SENDING, Status.REJECTED): _REJECTED,
    (Status.SENDING, Status.HELD): _HELD,
    (Status.PENDING, Status.UNKNOWN): (),
    (Status.PENDING, Status.SETTLED): _SETTLED,
    (Status.PENDING, Status.REJECTED): _REJECTED,
    (Status.PENDING, Status.HELD): _HELD,
    # Sent again with the same id; its money is in transit already.
    (Status.UNKNOWN, Status.SENDING): (),
    (Status.UNKNOWN, Status.PENDING): (),
    (Status.UNKNOWN, Status.SETTLED): _SETTLED,
    (Status.UNKNOWN, Status.REJECTED): _REJECTED,
    (Status.UNKNOWN, Status.HELD): _HELD,
    (Status.REJECTED, Status.HELD): _HELD_AFTER_REJECTION,
    (Status.HELD, Status.SETTLED): _HELD_SETTLED,
    (Status.HELD, Status.RETURNED): _HELD_RETURNED,
    (Status.SETTLED, Status.RETURNED): _RETURNED,
}
"""Every legal move and its postings. What is not here does not happen."""
