"""Taking statements: read, kept and held against our books at once; and showing them."""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from functools import partial
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.reconciliation import repository
from services.payments.reconciliation.balances.checking import Balances, check_balances
from services.payments.reconciliation.camt_reading import CamtReader
from services.payments.reconciliation.comparing import Compared, compare, supersede
from services.payments.reconciliation.csv_reading import CsvReader
from services.payments.reconciliation.kinds import Direction, StatementFormat
from services.payments.reconciliation.lines import StatementRead
from services.payments.reconciliation.mapping import MAPPINGS, StatementMappingDocument
from services.payments.reconciliation.receiving import Reader, Received, receive
from services.payments.reconciliation.schemas import (
    SetAsideLineOut,
    StatementLineOut,
    StatementOut,
)
from services.payments.statements import AnyRow
from shared.auth import Caller
from shared.clock import COUNTRY_ZONE, Clock
from shared.database import Database
from shared.documents import repository as documents
from shared.errors import Conflict, NotFound, Unprocessable
from shared.ids import new_id
from shared.pagination import Int4, Page, PageOf
from shared.values import STORED

MISSING = "There is no such statement. GET /v1/statements lists them."
_ONE_DAY = timedelta(days=1)


class Uploaded(NamedTuple):
    """A file that was read and is not kept yet."""

    provider: str
    day: date
    format: StatementFormat
    mapping_version: int | None
    received: Received


async def read_upload(
    database: Database,
    body: AsyncIterator[bytes],
    *,
    provider: str,
    day: date,
    format: StatementFormat,
    maximum_bytes: int,
    clock: Clock,
) -> Uploaded:
    """Read a file as it comes in; no transaction is open meanwhile.

    Raises NotFound for a provider that is not there, Conflict where nobody said how its CSV is
    read, Unprocessable for a file that is not the statement, TooLarge.
    """
    if day > clock.today():
        raise Unprocessable(f"{day} has not come yet: a statement is about a day that was.")
    make_reader, mapping_version = await _reader(database, provider, format)
    received = await receive(body, make_reader, maximum_bytes=maximum_bytes)
    _require_day(received.read, day)
    return Uploaded(provider, day, format, mapping_version, received)


async def _reader(
    database: Database, provider: str, format: StatementFormat
) -> tuple[Callable[[], Reader], int | None]:
    """What makes what reads a provider's files, and by which version of its statement mapping."""
    async with database.reading() as session:
        found = await repository.find_provider(session, provider)
        if found is None:
            raise NotFound(f"There is no provider {provider}. GET /v1/providers lists them.")
        mapping = await documents.find_version(session, MAPPINGS, provider)
    if format is StatementFormat.CAMT_053:
        return partial(CamtReader, currency=found.currency, zone=COUNTRY_ZONE), None
    if mapping is None:
        raise Conflict(
            f"Nobody has said how the CSV of {provider} is read: propose its columns with "
            "POST /v1/statement-mappings, and have a second person approve them."
        )
    document = StatementMappingDocument.model_validate(mapping.document, context=STORED)
    make_reader = partial(CsvReader, document, currency=found.currency, zone=COUNTRY_ZONE)
    return make_reader, mapping.version


def _require_day(read: StatementRead, day: date) -> None:
    """Lines may lie on the neighbouring days; raises Unprocessable where all are of others."""
    if read.about_day is not None and read.about_day != str(day):
        raise Unprocessable(
            f"The statement is not taken: it says that it is about {read.about_day}, and not "
            f"{day}. Give the day that it is about."
        )
    if read.first_day is None or read.last_day is None:
        return
    if read.last_day < str(day - _ONE_DAY) or read.first_day > str(day + _ONE_DAY):
        raise Unprocessable(
            f"The statement is not taken: its lines are from {read.first_day} to {read.last_day}, "
            f"and none is of {day}. Give the day that it is about."
        )


