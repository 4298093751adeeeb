"""What each move posts to the ledger, as rows for statements: composed from the table of moves."""

from services.payments.instructions.states import MOVES, OVERPAID, UNDERPAID, Status
from services.payments.ledger.accounts import ACCOUNT_KINDS, AccountCode, Posting


def _scope(code: AccountCode) -> str:
    return ACCOUNT_KINDS[code].scope.value


def _row(before: Status, after: Status, differs: int, posting: Posting) -> str:
    return (
        f"('{before}', '{after}', {differs}, '{posting.code}', '{posting.debit}', "
        f"'{_scope(posting.debit)}', '{posting.credit}', '{_scope(posting.credit)}')"
    )


POSTING_ROWS = ",\n        ".join(
    _row(before, after, differs, posting)
    for (before, after), postings in MOVES.items()
    for differs, several in ((0, postings), (-1, UNDERPAID), (1, OVERPAID))
    if differs == 0 or after is Status.SETTLED
    for posting in several
)
"""``VALUES`` of (from_status, to_status, differs, code, debit, debit_scope, credit, credit_scope).

``differs``: 0 posts the amount of what moved; -1 and 1 the difference besides, where less or more
was paid than ordered. A scope says what the account is kept for: ``fund`` or ``provider``.
"""
