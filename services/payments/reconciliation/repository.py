"""SQL of statements: keeping one with its lines, holding it against our books, and listing."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.providers.tables import Provider
from services.payments.reconciliation import statements
from services.payments.reconciliation.kinds import Direction
from services.payments.reconciliation.lines import SetAside, StatementRead
from services.payments.reconciliation.tables import (
    Statement,
    StatementDifference,
    StatementFault,
    StatementLine,
)
from services.payments.statements import AnyRow, AnySelect, narrowed
from shared.database import driver_connection

_COPIED = [
    "statement_number",
    "line",
    "direction",
    "amount_minor",
    "balance_minor",
    "booked_at",
    "payment_id",
    "reference",
]

# One statement of a provider at a time: each looks at what the others found.
_LOCK_PROVIDER = text(
    "SELECT number, currency FROM payments.provider WHERE code = :code FOR NO KEY UPDATE"
)

# Both sides are as many as a country has households, and fresh lines have no statistics: guessed
# to be few, they would be looked up one by one.
_FOR_SETS = text(
    "SELECT set_config('work_mem', '128MB', true), set_config('enable_nestloop', 'off', true)"
)
_FOR_ROWS = text("SELECT set_config('enable_nestloop', 'on', true)")
# What was copied just now looks too little for several processes as well.
_SEVERAL = {
    "names": [
        "min_parallel_table_scan_size",
        "min_parallel_index_scan_size",
        "parallel_setup_cost",
        "parallel_tuple_cost",
    ]
}
_BY_SEVERAL = text("SELECT set_config(name, '0', true) FROM pg_settings WHERE name = ANY(:names)")
_BY_ONE = text("SELECT set_config(name, reset_val, true) FROM pg_settings WHERE name = ANY(:names)")

_NOTHING_TO_SHARE = frozenset({"53100", "53200"})
"""disk_full, as of a /dev/shm that is too small, and out_of_memory."""


async def find_provider(session: AsyncSession, code: str) -> AnyRow | None:
    """A provider's number and currency; None: there is no such provider."""
    query = select(Provider.number, Provider.currency).where(Provider.code == code)
    return (await session.execute(query)).one_or_none()


async def lock_provider(session: AsyncSession, code: str) -> AnyRow:
    """Have nobody else take a statement of the provider meanwhile; its number and currency."""
    return (await session.execute(_LOCK_PROVIDER, {"code": code})).one()


async def find_by_digest(
    session: AsyncSession, *, provider_number: int, day: date, digest: bytes
) -> UUID | None:
    """The statement that the same file made before."""
    return await session.scalar(
        select(Statement.id).where(
            Statement.provider_number == provider_number,
            Statement.day == day,
            Statement.content_digest == digest,
        )
    )


async def find_elsewhere(
    session: AsyncSession, *, provider_number: int, digest: bytes
) -> AnyRow | None:
    """Of which provider (``code``) and ``day`` the same file was taken, where it is another.

    A file without lines may well be the same at several.
    """
    query = (
        select(Provider.code, Statement.day)
        .join(Provider, Provider.number == Statement.provider_number)
        .where(
            Statement.content_digest == digest,
            Statement.provider_number != provider_number,
            Statement.line_count > 0,
        )
        .limit(1)
    )
    return (await session.execute(query)).one_or_none()


async def insert_statement(session: AsyncSession, **values: Any) -> int:
    """Keep a statement; its number."""
    number: int | None = await session.scalar(
        insert(Statement).values(**values).returning(Statement.number)
    )
    assert number is not None
    return number


async def copy_lines(session: AsyncSession, number: int, read: StatementRead) -> None:
    """Keep the lines of a statement that could be read, and why the others could not."""
    connection = await driver_connection(session)
    if read.blocks:
        await connection.copy_to_table(
            "statement_line",
            schema_name="payments",
            columns=_COPIED,
            source=_numbered(read.blocks, number),
        )
    if read.faults:
        await connection.copy_records_to_table(
            "statement_fault",
            schema_name="payments",
            columns=["statement_number", "line", "field", "reason"],
            records=[_fault(number, fault) for fault in read.faults],
        )


def _fault(number: int, fault: SetAside) -> tuple[int, int, str, str]:
    return (number, fault.line, fault.field, fault.reason)


async def _numbered(blocks: Sequence[bytes], number: int) -> AsyncIterator[bytes]:
    """The blocks with the statement's number before each of their lines."""
    before = f"{number}\t".encode()
    for block in blocks:
        yield before + block[:-1].replace(b"\n", b"\n" + before) + b"\n"


async def compare(
    session: AsyncSession,
    number: int,
    *,
    provider_number: int,
    begins_at: datetime,
    ends_at: datetime,
    names_each: bool,
    may_repeat: bool,
    at: datetime,
) -> None:
    """Hold a statement's lines against the payments of its provider; keep what differs.

    ``begins_at`` and ``ends_at`` bound the day in our books. What another statement has too is
    looked at where the books have it on another day: elsewhere it cannot be.
    """
    await session.execute(_FOR_SETS)
    of_statement = {"number": number, "provider_number": provider_number}
    timed = {**of_statement, "at": at}
    bounds = {"begins_at": begins_at, "ends_at": ends_at}
    if not names_each:
        named: Any = await session.execute(statements.NAME_BY_REFERENCE, of_statement)
        may_repeat = may_repeat or named.rowcount > 0
    await _compare_lines(session, statements.COMPARE[may_repeat], {**of_statement, **bounds})
    await session.execute(statements.KEEP_DIFFERENCES, timed)
    await session.execute(statements.ON_ANOTHER_TOO, of_statement)
    await session.execute(statements.ON_ANOTHER_BEFORE, timed)
    await session.execute(statements.EXPLAIN_OTHER_DAYS, {"number": number, "at": at})
    await session.execute(statements.EXPLAIN_CHARGES, timed)
    await session.execute(statements.EXPLAIN_BY_ANOTHER, {"number": number, "at": at})
    await session.execute(statements.PREFUNDINGS_NOT_ON_STATEMENT, {**timed, **bounds})
    await session.execute(statements.EXPLAIN_PREFUNDINGS, timed)
    await session.execute(_FOR_ROWS)


