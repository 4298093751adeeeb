"""Files, their pieces, the readings of them and kept mappings, in the database."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import Row, delete, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.imports.tables import (
    HouseholdImport,
    ImportFile,
    ImportMapping,
    ImportNote,
    ImportRun,
    RunStatus,
)
from services.registry.members.tables import Programme

_ADD_PIECES = ["id", "file_id", "import_id", "number", "piece_sealed", "received_at"]
_PIECES = """
    SELECT id, piece_sealed FROM registry.import_piece
    WHERE file_id = $1 AND number >= $2 AND number < $3
    ORDER BY number
"""

_FORGET = """
    WITH areas AS (DELETE FROM registry.import_area WHERE run_id = $1),
         notes AS (DELETE FROM registry.import_note WHERE run_id = $1)
    DELETE FROM registry.import_rejection WHERE import_id = $2
"""
_BEGIN = """
    UPDATE registry.import_run
    SET status = 'running', begun_at = coalesce(begun_at, $2), checked_at = $3, line_done = 0,
        share_done = 0, rows_read = 0, rows_bad = 0, households_added = 0, households_changed = 0,
        households_unchanged = 0, members_added = 0, members_changed = 0, members_unchanged = 0,
        members_left = 0
    WHERE id = $1
"""
_BEGIN_IMPORT = """
    UPDATE registry.household_import
    SET status = 'receiving', sent_by = $2, begun_at = $3, ended_at = NULL, rows_read = 0,
        households_added = 0, households_changed = 0, households_unchanged = 0, rows_rejected = 0,
        accounts_changed = 0, stopped_at_line = NULL
    WHERE id = $1
"""
_REACH = """
    UPDATE registry.import_run
    SET line_done = $2, share_done = $3, seconds = $4, rows_read = rows_read + $5,
        rows_bad = rows_bad + $6, households_added = households_added + $7,
        households_changed = households_changed + $8,
        households_unchanged = households_unchanged + $9, members_added = members_added + $10,
        members_changed = members_changed + $11, members_unchanged = members_unchanged + $12,
        members_left = members_left + $13
    WHERE id = $1
"""
_END = """
    UPDATE registry.import_run
    SET status = $2::registry.import_run_status, ended_at = $3, stopped_because = $4,
        share_done = CASE WHEN $2 = 'completed' THEN 1 ELSE share_done END
    WHERE id = $1
"""
_AREAS = """
    INSERT INTO registry.import_area AS known
        (run_id, area_code, households_added, households_changed, households_unchanged, rows_bad)
    SELECT $1, * FROM unnest($2::text[], $3::integer[], $4::integer[], $5::integer[], $6::integer[])
    ON CONFLICT (run_id, area_code) DO UPDATE SET
        households_added = known.households_added + excluded.households_added,
        households_changed = known.households_changed + excluded.households_changed,
        households_unchanged = known.households_unchanged + excluded.households_unchanged,
        rows_bad = known.rows_bad + excluded.rows_bad
"""
_NOTES = """
    INSERT INTO registry.import_note AS known (run_id, column_name, code, rows)
    SELECT $1, * FROM unnest($2::text[], $3::text[], $4::integer[])
    ON CONFLICT (run_id, column_name, code) DO UPDATE SET rows = known.rows + excluded.rows
