"""Imports in the database, and the households that they bring."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import (
    Boolean,
    ColumnElement,
    Row,
    Select,
    case,
    delete,
    insert,
    literal,
    literal_column,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.accounts.tables import AccountChange
from services.registry.areas.repository import require_edition
from services.registry.changes.repository import Said, say_on
from services.registry.changes.tables import ChangeKind
from services.registry.household_keys.repository import hold_on
from services.registry.households.shape import COMMUNE, VILLAGE
from services.registry.imports.reading import ReadBlock, Rejection
from services.registry.imports.sealing import (
    CHANGE_COLUMNS,
    HOUSEHOLD_COLUMNS,
    KnownHousehold,
    SealedBlock,
)
from services.registry.imports.tables import HouseholdImport, ImportRejection, ImportStatus
from shared.copying import copy_encoded, copy_rows
from shared.events import Event, append_on

_LOCK_CLASS = 7_201

# The connection that receives an import holds this lock, and loses it whatever way it dies.
_TRY_LOCK = f"SELECT pg_try_advisory_lock({_LOCK_CLASS}, hashtext($1::text))"
_HELD = literal_column(
    "EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2 "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
    f"AND classid = {_LOCK_CLASS} "
    "AND objid = (hashtext(household_import.id::text)::bigint & 4294967295)::oid)",
    Boolean,
)

_BEGIN = text(
    """
    UPDATE registry.household_import
    SET status = 'receiving', sent_by = :by, begun_at = :now, ended_at = NULL, rows_read = 0,
        households_added = 0, households_changed = 0, households_unchanged = 0, rows_rejected = 0,
        accounts_changed = 0, stopped_at_line = NULL
    WHERE id = :import_id
    RETURNING created_by
    """
)
_COUNT = """
    UPDATE registry.household_import
    SET rows_read = rows_read + $6,
        households_added = households_added + $2,
        households_changed = households_changed + $3,
        households_unchanged = households_unchanged + $4,
        rows_rejected = rows_rejected + $5
    WHERE id = $1
"""
_END = """
    UPDATE registry.household_import SET status = $2, ended_at = $3, stopped_at_line = $4
    WHERE id = $1
"""

_REJECTIONS = """
    SELECT line, column_name, code, detail FROM registry.import_rejection
    WHERE import_id = $1 AND line BETWEEN $2 AND $3 ORDER BY line, column_name
"""

_KNOWN = """
    SELECT household.registration_index, household.id, household.content_index,
           account.provider_code, account.account_index,
           household.erased_at IS NOT NULL OR key.destroyed_at IS NOT NULL, key.material
    FROM registry.household
    LEFT JOIN registry.household_key AS key ON key.household_id = household.id
    LEFT JOIN registry.payee_account AS account
        ON account.household_id = household.id AND account.ended_at IS NULL
"""
_KNOWN_BY_NUMBER = f"{_KNOWN} WHERE household.registration_index = ANY($1)"
# Who was erased before the index's key was changed is found by no number any more.
_KNOWN_BY_ID = f"{_KNOWN} WHERE household.id = ANY($1)"

_GIVEN_TABLES = """
    CREATE TEMP TABLE IF NOT EXISTS given_household (LIKE registry.household INCLUDING DEFAULTS)
        ON COMMIT DELETE ROWS;
"""
_CHANGED = [name for name in HOUSEHOLD_COLUMNS if name != "id"]
# A file that says no village leaves a household that stays in its commune the one that it has.
_GIVEN = {
    VILLAGE.name: f"coalesce(given.{VILLAGE.name}, CASE WHEN household.{COMMUNE.name} = "
    f"given.{COMMUNE.name} THEN household.{VILLAGE.name} END)"
}
_CHANGE_HOUSEHOLDS = f"""
    UPDATE registry.household
    SET {", ".join(f"{name} = {_GIVEN.get(name, f'given.{name}')}" for name in _CHANGED)}
    FROM given_household AS given WHERE household.id = given.id