async def _compare_lines(
    session: AsyncSession, comparing: TextClause, given: Mapping[str, Any]
) -> None:
    """Compare by several processes; by one where the server has no memory for them to share."""
    try:
        async with session.begin_nested():
            await session.execute(_BY_SEVERAL, _SEVERAL)
            await session.execute(comparing, given)
            await session.execute(_BY_ONE, _SEVERAL)
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) not in _NOTHING_TO_SHARE:
            raise
        await session.execute(comparing, given)


async def mark_superseded(
    session: AsyncSession, *, provider_number: int, day: date, by: UUID, at: datetime
) -> int | None:
    """Have another statement hold in place of the current one; the number of that, if any."""
    number: int | None = await session.scalar(
        update(Statement)
        .where(
            Statement.provider_number == provider_number,
            Statement.day == day,
            Statement.superseded_at.is_(None),
        )
        .values(superseded_by=by, superseded_at=at)
        .returning(Statement.number)
    )
    return number


async def supersede_differences(session: AsyncSession, number: int, *, at: datetime) -> int:
    """Close what is open of a superseded statement, and open again what it explained.

    How much was in SUSPENSE for it.
    """
    given = {"number": number, "at": at}
    in_suspense_minor = await session.scalar(statements.SUPERSEDE_DIFFERENCES, given)
    await session.execute(statements.REOPEN_EXPLAINED, {"number": number})
    return int(in_suspense_minor or 0)


async def carry_over(
    session: AsyncSession, number: int, *, statement_id: UUID, provider_number: int, day: date
) -> None:
    """Have differences that an earlier statement of the day had too go on as they were."""
    await session.execute(
        statements.CARRY_OVER,
        {
            "number": number,
            "statement_id": statement_id,
            "provider_number": provider_number,
            "day": day,
        },
    )


async def suspend_differences(session: AsyncSession, number: int) -> int:
    """Have all that is gone without our order be in SUSPENSE; how much that is more than before."""
    return int(await session.scalar(statements.SUSPEND, {"number": number}) or 0)


async def clear_proven(
    session: AsyncSession, number: int, *, at: datetime, by: str, reason: str
) -> None:
    """Clear alarms that a statement's lines prove wrong."""
    if not await session.scalar(statements.TO_PROVE):
        return
    await session.execute(_FOR_SETS)
    await session.execute(
        statements.CLEAR_PROVEN, {"number": number, "at": at, "by": by, "reason": reason}
    )
    await session.execute(_FOR_ROWS)


def _statements() -> AnySelect:
    return select(Statement.__table__, Provider.code.label("provider")).join(
        Provider, Provider.number == Statement.provider_number
    )


async def find_statement(session: AsyncSession, statement_id: UUID) -> AnyRow | None:
    """A statement, with its provider's code."""
    return (await session.execute(_statements().where(Statement.id == statement_id))).one_or_none()


async def get_by_number(session: AsyncSession, number: int) -> AnyRow:
    """A statement that is known to be there."""
    return (await session.execute(_statements().where(Statement.number == number))).one()


async def list_statements(
    session: AsyncSession,
    *,
    provider: str | None,
    day: date | None,
    before: int | None,
    limit: int,
) -> Sequence[AnyRow]:
    """Statements, the newest first; what is None does not narrow."""
    query = narrowed(_statements(), {Provider.code: provider, Statement.day: day})
    if before is not None:
        query = query.where(Statement.number < before)
    return (await session.execute(query.order_by(Statement.number.desc()).limit(limit))).all()


async def open_counts(session: AsyncSession, numbers: Sequence[int]) -> dict[int, int]:
    """How many differences of each statement are open."""
    query = (
        select(StatementDifference.statement_number, func.count().label("open"))
        .where(
            StatementDifference.statement_number.in_(numbers),
            StatementDifference.closed_at.is_(None),
        )
        .group_by(StatementDifference.statement_number)
    )
    return {row.statement_number: row.open for row in await session.execute(query)}


async def list_lines(
    session: AsyncSession,
    number: int,
    *,
    direction: Direction | None,
    payment_id: UUID | None,
    reference: str | None,
    differs: bool,
    after: int | None,
    limit: int,
) -> Sequence[AnyRow]:
    """A statement's lines in their order; what is None does not narrow."""
    query = narrowed(
        select(StatementLine.__table__).where(StatementLine.statement_number == number),
        {
            StatementLine.direction: direction,
            StatementLine.payment_id: payment_id,
            StatementLine.reference: reference,
        },
    )
    if differs:
        query = query.where(
            StatementLine.line.in_(
                select(StatementDifference.line).where(
                    StatementDifference.statement_number == number,
                    StatementDifference.closed_at.is_(None),
                )
            )
        )
    if after is not None:
        query = query.where(StatementLine.line > after)
    return (await session.execute(query.order_by(StatementLine.line).limit(limit))).all()


async def list_faults(
    session: AsyncSession, number: int, *, after: int | None, limit: int
) -> Sequence[AnyRow]:
    """The lines of a statement that were set aside, in their order."""
    query = select(StatementFault.line, StatementFault.field, StatementFault.reason).where(
        StatementFault.statement_number == number
    )
    if after is not None:
        query = query.where(StatementFault.line > after)
    return (await session.execute(query.order_by(StatementFault.line).limit(limit))).all()
