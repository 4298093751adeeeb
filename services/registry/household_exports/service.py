"""Taking households and members out as files, some rows at a time.

Each piece is a short read of its own: a slow reader holds nothing open, and each row stands as it
stood when its piece was read. Rows come by id: whoever was broken off asks for those behind the
last that they have.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import orjson

from services.registry.household_exports import repository
from services.registry.households.fields import Count, Field
from services.registry.households.persons import PersonalData
from services.registry.households.shape import OPEN, SEALED
from services.registry.members.shape import OPEN as OPEN_OF_MEMBER
from services.registry.members.shape import SEALED as SEALED_OF_MEMBER
from services.registry.sharing.statements import Sharing, agreed_to_all
from shared.audit import Taken
from shared.bounds import Bound
from shared.database import Database
from shared.parquet import PARQUET, Column, GrowingFile, Kind
from shared.spreadsheets import csv_of, guarded

ROWS_AT_ONCE = 2_000
_GROUP_ROWS = 50_000
_BEFORE_ALL = UUID(int=0)


class What(StrEnum):
    """What a row of an export is."""

    HOUSEHOLDS = "households"
    MEMBERS = "members"


class Format(StrEnum):
    """What an export is written in."""

    CSV = "csv"
    NDJSON = "ndjson"
    PARQUET = "parquet"


MEDIA_TYPES = {
    Format.CSV: "text/csv; charset=utf-8",
    Format.NDJSON: "application/x-ndjson",
    Format.PARQUET: PARQUET,
}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Which rows are taken out, and whether with persons."""

    what: What
    persons: bool
    bound: Bound
    area: Bound
    changed_since: datetime | None
    after: UUID | None
    sharings: Sequence[Sharing] = ()
    """Of whoever speaks for partners: for what they are shown persons."""


async def pieces(
    database: Database, asked: Asked, taken: Taken, *, format: Format, personal_data: PersonalData
) -> AsyncIterator[bytes]:
    """The file, some rows at a time; ``taken`` counts them."""
    columns = _columns(asked)
    writer = _Writer(columns, format)
    if begun := writer.begin():
        yield begun
    read = repository.read_households if asked.what is What.HOUSEHOLDS else repository.read_members
    after = asked.after or _BEFORE_ALL
    while True:
        async with database.reading() as session:
            rows = await read(
                session,
                bound=asked.bound,
                area=asked.area,
                changed_since=asked.changed_since,
                after=after,
                limit=ROWS_AT_ONCE,
                shown=agreed_to_all(asked.sharings),
            )
            keys = personal_data.apart()
            if asked.persons:
                await keys.learn(session, {_household_of(row, asked.what) for row in rows})
        if not rows:
            break
        # Sealed values are opened and rows written beside the event loop.
        piece = await asyncio.to_thread(_written, writer, rows, asked, keys)
        taken.rows += len(rows)
        after = rows[-1].id
        if piece:
            yield piece
    if ended := await asyncio.to_thread(writer.end):
        yield ended


def _written(
    writer: "_Writer", rows: Sequence[Any], asked: Asked, personal_data: PersonalData
) -> bytes:
    return writer.add([_told(row, asked, personal_data) for row in rows])


def _household_of(row: Any, what: What) -> UUID:
    household_id: UUID = row.id if what is What.HOUSEHOLDS else row.household_id
    return household_id


def _told(row: Any, asked: Asked, personal_data: PersonalData) -> list[object]:
    *values, sealed, agreed = row
    names = row._fields[:-2]
    shows_persons = asked.persons and agreed
    sensitive = {field.name for field in _fields(asked.what) if field.sensitive or field.personal}
    told = [
        None if name in sensitive and not shows_persons else value
        for name, value in zip(names, values, strict=True)
    ]
    if shows_persons:
        if asked.what is What.HOUSEHOLDS:
            person = personal_data.open_person(sealed, household_id=row.id)
        else:
            person = personal_data.open_sealed(
                sealed, SEALED_OF_MEMBER, bound_to=row.id, household_id=row.household_id
            )
        told += [person[field.name] for field in _sealed(asked.what)]
    elif asked.persons:
        told += [None for _ in _sealed(asked.what)]
    return told


def _fields(what: What) -> Sequence[Field]:
    return OPEN if what is What.HOUSEHOLDS else OPEN_OF_MEMBER


def _sealed(what: What) -> Sequence[Field]:
    return SEALED if what is What.HOUSEHOLDS else SEALED_OF_MEMBER


def _columns(asked: Asked) -> Sequence[Column]:
    """In the order of what the repository reads."""
    fields = [
        Column(
            field.name,
            Kind.INTEGER if isinstance(field.kind, Count) else Kind.CODE,
            field.words.english,
            required=False,
        )
        for field in _fields(asked.what)
    ]
    changed = Column("changed_at", Kind.INSTANT, "When what is known changed last")
    if asked.what is What.HOUSEHOLDS:
        columns = [
            Column("id", Kind.ID, "The household"),
            *fields,
            Column("members_listed", Kind.CODE, "Whether its members are known one by one"),
            Column("provider_code", Kind.CODE, "Where it has an account now", required=False),
            changed,
        ]
    else:
        columns = [
            Column("id", Kind.ID, "The member"),
            Column("household_id", Kind.ID, "The household"),
            Column("area_code", Kind.CODE, "The commune of the household"),
            *fields,
            Column("joined_on", Kind.CODE, "Since when they are one of it", required=False),
            Column("left_on", Kind.CODE, "The first day when they are not", required=False),
            Column("left_because", Kind.CODE, "Why they left", required=False),
            changed,
        ]
    if asked.persons:
        columns += [
            Column(field.name, Kind.CODE, field.words.english, required=False)
            for field in _sealed(asked.what)
        ]
    return columns


class _Writer:
    """Writes rows in one format."""

    def __init__(self, columns: Sequence[Column], format: Format) -> None:
        self._columns = columns
        self._format = format
        self._file = (
            GrowingFile(columns, metadata={}, group_rows=_GROUP_ROWS)
            if format is Format.PARQUET
            else None
        )

    def begin(self) -> bytes:
        if self._format is Format.CSV:
            return csv_of([[column.name for column in self._columns]])
        return b""

    def add(self, rows: Sequence[Sequence[object]]) -> bytes:
        if self._file is not None:
            return self._file.add(
                [
                    [
                        value if column.kind is not Kind.CODE else _text(value)
                        for column, value in zip(self._columns, row, strict=True)
                    ]
                    for row in rows
                ]
            )
        if self._format is Format.CSV:
            return csv_of([_cell(value) for value in row] for row in rows)
        names = [column.name for column in self._columns]
        return b"".join(
            # The driver has a UUID of its own.
            orjson.dumps(
                dict(zip(names, row, strict=True)), default=str, option=orjson.OPT_APPEND_NEWLINE
            )
            for row in rows
        )

    def end(self) -> bytes:
        return b"" if self._file is None else self._file.end()


def _text(value: object) -> str | None:
    match value:
        case None:
            return None
        case bool():
            return "yes" if value else "no"
        case date():
            return value.isoformat()
        case _:
            return str(value)


def _cell(value: object) -> object:
    match value:
        case datetime():
            return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        case bool():
            return "yes" if value else "no"
        case str():
            return guarded(value)
        case _:
            return value
