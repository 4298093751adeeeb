"""The journal as CSV or Parquet: every transfer of a span, for an accounting system.

It holds ids and codes, and nothing personal: neither what somebody wrote nor who it was.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from services.payments.books import repository
from services.payments.statements import AnyRow
from shared.audit import Taken
from shared.database import Database
from shared.errors import Unprocessable
from shared.parquet import Column, GrowingFile, Kind
from shared.spreadsheets import csv_of

COLUMNS = (
    Column("transfer_id", Kind.ID, "The transfer's own id, a UUID as text."),
    Column("posted_at", Kind.INSTANT, "When it was posted, by the programme's clock."),
    Column("code", Kind.CODE, "What was moved, and why: settled, rejected, fund_received."),
    Column("debit_account", Kind.CODE, "The account that is debited."),
    Column("debit_scope", Kind.CODE, "Whose it is: a currency, fund, provider or line."),
    Column("credit_account", Kind.CODE, "The account that is credited."),
    Column("credit_scope", Kind.CODE, "Whose it is: a currency, fund, provider or line."),
    Column("amount_minor", Kind.INTEGER, "How much, in the currency's smallest unit; above zero."),
    Column("currency", Kind.CODE, "ISO 4217: KHR has no smaller unit, USD has cents."),
    Column(
        "entry_number", Kind.INTEGER, "The journal entry whose lines it sums up.", required=False
    ),
    Column("round_number", Kind.INTEGER, "The round that it is about.", required=False),
    Column("instruction_id", Kind.ID, "The one payment that it is about.", required=False),
    Column("approval_id", Kind.ID, "The proposal that two persons decided.", required=False),
)
"""Those of both formats, in the order of ``repository.read_journal``."""

HEADER = tuple(column.name for column in COLUMNS)

CLOSED_AFTER = timedelta(minutes=5)
"""What was posted before a moment has been saved by then: a span that ends there is whole."""

# All of a part come out of the database at one go: a thousand take ten milliseconds, in which
# nothing else is answered.
_ROWS_AT_ONCE = 1_000
_ROWS_OF_A_GROUP = 10_000
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


async def csv_pieces(
    database: Database, begins_at: datetime, until: datetime, taken: Taken
) -> AsyncGenerator[bytes]:
    """The CSV of a span, its beginning included and its end not, some rows at a time; ``taken``
    counts them."""
    yield csv_of([HEADER])
    async for rows in _read(database, begins_at, until):
        taken.rows += len(rows)
        yield csv_of(_told(row) for row in rows)


async def parquet_pieces(
    database: Database, begins_at: datetime, until: datetime, taken: Taken
) -> AsyncGenerator[bytes]:
    """The same as Parquet, a row group at a time, made beside what the service answers meanwhile.

    The footer comes last: of a file without it nothing can be read.
    """
    file = await asyncio.to_thread(
        GrowingFile,
        COLUMNS,
        metadata={"journal.from": _instant(begins_at), "journal.to": _instant(until)},
        group_rows=_ROWS_OF_A_GROUP,
    )
    async for rows in _read(database, begins_at, until):
        taken.rows += len(rows)
        if piece := await asyncio.to_thread(file.add, rows):
            yield piece
    yield await asyncio.to_thread(file.end)


async def _read(
    database: Database, begins_at: datetime, until: datetime
) -> AsyncIterator[Sequence[AnyRow]]:
    """The rows of a span, so many at once.

    Each part is a short transaction of its own: a slow reader holds nothing. A ledger that only
    gains rows tells the same of a closed span each time.
    """
    after = (begins_at, _BEFORE_ALL)
    while True:
        async with database.reading() as session:
            rows = await repository.read_journal(
                session, after=after, until=until, limit=_ROWS_AT_ONCE
            )
        if not rows:
            return
        yield rows
        after = (rows[-1].posted_at, rows[-1].id)


def _told(row: AnyRow) -> tuple[object, ...]:
    transfer_id, posted_at, *others = row
    return (transfer_id, _instant(posted_at), *others)


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
