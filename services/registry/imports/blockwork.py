"""The work on one block of rows that needs no database: read, index, seal, pack for COPY.

All of it is plain computation, run in a thread beside the event loop while PostgreSQL stores the
block before.
"""

import csv
import io
import os
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from services.registry.households.persons import Person, PersonalData
from services.registry.imports.blocks import Unreadable
from services.registry.imports.rows import COLUMNS, Fault, HouseholdRow, read_row

HOUSEHOLD_COLUMNS = (
    "id",
    "area_code",
    "poverty_status",
    "members",
    "children_0_5",
    "pregnant",
    "disabled",
    "elderly_60",
    "person_sealed",
    "registration_index",
    "phone_index",
    "id_number_index",
    "content_index",
    "changed_at",
)
ACCOUNT_COLUMNS = (
    "id",
    "household_id",
    "provider_code",
    "account_sealed",
    "account_index",
    "began_at",
)


class Rejection(NamedTuple):
    """One fault of one row, by its line in the body (the header is line 1)."""

    line: int
    fault: Fault


class ReadRow(NamedTuple):
    """A row that is taken, with what it is found by."""

    row: HouseholdRow
    registration_index: bytes
    content_index: bytes


class KnownHousehold(NamedTuple):
    """What is stored of a household that an import names."""

    id: UUID
    content_index: bytes
    provider_code: str | None
    account_index: bytes | None


@dataclass
class ReadBlock:
    """A block's rows, read."""

    rows: list[ReadRow] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    rejected_count: int = 0
    last_line: int = 0


class Reader:
    """Reads the blocks of one body in order; knows what the body said before."""

    def __init__(self, *, communes: frozenset[str], personal_data: PersonalData) -> None:
        self._communes = communes
        self._personal_data = personal_data
        self._seen: set[bytes] = set()
        self._line = 0

    def read(self, block: bytes) -> ReadBlock:
        """The rows of the next block; raises Unreadable where the header is not ours."""
        done = ReadBlock()
        # A cell that is not UTF-8 keeps U+FFFD, which no column takes.
        lines = csv.reader(io.StringIO(block.decode("utf-8-sig", "replace"), newline=""))
        before = self._line
        begins = 0
        try:
            for cells in lines:
                line, begins = before + begins + 1, lines.line_num
                if line == 1:
                    _require_header(cells)
                elif cells:
                    self._read(cells, line, done)
        except csv.Error as error:
            raise Unreadable(f"Line {before + lines.line_num} is not CSV ({error}).") from None
        self._line = before + lines.line_num
        done.last_line = self._line
        return done

    def _read(self, cells: list[str], line: int, done: ReadBlock) -> None:
        row = read_row(cells, communes=self._communes)
        if not isinstance(row, HouseholdRow):
            done.rejected_count += 1
            done.rejections += [Rejection(line, fault) for fault in row]
            return
        registration_index = self._personal_data.registration_index(row.registration_number)
        if registration_index in self._seen:
            done.rejected_count += 1
            detail = "An earlier line of this file has the same registration number."
            done.rejections.append(
                Rejection(line, Fault("registration_number", "repeated", detail))
            )
            return
        self._seen.add(registration_index)
        content = "\x1f".join(map(str, row))
        done.rows.append(
            ReadRow(row, registration_index, self._personal_data.content_index(content))
        )


def _require_header(cells: list[str]) -> None:
    if tuple(cells) != COLUMNS:
        raise Unreadable(f"The first line must be: {','.join(COLUMNS)}")


@dataclass
class SealedBlock:
    """A block ready to be stored: new households as COPY bytes, changed ones as records."""

    added_count: int
    unchanged_count: int
    households: bytes
    accounts: bytes
    changed_households: list[tuple[object, ...]]
    changed_accounts: list[tuple[object, ...]]


