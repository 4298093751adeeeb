"""What each move posts to the ledger, as rows for statements: composed from the table of moves."""

from services.payments.instructions.states import MOVES, OVERPAID, UNDERPAID, Status
from services.payments.ledger.accounts import ACCOUNT_KINDS, AccountCode, Posting, on_a_line


def _scope(code: AccountCode) -> str:
    return ACCOUNT_KINDS[code].scope.value


def _row(before: Status, after: Status, differs: int, posting: Posting) -> str:
    return (
        f"('{before}', '{after}', {differs}, '{posting.code}', '{posting.debit}', "
        f"'{_scope(posting.debit)}', '{posting.credit}', '{_scope(posting.credit)}')"
    )


def scope_of(kept_for: str) -> str:
    """What an account is kept for, of a chunk and a provider; ``kept_for`` is an expression.

    Null where the chunk is on no budget line.
    """
    return (
        f"CASE {kept_for} WHEN 'fund' THEN chunk.fund "
        "WHEN 'line' THEN chunk.fund || '/' || chunk.budget_line ELSE provider.code END"
    )


IS_OF_THE_CHUNK = "(posting.debit_scope <> 'line' OR chunk.budget_line IS NOT NULL)"
"""Of all postings of a move: those of a chunk. A condition over ``posting`` and ``chunk``."""

POSTING_ROWS = ",\n        ".join(
    _row(before, after, differs, posting)
    for (before, after), postings in MOVES.items()
    for differs, several in ((0, postings), (-1, UNDERPAID), (1, OVERPAID))
    if differs == 0 or after is Status.SETTLED
    for given in several
    for posting in (given, on_a_line(given))
    if posting is not None
)
"""``VALUES`` of (from_status, to_status, differs, code, debit, debit_scope, credit, credit_scope).

``differs``: 0 posts the amount of what moved; -1 and 1 the difference besides, where less or more
was paid than ordered. A scope says what the account is kept for: ``fund``, ``provider`` or, of
what is booked on a budget line besides, ``line``.
"""
