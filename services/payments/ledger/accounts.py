"""The chart of accounts. docs/ledger.md explains it to accountants.

Three books, each of which sums to zero: *cash* says where the money is, *budget* says what it is
promised for, *line* says the same of what is booked on a budget line. One transfer stays within
one book.
"""

from dataclasses import dataclass
from enum import StrEnum


class Book(StrEnum):
    CASH = "cash"
    BUDGET = "budget"
    LINE = "line"


class AccountScope(StrEnum):
    """What an account is kept for: one account for each currency, fund, provider or line."""

    CURRENCY = "currency"
    FUND = "fund"
    PROVIDER = "provider"
    LINE = "line"


class AccountCode(StrEnum):
    TREASURY_CASH = "TREASURY_CASH"
    FUNDS_RECEIVED = "FUNDS_RECEIVED"
    PROVIDER_FLOAT = "PROVIDER_FLOAT"
    IN_TRANSIT = "IN_TRANSIT"
    GRANTS_PAID = "GRANTS_PAID"
    RETURNS_PAYABLE = "RETURNS_PAYABLE"
    SUSPENSE = "SUSPENSE"
    BUDGET_AUTHORISED = "BUDGET_AUTHORISED"
    BUDGET_AVAILABLE = "BUDGET_AVAILABLE"
    COMMITTED = "COMMITTED"
    BUDGET_SPENT = "BUDGET_SPENT"
    RESERVED = "RESERVED"
    LINE_OPEN = "LINE_OPEN"
    LINE_COMMITTED = "LINE_COMMITTED"
    LINE_SPENT = "LINE_SPENT"
    PROVIDER_CHARGES = "PROVIDER_CHARGES"
    CHARGES_PAYABLE = "CHARGES_PAYABLE"


@dataclass(frozen=True)
class AccountKind:
    """How accounts of one code behave.

    ``overdraft_refused``: credits may never exceed debits; the database refuses the transfer.
    """

    book: Book
    scope: AccountScope
    overdraft_refused: bool


ACCOUNT_KINDS: dict[AccountCode, AccountKind] = {
    AccountCode.TREASURY_CASH: AccountKind(Book.CASH, AccountScope.CURRENCY, True),
    AccountCode.FUNDS_RECEIVED: AccountKind(Book.CASH, AccountScope.FUND, False),
    AccountCode.PROVIDER_FLOAT: AccountKind(Book.CASH, AccountScope.PROVIDER, True),
    AccountCode.IN_TRANSIT: AccountKind(Book.CASH, AccountScope.PROVIDER, True),
    AccountCode.GRANTS_PAID: AccountKind(Book.CASH, AccountScope.FUND, True),
    AccountCode.RETURNS_PAYABLE: AccountKind(Book.CASH, AccountScope.PROVIDER, False),
    AccountCode.SUSPENSE: AccountKind(Book.CASH, AccountScope.PROVIDER, True),
    # What was paid may come to more than what we worked out.
    AccountCode.CHARGES_PAYABLE: AccountKind(Book.CASH, AccountScope.PROVIDER, False),
    AccountCode.BUDGET_AUTHORISED: AccountKind(Book.BUDGET, AccountScope.FUND, False),
    AccountCode.BUDGET_AVAILABLE: AccountKind(Book.BUDGET, AccountScope.FUND, True),
    AccountCode.COMMITTED: AccountKind(Book.BUDGET, AccountScope.FUND, True),
    AccountCode.BUDGET_SPENT: AccountKind(Book.BUDGET, AccountScope.FUND, True),
    AccountCode.RESERVED: AccountKind(Book.BUDGET, AccountScope.FUND, True),
    # A ceiling is looked at before a round is released. What happened is recorded above it, too.
    AccountCode.LINE_OPEN: AccountKind(Book.LINE, AccountScope.LINE, False),
    AccountCode.LINE_COMMITTED: AccountKind(Book.LINE, AccountScope.LINE, True),
    AccountCode.LINE_SPENT: AccountKind(Book.LINE, AccountScope.LINE, True),
    AccountCode.PROVIDER_CHARGES: AccountKind(Book.CASH, AccountScope.PROVIDER, False),
}


class TransferCode(StrEnum):
    """Why money moved.

    An instruction has at most one transfer of each code: of ``sent`` and ``not_sent`` one for each
    time that it was about to be sent.
    """

    FUND_RECEIVED = "fund_received"
    BUDGET_AUTHORISED = "budget_authorised"
    PROVIDER_PREFUNDED = "provider_prefunded"
    ROUND_RESERVED = "round_reserved"
    ATTEMPT_RESERVED = "attempt_reserved"
    SENT = "sent"
    NOT_SENT = "not_sent"
    SETTLED = "settled"
    COMMITMENT_SPENT = "commitment_spent"
    REJECTED = "rejected"
    COMMITMENT_RELEASED = "commitment_released"
    HELD = "held"
    LATE_SUCCESS_HELD = "late_success_held"
    LATE_SUCCESS_RECOMMITTED = "late_success_recommitted"
    HELD_SETTLED = "held_settled"
    HELD_RETURNED = "held_returned"
    HELD_RELEASED = "held_released"
    RETURNED = "returned"
    UNDERPAID = "underpaid"
    UNDERPAID_RELEASED = "underpaid_released"
    OVERPAID = "overpaid"
    OVERPAID_SPENT = "overpaid_spent"
    READINESS_RESERVED = "readiness_reserved"
    READINESS_RELEASED = "readiness_released"
    FUND_RECEIVED_REVERSED = "fund_received_reversed"
    BUDGET_AUTHORISED_REVERSED = "budget_authorised_reversed"
    PROVIDER_PREFUNDED_REVERSED = "provider_prefunded_reversed"
    STATEMENT_SUSPENDED = "statement_suspended"
    STATEMENT_RELEASED = "statement_released"
    STATEMENT_CHARGED = "statement_charged"
    STATEMENT_RECEIVED = "statement_received"
    CHARGED = "charged"
    CHARGES_TAKEN = "charges_taken"
    CHARGES_PAID = "charges_paid"
    RETURN_RESTORED = "return_restored"
    RETURN_UNSPENT = "return_unspent"