def seal(
    block: ReadBlock,
    *,
    known: Mapping[bytes, KnownHousehold],
    personal_data: PersonalData,
    now: datetime,
) -> SealedBlock:
    """Seal the rows that are new or changed; ``known`` is by registration index."""
    moment = _INSTANT.pack(8, (now - _POSTGRES_BEGINNING) // _MICROSECOND)
    household_ids = iter(_new_ids(len(block.rows)))
    account_ids = iter(_new_ids(len(block.rows)))
    households = [_COPY_BEGINS]
    accounts = [_COPY_BEGINS]
    changed_households: list[tuple[object, ...]] = []
    changed_accounts: list[tuple[object, ...]] = []
    added_count = unchanged_count = 0
    for one in block.rows:
        stored = known.get(one.registration_index)
        if stored is None:
            household_id = next(household_ids)
            households += _household_fields(one, household_id, moment, personal_data)
            if one.row.account:
                accounts += _account_fields(
                    one.row, next(account_ids), household_id, moment, personal_data
                )
            added_count += 1
        elif stored.content_index == one.content_index:
            unchanged_count += 1
        else:
            changed_households.append(_changed_household(one, stored.id, now, personal_data))
            account = _changed_account(one.row, stored, next(account_ids), now, personal_data)
            if account:
                changed_accounts.append(account)
    households.append(_COPY_ENDS)
    accounts.append(_COPY_ENDS)
    return SealedBlock(
        added_count=added_count,
        unchanged_count=unchanged_count,
        households=b"".join(households),
        accounts=b"".join(accounts),
        changed_households=changed_households,
        changed_accounts=changed_accounts,
    )


# PostgreSQL's binary COPY format: https://www.postgresql.org/docs/18/sql-copy.html#id-1.9.3.55.9.4
_COPY_BEGINS = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_COPY_ENDS = b"\xff\xff"
_NULL = b"\xff\xff\xff\xff"
_LENGTH = struct.Struct(">i").pack
_INSTANT = struct.Struct(">iq")
_COUNTS = struct.Struct(">ihihihihih").pack
_POSTGRES_BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = datetime.resolution
_LENGTH_16 = _LENGTH(16)
_LENGTH_6 = _LENGTH(6)
_HOUSEHOLD_ROW = struct.pack(">h", len(HOUSEHOLD_COLUMNS)) + _LENGTH_16
_ACCOUNT_ROW = struct.pack(">h", len(ACCOUNT_COLUMNS)) + _LENGTH_16


def _field(value: bytes) -> bytes:
    return _LENGTH(len(value)) + value


def _household_fields(
    one: ReadRow, household_id: bytes, moment: bytes, personal_data: PersonalData
) -> tuple[bytes, ...]:
    row = one.row
    return (
        _HOUSEHOLD_ROW,
        household_id,
        _LENGTH_6,
        row.commune_code.encode(),
        _field(row.poverty_status.encode()),
        _COUNTS(
            2, row.members, 2, row.children_0_5, 2, row.pregnant, 2, row.disabled, 2, row.elderly_60
        ),
        _field(personal_data.seal_person(_person(row), household_id=household_id)),
        _LENGTH_16,
        one.registration_index,
        _LENGTH_16 + personal_data.phone_index(row.phone) if row.phone else _NULL,
        _LENGTH_16 + personal_data.id_number_index(row.id_number) if row.id_number else _NULL,
        _LENGTH_16,
        one.content_index,
        moment,
    )


def _account_fields(
    row: HouseholdRow,
    account_id: bytes,
    household_id: bytes,
    moment: bytes,
    personal_data: PersonalData,
) -> tuple[bytes, ...]:
    account = row.account or ""
    return (
        _ACCOUNT_ROW,
        account_id,
        _LENGTH_16,
        household_id,
        _field((row.provider_code or "").encode()),
        _field(personal_data.seal_account(account, household_id=household_id)),
        _LENGTH_16,
        personal_data.account_index(account),
        moment,
    )


def _changed_household(
    one: ReadRow, household_id: UUID, now: datetime, personal_data: PersonalData
) -> tuple[object, ...]:
    row = one.row
    return (
        household_id,
        row.commune_code,
        row.poverty_status,
        row.members,
        row.children_0_5,
        row.pregnant,
        row.disabled,
        row.elderly_60,
        personal_data.seal_person(_person(row), household_id=household_id.bytes),
        one.registration_index,
        personal_data.phone_index(row.phone) if row.phone else None,
        personal_data.id_number_index(row.id_number) if row.id_number else None,
        one.content_index,
        now,
    )


def _changed_account(
    row: HouseholdRow,
    stored: KnownHousehold,
    account_id: bytes,
    now: datetime,
    personal_data: PersonalData,
) -> tuple[object, ...] | None:
    """The account to change to. A row without one leaves the household the account it has."""
    if not row.account:
        return None
    account_index = personal_data.account_index(row.account)
    if (row.provider_code, account_index) == (stored.provider_code, stored.account_index):
        return None
    sealed = personal_data.seal_account(row.account, household_id=stored.id.bytes)
    return (UUID(bytes=account_id), stored.id, row.provider_code, sealed, account_index, now)


def _person(row: HouseholdRow) -> Person:
    return Person(row.head_name, row.phone, row.id_number, row.registration_number)


def _new_ids(count: int) -> list[bytes]:
    """UUIDv7 (RFC 9562, section 5.7) as 16 bytes each, made together."""
    milliseconds = (time.time_ns() // 1_000_000).to_bytes(6, "big")
    random = os.urandom(10 * count)
    return [
        milliseconds
        + bytes((0x70 | random[at] & 0x0F, random[at + 1], 0x80 | random[at + 2] & 0x3F))
        + random[at + 3 : at + 10]
        for at in range(0, 10 * count, 10)
    ]