"""
_BY_AREA = text(
    """
    SELECT left(area_code, :digits) AS area_code, sum(households_added) AS households_added,
           sum(households_changed) AS households_changed,
           sum(households_unchanged) AS households_unchanged, sum(rows_bad) AS rows_bad
    FROM registry.import_area
    WHERE run_id = :run_id AND (CAST(:after AS text) IS NULL OR left(area_code, :digits) > :after)
    GROUP BY 1 ORDER BY 1 LIMIT :limit
    """
)


async def rows_of(session: AsyncSession, import_id: UUID) -> Any:
    """What a row of an import is; None: there is no such import."""
    return await session.scalar(
        select(HouseholdImport.rows_of).where(HouseholdImport.id == import_id)
    )


async def programme_codes(session: AsyncSession) -> frozenset[str]:
    """The codes of the routine programmes."""
    return frozenset(await session.scalars(select(Programme.code)))


# Files.


async def drop_pieces(connection: asyncpg.Connection, import_id: UUID) -> None:
    """Remove every piece of an import, of its file and of what was cut off."""
    await connection.execute("DELETE FROM registry.import_piece WHERE import_id = $1", import_id)


async def add_pieces(
    connection: asyncpg.Connection, pieces: Sequence[tuple[UUID, UUID, UUID, int, bytes, datetime]]
) -> None:
    """Keep some pieces."""
    await connection.copy_records_to_table(
        "import_piece", schema_name="registry", columns=_ADD_PIECES, records=pieces
    )


async def find_pieces(
    connection: asyncpg.Connection, file_id: UUID, numbers: range
) -> list[tuple[UUID, bytes]]:
    """Pieces that follow one another, each with its id; of those that were removed, none."""
    rows = await connection.fetch(_PIECES, file_id, numbers.start, numbers.stop)
    return [(row[0], row[1]) for row in rows]


async def keep_file(session: AsyncSession, **fields: Any) -> None:
    """Keep what an import's file is, in place of the one before."""
    await session.execute(delete(ImportFile).where(ImportFile.import_id == fields["import_id"]))
    await session.execute(insert(ImportFile).values(**fields))


async def keep_mapping_of(
    session: AsyncSession, file_id: UUID, *, mapping: Mapping[str, Any], **seen: Any
) -> None:
    """Keep how a file is read."""
    await session.execute(
        update(ImportFile).where(ImportFile.id == file_id).values(mapping=mapping, **seen)
    )


async def find_file(session: AsyncSession, import_id: UUID) -> ImportFile | None:
    """The file of an import."""
    return await session.scalar(select(ImportFile).where(ImportFile.import_id == import_id))


# Runs.


async def find_active_run(session: AsyncSession, import_id: UUID) -> ImportRun | None:
    """The reading of an import's file that has not ended."""
    return await session.scalar(
        select(ImportRun).where(ImportRun.import_id == import_id, ImportRun.ended_at.is_(None))
    )


async def add_run(session: AsyncSession, **fields: Any) -> bool:
    """Ask for a reading; whether no other of the import has not ended."""
    added = await session.scalar(
        upsert(ImportRun)
        .values(status=RunStatus.WAITING, **fields)
        .on_conflict_do_nothing()
        .returning(ImportRun.id)
    )
    return added is not None


async def last_runs(session: AsyncSession, import_ids: Sequence[UUID]) -> dict[UUID, ImportRun]:
    """The last reading of each of some imports, by import."""
    runs = await session.scalars(
        select(ImportRun)
        .where(ImportRun.import_id.in_(import_ids))
        .ext(distinct_on(ImportRun.import_id))
        .order_by(ImportRun.import_id, ImportRun.id.desc())
    )
    return {run.import_id: run for run in runs}


async def list_runs(
    session: AsyncSession, import_id: UUID, *, before: UUID | None, limit: int
) -> list[ImportRun]:
    """The readings of an import's files, the newest first."""
    query = select(ImportRun).where(ImportRun.import_id == import_id)
    if before is not None:
        query = query.where(ImportRun.id < before)
    return list((await session.scalars(query.order_by(ImportRun.id.desc()).limit(limit))).all())


async def find_run(session: AsyncSession, import_id: UUID, run_id: UUID) -> ImportRun | None:
    """One reading."""
    return await session.scalar(
        select(ImportRun).where(ImportRun.id == run_id, ImportRun.import_id == import_id)
    )


async def notes_of(session: AsyncSession, run_id: UUID) -> list[ImportNote]:
    """What a reading put right: there are few."""
    query = select(ImportNote).where(ImportNote.run_id == run_id)
    return list(await session.scalars(query.order_by(ImportNote.column, ImportNote.code)))


async def by_area(
    session: AsyncSession, run_id: UUID, *, digits: int, after: str | None, limit: int
) -> Sequence[Row[Any]]:
    """What a reading found, by area, after one code."""
    rows = await session.execute(
        _BY_AREA, {"run_id": run_id, "digits": digits, "after": after, "limit": limit}
    )
    return rows.all()