"""


async def _nothing() -> None:
    """Beside a block whose sender keeps no count of its own."""


async def lock_import(connection: asyncpg.Connection, import_id: UUID) -> bool:
    """Whether nobody else receives this import; the lock goes with the connection."""
    locked: bool = await connection.fetchval(_TRY_LOCK, str(import_id))
    return locked


async def begin(session: AsyncSession, import_id: UUID, *, by: str, now: datetime) -> str | None:
    """Who announced the import, which begins anew with its counts and rejections; None: no such."""
    announced_by: str | None = await session.scalar(
        _BEGIN, {"import_id": import_id, "by": by, "now": now}
    )
    await session.execute(delete(ImportRejection).where(ImportRejection.import_id == import_id))
    return announced_by


async def end(
    connection: asyncpg.Connection,
    import_id: UUID,
    status: ImportStatus,
    *,
    stopped_at_line: int | None,
    now: datetime,
) -> None:
    """Record how the sending ended."""
    await connection.execute(_END, import_id, str(status), now, stopped_at_line)


async def prefer_indexes(connection: asyncpg.Connection) -> None:
    """A block is small against the registry, whatever the statistics say while it fills."""
    await connection.execute(
        "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; "
        "SET max_parallel_workers_per_gather = 0"
    )


async def known_households(
    connection: asyncpg.Connection, registration_indexes: Sequence[bytes]
) -> dict[bytes, KnownHousehold]:
    """The stored households among these, by registration index."""
    rows = await connection.fetch(_KNOWN_BY_NUMBER, registration_indexes)
    return {row[0]: KnownHousehold(*row[1:]) for row in rows}


async def known_by_id(
    connection: asyncpg.Connection, ids: Sequence[UUID]
) -> dict[UUID, KnownHousehold]:
    """The stored households with these ids."""
    rows = await connection.fetch(_KNOWN_BY_ID, ids)
    return {row[1]: KnownHousehold(*row[1:]) for row in rows}


async def store_block(
    connection: asyncpg.Connection,
    import_id: UUID,
    read: ReadBlock,
    sealed: SealedBlock,
    *,
    told: Sequence[Event],
    edition: int,
    by: str,
    now: datetime,
    rows: int | None = None,
    beside: Callable[[], Awaitable[None]] = _nothing,
) -> None:
    """Store a block in one transaction, with its counts and rejections and what is told of it.

    Of its households, those that are not new are held first, so that nobody is sealed who was
    erased meanwhile. ``beside`` is done within it; ``rows`` is how many they are, where not each
    is a household.

    Raises asyncpg.UniqueViolationError where somebody else registered one of the new households
    in the meantime, KeysChanged where one was erased, and EditionChanged where places are called
    otherwise since they were read.
    """
    async with connection.transaction():
        await require_edition(connection, edition)
        await say_on(connection, Said(kind=ChangeKind.IMPORTED, by=by, at=now, import_id=import_id))
        await hold_on(connection, sealed.held)
        await copy_encoded(connection, sealed.households)
        await copy_encoded(connection, sealed.materials)
        await copy_encoded(connection, sealed.accounts)
        if sealed.changed_households:
            await _change(connection, sealed)
        await add_rejections(connection, import_id, read.rejections)
        await connection.execute(
            _COUNT,
            import_id,
            len(sealed.households),
            len(sealed.changed_households),
            sealed.unchanged_count,
            read.rejected_count,
            _rows_of(sealed, read) if rows is None else rows,
        )
        await append_on(connection, told)
        await beside()


async def add_rejections(
    connection: asyncpg.Connection, import_id: UUID, rejections: Sequence[Rejection]
) -> None:
    """Keep what is wrong with some rows."""
    if rejections:
        await connection.copy_records_to_table(
            "import_rejection",
            schema_name="registry",
            columns=["import_id", "line", "column_name", "code", "detail"],
            records=[(import_id, rejection.line, *rejection.fault) for rejection in rejections],
        )


def _rows_of(sealed: SealedBlock, read: ReadBlock) -> int:
    households = len(sealed.households) + len(sealed.changed_households) + sealed.unchanged_count
    return households + read.rejected_count


async def _change(connection: asyncpg.Connection, sealed: SealedBlock) -> None:
    await connection.execute(_GIVEN_TABLES)
    await connection.copy_records_to_table(
        "given_household", columns=HOUSEHOLD_COLUMNS, records=sealed.changed_households
    )
    await connection.execute(_CHANGE_HOUSEHOLDS)
    await copy_rows(connection, AccountChange, CHANGE_COLUMNS, sealed.account_changes)


async def add_import(session: AsyncSession, **fields: Any) -> None:
    """Keep an import to come; ``fields`` are the table's columns, without the counts."""
    await session.execute(insert(HouseholdImport).values(status=ImportStatus.CREATED, **fields))


async def keep_accounts_changed(session: AsyncSession, import_id: UUID, changed: int) -> None:
    """Keep how many accounts of known households a sending changed by itself."""
    await session.execute(
        update(HouseholdImport)
        .where(HouseholdImport.id == import_id)
        .values(accounts_changed=changed)
    )


async def announced_by(session: AsyncSession, import_id: UUID) -> str:
    """Who announced an import."""
    query = select(HouseholdImport.created_by).where(HouseholdImport.id == import_id)
    return str(await session.scalar(query))


def _status() -> ColumnElement[ImportStatus]:
    """Whoever says to be receiving without holding the lock was cut off."""
    status = HouseholdImport.status
    cut_off = (status == ImportStatus.RECEIVING) & ~_HELD
    return case((cut_off, literal(ImportStatus.INTERRUPTED, status.type)), else_=status)


_FIELDS = tuple(column for column in HouseholdImport.__table__.c if column.name != "status")


async def find_import(session: AsyncSession, import_id: UUID) -> Row[Any] | None:
    """An import as it stands."""
    query: Select[Any] = select(*_FIELDS, _status().label("status"))
    rows = await session.execute(query.where(HouseholdImport.id == import_id))
    found: Row[Any] | None = rows.one_or_none()
    return found


async def list_imports(
    session: AsyncSession, *, before: UUID | None, limit: int
) -> Sequence[Row[Any]]:
    """Imports, the newest first, before one id."""
    query: Select[Any] = select(*_FIELDS, _status().label("status"))
    if before is not None:
        query = query.where(HouseholdImport.id < before)
    rows = await session.execute(query.order_by(HouseholdImport.id.desc()).limit(limit))
    found: Sequence[Row[Any]] = rows.all()
    return found


async def rejections_between(
    connection: asyncpg.Connection, import_id: UUID, *, first: int, last: int
) -> dict[int, list[tuple[str, str, str]]]:
    """The column, code and remedy of what is wrong with the rows of some lines."""
    rows = await connection.fetch(_REJECTIONS, import_id, first, last)
    found: dict[int, list[tuple[str, str, str]]] = {}
    for line, *fault in rows:
        found.setdefault(line, []).append((fault[0], fault[1], fault[2]))
    return found


async def list_rejections(
    session: AsyncSession, import_id: UUID, *, after: tuple[int, str] | None, limit: int
) -> list[ImportRejection]:
    """Rejections by line and column, after one of them."""
    place = tuple_(ImportRejection.line, ImportRejection.column)
    query = select(ImportRejection).where(ImportRejection.import_id == import_id)
    if after is not None:
        query = query.where(place > after)
    rows = await session.scalars(
        query.order_by(ImportRejection.line, ImportRejection.column).limit(limit)
    )
    return list(rows.all())
