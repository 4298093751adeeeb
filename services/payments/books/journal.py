"""The journal as rows of CSV: every transfer of a span, for an accounting system.

It holds ids and codes, and nothing personal: neither what somebody wrote nor who it was.
"""

import csv
import io
from collections.abc import AsyncIterator, Iterable
from datetime import datetime, timedelta
from uuid import UUID

from services.payments.books import repository
from services.payments.statements import AnyRow
from shared.database import Database
from shared.errors import Unprocessable

COLUMNS = (
    "transfer_id",
    "posted_at",
    "code",
    "debit_account",
    "debit_scope",
    "credit_account",
    "credit_scope",
    "amount_minor",
    "currency",
    "entry_number",
    "round_number",
    "instruction_id",
    "approval_id",
)
"""The header, in the order of ``repository.read_journal``."""

CLOSED_AFTER = timedelta(minutes=5)
"""What was posted before a moment has been saved by then: a span that ends there is whole."""

_ROWS_AT_ONCE = 5_000
_BEFORE_ALL = UUID(int=0)


def require_closed(begins_at: datetime, until: datetime, *, now: datetime) -> None:
    """Raises Unprocessable where the span is none, or something of it may still be on its way."""
    if begins_at >= until:
        raise Unprocessable("`from` has to be before `to`.")
    if until > now - CLOSED_AFTER:
        raise Unprocessable(
            "`to` has to be five minutes back: until then what was posted before it may still be "
            "on its way, and the span would not be whole."
        )


async def pieces(database: Database, begins_at: datetime, until: datetime) -> AsyncIterator[bytes]:
    """The CSV of a span, its beginning included and its end not, some rows at a time.

    Each piece is a short transaction of its own: a slow reader holds nothing. A ledger that only
    gains rows tells the same of a closed span each time.
    """
    yield _csv([COLUMNS])
    after = (begins_at, _BEFORE_ALL)
    while True:
        async with database.reading() as session:
            rows = await repository.read_journal(
                session, after=after, until=until, limit=_ROWS_AT_ONCE
            )
        if not rows:
            return
        yield _csv(_told(row) for row in rows)
        after = (rows[-1].posted_at, rows[-1].id)


def _told(row: AnyRow) -> tuple[object, ...]:
    transfer_id, posted_at, *others = row
    return (transfer_id, posted_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), *others)


def _csv(rows: Iterable[Iterable[object]]) -> bytes:
    content = io.StringIO()
    csv.writer(content).writerows(rows)
    return content.getvalue().encode()