async def take(
    session: AsyncSession, uploaded: Uploaded, *, caller: Caller, clock: Clock
) -> StatementOut:
    """Keep a statement and hold it against our books; the same file again changes nothing.

    Raises Conflict where it is another provider's file.
    """
    provider = await repository.lock_provider(session, uploaded.provider)
    received, read = uploaded.received, uploaded.received.read
    known = await repository.find_by_digest(
        session, provider_number=provider.number, day=uploaded.day, digest=received.digest
    )
    if known is not None:
        return await get(session, known)
    elsewhere = await repository.find_elsewhere(
        session, provider_number=provider.number, digest=received.digest
    )
    if elsewhere is not None:
        raise Conflict(
            f"The statement is not taken: this very file is that of {elsewhere.code} for "
            f"{elsewhere.day}. Send the file of {uploaded.provider}."
        )
    now = clock.now()
    statement_id = new_id()
    superseded = await repository.mark_superseded(
        session, provider_number=provider.number, day=uploaded.day, by=statement_id, at=now
    )
    number = await repository.insert_statement(
        session,
        id=statement_id,
        provider_number=provider.number,
        day=uploaded.day,
        format=uploaded.format,
        mapping_version=uploaded.mapping_version,
        content_digest=received.digest,
        currency=provider.currency,
        line_count=read.totals.count,
        set_aside_count=len(read.faults),
        out_count=read.totals.out_count,
        out_minor=read.totals.out_minor,
        in_count=read.totals.in_count,
        in_minor=read.totals.in_minor,
        opening_minor=read.opening_minor,
        closing_minor=read.closing_minor,
        uploaded_by=caller.subject,
        uploaded_at=now,
    )
    await repository.copy_lines(session, number, read)
    begins_at, ends_at = bounds_of(uploaded.day)
    statement = Compared(
        number=number,
        statement_id=statement_id,
        provider=uploaded.provider,
        provider_number=provider.number,
        currency=provider.currency,
        day=uploaded.day,
        begins_at=begins_at,
        ends_at=ends_at,
    )
    if superseded is not None:
        await supersede(session, statement, superseded=superseded, at=now)
    await compare(
        session,
        statement,
        is_correction=superseded is not None,
        names_each=read.names_each,
        may_repeat=read.may_repeat,
        at=now,
    )
    balances = Balances(
        number=number,
        provider_number=provider.number,
        day=uploaded.day,
        ends_at=ends_at,
        opening_minor=read.opening_minor,
        closing_minor=read.closing_minor,
        net_minor=read.totals.net_minor,
    )
    await check_balances(session, balances, at=now)
    return await get(session, statement_id)


def bounds_of(day: date) -> tuple[datetime, datetime]:
    """From when until when a day of the country's zone is."""
    begins_at = datetime.combine(day, time_of_day.min, COUNTRY_ZONE)
    return begins_at, datetime.combine(day + _ONE_DAY, time_of_day.min, COUNTRY_ZONE)


async def get(session: AsyncSession, statement_id: UUID) -> StatementOut:
    """A statement; raises NotFound."""
    [shown] = await _shown(session, [await row_of(session, statement_id)])
    return shown


async def statement_of(session: AsyncSession, number: int) -> StatementOut:
    """The statement of a number that is known to be there."""
    row = await repository.get_by_number(session, number)
    [shown] = await _shown(session, [row])
    return shown


async def row_of(session: AsyncSession, statement_id: UUID) -> AnyRow:
    """A statement's row; raises NotFound."""
    row = await repository.find_statement(session, statement_id)
    if row is None:
        raise NotFound(MISSING)
    return row


async def list_page(
    session: AsyncSession, page: Page, *, provider: str | None, day: date | None
) -> PageOf[StatementOut]:
    """A page of statements, the newest first."""
    rows = await repository.list_statements(
        session, provider=provider, day=day, before=page.after(Int4), limit=page.fetch_limit
    )
    found = page.of(rows, key=lambda row: (row.number,))
    return PageOf(items=await _shown(session, found.items), next_cursor=found.next_cursor)


async def list_lines(
    session: AsyncSession,
    statement_id: UUID,
    page: Page,
    *,
    direction: Direction | None,
    instruction_id: UUID | None,
    reference: str | None,
    differs: bool,
) -> PageOf[StatementLineOut]:
    """A page of a statement's lines; raises NotFound."""
    statement = await row_of(session, statement_id)
    rows = await repository.list_lines(
        session,
        statement.number,
        direction=direction,
        payment_id=instruction_id,
        reference=reference,
        differs=differs,
        after=page.after(Int4),
        limit=page.fetch_limit,
    )
    items = [
        StatementLineOut(
            line=row.line,
            direction=row.direction,
            amount_minor=row.amount_minor,
            balance_minor=row.balance_minor,
            booked_at=row.booked_at,
            instruction_id=row.payment_id,
            reference=row.reference,
        )
        for row in rows
    ]
    return page.of(items, key=lambda item: (item.line,))


async def list_set_aside(
    session: AsyncSession, statement_id: UUID, page: Page
) -> PageOf[SetAsideLineOut]:
    """A page of the lines that could not be read; raises NotFound."""
    statement = await row_of(session, statement_id)
    rows = await repository.list_faults(
        session, statement.number, after=page.after(Int4), limit=page.fetch_limit
    )
    items = [SetAsideLineOut.model_validate(row._asdict()) for row in rows]
    return page.of(items, key=lambda item: (item.line,))


async def _shown(session: AsyncSession, rows: Sequence[AnyRow]) -> list[StatementOut]:
    counts = await repository.open_counts(session, [row.number for row in rows])
    return [
        StatementOut(
            **row._mapping,
            content_sha256=row.content_digest.hex(),
            open_count=counts.get(row.number, 0),
        )
        for row in rows
    ]