@dataclass(frozen=True)
class Posting:
    """One transfer that a step makes."""

    code: TransferCode
    debit: AccountCode
    credit: AccountCode


_ON_A_LINE: dict[AccountCode, AccountCode] = {
    AccountCode.BUDGET_AVAILABLE: AccountCode.LINE_OPEN,
    AccountCode.COMMITTED: AccountCode.LINE_COMMITTED,
    AccountCode.BUDGET_SPENT: AccountCode.LINE_SPENT,
}


def on_a_line(posting: Posting) -> Posting | None:
    """What a posting of the budget makes on the line that the payment is booked on, with the same
    code; None: it is none of the budget."""
    if posting.debit not in _ON_A_LINE or posting.credit not in _ON_A_LINE:
        return None
    return Posting(posting.code, _ON_A_LINE[posting.debit], _ON_A_LINE[posting.credit])


def scope_of_line(fund: str, line: str) -> str:
    """What the accounts of a fund's budget line are kept for."""
    return f"{fund}/{line}"


FUND_RECEIVED = Posting(
    TransferCode.FUND_RECEIVED, AccountCode.TREASURY_CASH, AccountCode.FUNDS_RECEIVED
)
BUDGET_AUTHORISED = Posting(
    TransferCode.BUDGET_AUTHORISED, AccountCode.BUDGET_AVAILABLE, AccountCode.BUDGET_AUTHORISED
)
PROVIDER_PREFUNDED = Posting(
    TransferCode.PROVIDER_PREFUNDED, AccountCode.PROVIDER_FLOAT, AccountCode.TREASURY_CASH
)
READINESS_RESERVED = Posting(
    TransferCode.READINESS_RESERVED, AccountCode.RESERVED, AccountCode.BUDGET_AVAILABLE
)
READINESS_RELEASED = Posting(
    TransferCode.READINESS_RELEASED, AccountCode.BUDGET_AVAILABLE, AccountCode.RESERVED
)
STATEMENT_SUSPENDED = Posting(
    TransferCode.STATEMENT_SUSPENDED, AccountCode.SUSPENSE, AccountCode.PROVIDER_FLOAT
)
STATEMENT_RELEASED = Posting(
    TransferCode.STATEMENT_RELEASED, AccountCode.PROVIDER_FLOAT, AccountCode.SUSPENSE
)
STATEMENT_CHARGED = Posting(
    TransferCode.STATEMENT_CHARGED, AccountCode.PROVIDER_CHARGES, AccountCode.SUSPENSE
)
STATEMENT_RECEIVED = Posting(
    TransferCode.STATEMENT_RECEIVED, AccountCode.PROVIDER_FLOAT, AccountCode.PROVIDER_CHARGES
)
RETURN_RESTORED = Posting(
    TransferCode.RETURN_RESTORED, AccountCode.RETURNS_PAYABLE, AccountCode.GRANTS_PAID
)
RETURN_UNSPENT = Posting(
    TransferCode.RETURN_UNSPENT, AccountCode.BUDGET_AVAILABLE, AccountCode.BUDGET_SPENT
)
CHARGED = Posting(TransferCode.CHARGED, AccountCode.PROVIDER_CHARGES, AccountCode.CHARGES_PAYABLE)
CHARGES_TAKEN = Posting(
    TransferCode.CHARGES_TAKEN, AccountCode.CHARGES_PAYABLE, AccountCode.PROVIDER_FLOAT
)
CHARGES_PAID = Posting(
    TransferCode.CHARGES_PAID, AccountCode.CHARGES_PAYABLE, AccountCode.TREASURY_CASH
)
ROUND_RESERVED = Posting(
    TransferCode.ROUND_RESERVED, AccountCode.COMMITTED, AccountCode.BUDGET_AVAILABLE
)
ATTEMPT_RESERVED = Posting(
    TransferCode.ATTEMPT_RESERVED, AccountCode.COMMITTED, AccountCode.BUDGET_AVAILABLE
)

REVERSED_BY: dict[TransferCode, TransferCode] = {
    TransferCode.FUND_RECEIVED: TransferCode.FUND_RECEIVED_REVERSED,
    TransferCode.BUDGET_AUTHORISED: TransferCode.BUDGET_AUTHORISED_REVERSED,
    TransferCode.PROVIDER_PREFUNDED: TransferCode.PROVIDER_PREFUNDED_REVERSED,
}
"""What is corrected by another transfer: the same accounts the other way round, the same amount."""