async def waiting_runs(session: AsyncSession) -> list[tuple[UUID, UUID]]:
    """Readings that have not ended, with their imports, the oldest first."""
    query = select(ImportRun.id, ImportRun.import_id).where(ImportRun.ended_at.is_(None))
    rows = await session.execute(query.order_by(ImportRun.asked_at, ImportRun.id))
    return [(run_id, import_id) for run_id, import_id in rows]


async def under_way_by_status(session: AsyncSession) -> dict[RunStatus, tuple[int, datetime]]:
    """How many readings have no end yet, and when the oldest was asked for, by where they stand."""
    rows = await session.execute(
        select(ImportRun.status, func.count(), func.min(ImportRun.asked_at))
        .where(ImportRun.ended_at.is_(None))
        .group_by(ImportRun.status)
    )
    return {status: (count, oldest_at) for status, count, oldest_at in rows}


async def begin_run(
    connection: asyncpg.Connection,
    run: ImportRun,
    *,
    changes: bool,
    checked_at: datetime | None,
    now: datetime,
) -> None:
    """Begin a reading, or the second of one that is to be all or nothing, from the first row."""
    async with connection.transaction():
        await connection.execute(_FORGET, run.id, run.import_id)
        await connection.execute(_BEGIN, run.id, now, checked_at)
        if changes:
            await connection.execute(_BEGIN_IMPORT, run.import_id, run.asked_by, now)


async def reach(
    connection: asyncpg.Connection,
    run_id: UUID,
    *,
    line: int,
    share: float,
    seconds: float,
    counts: Sequence[int],
    areas: Mapping[str, Sequence[int]],
    notes: Counter[tuple[str, str]],
) -> None:
    """How far a reading is, and what it found on the way; in the transaction of the block.

    ``counts`` are rows read and bad, households added, changed and unchanged, members added,
    changed, unchanged and left; ``areas`` has the households and the bad rows of each commune.
    """
    await connection.execute(_REACH, run_id, line, share, seconds, *counts)
    if areas:
        await connection.execute(
            _AREAS, run_id, list(areas), *map(list, zip(*areas.values(), strict=True))
        )
    if notes:
        columns, codes = zip(*notes, strict=True)
        await connection.execute(_NOTES, run_id, list(columns), list(codes), list(notes.values()))


async def end_run(
    connection: asyncpg.Connection,
    run_id: UUID,
    status: RunStatus,
    *,
    because: str | None,
    now: datetime,
) -> None:
    """Record how a reading ended."""
    await connection.execute(_END, run_id, str(status), now, because)


# Mappings.


async def list_mappings(
    session: AsyncSession, *, after: str | None, limit: int
) -> list[ImportMapping]:
    """Kept mappings by name, after one."""
    query = select(ImportMapping)
    if after is not None:
        query = query.where(ImportMapping.name > after)
    return list((await session.scalars(query.order_by(ImportMapping.name).limit(limit))).all())


async def find_mapping(session: AsyncSession, name: str) -> ImportMapping | None:
    """The mapping of that name."""
    return await session.scalar(select(ImportMapping).where(ImportMapping.name == name))


async def keep_mapping(session: AsyncSession, **fields: Any) -> None:
    """Keep a mapping, in place of the one of its name."""
    kept = upsert(ImportMapping).values(**fields)
    await session.execute(
        kept.on_conflict_do_update(
            index_elements=[ImportMapping.name],
            set_={name: kept.excluded[name] for name in fields if name != "name"},
        )
    )


async def drop_mapping(session: AsyncSession, name: str) -> bool:
    """Forget a mapping; whether there was one."""
    dropped = await session.scalar(
        delete(ImportMapping).where(ImportMapping.name == name).returning(ImportMapping.name)
    )
    return dropped is not None


async def count_mappings(session: AsyncSession) -> int:
    """How many are kept."""
    return await session.scalar(select(func.count()).select_from(ImportMapping)) or 0
