"""Sealing the rows of a block, and packing them for PostgreSQL's binary COPY.

Plain computation, run in a thread beside the event loop while PostgreSQL stores the block before.
The format: https://www.postgresql.org/docs/18/sql-copy.html#id-1.9.3.55.9.4
"""

import os
import struct
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, compress, repeat
from typing import Any, NamedTuple
from uuid import UUID

from services.registry.households.fields import Field, Kept, packed
from services.registry.households.persons import PersonalData
from services.registry.households.shape import ACCOUNT, FOUND, OPEN, PROVIDER, SEALED
from services.registry.imports.reading import ReadBlock
from services.registry.imports.rows import Columns, pick

_FOUND_BY = {
    known.found_by.column: known
    for known in FOUND
    if known.found_by is not None and known.kept is Kept.SEALED
}
HOUSEHOLD_COLUMNS = (
    "id",
    *(known.name for known in OPEN),
    "person_sealed",
    *_FOUND_BY,
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

_BEGINS = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_ENDS = b"\xff\xff"
_NULL = b"\xff\xff\xff\xff"
_SIXTEEN_BYTES = struct.pack(">i", 16)
"""Before an identifier and before a blind index."""
_INSTANT = struct.Struct(">iq")
_POSTGRES_BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = datetime.resolution
_PACKERS: Mapping[str, Callable[[Any], bytes]] = {
    known.name: known.kind.packer() for known in (*OPEN, PROVIDER)
}


class KnownHousehold(NamedTuple):
    """What is stored of a household that an import names."""

    id: UUID
    content_index: bytes
    provider_code: str | None
    account_index: bytes | None


@dataclass(frozen=True)
class Packed:
    """Rows of one table as COPY takes them."""

    count: int
    rows: bytes


@dataclass(frozen=True)
class SealedBlock:
    """A block ready to be stored."""

    households: Packed
    accounts: Packed
    changed_households: Packed
    changed_accounts: Packed
    unchanged_count: int


def seal(
    block: ReadBlock,
    *,
    known: Mapping[bytes, KnownHousehold],
    personal_data: PersonalData,
    now: datetime,
) -> SealedBlock:
    """Seal the rows that are new or changed; ``known`` is by registration index."""
    stored = [known.get(index) for index in block.registration_indexes]
    new = [at for at, household in enumerate(stored) if household is None]
    changed = {
        at: household
        for at, household in enumerate(stored)
        if household is not None and household.content_index != block.content_indexes[at]
    }
    packing = _Packing(personal_data, now)
    households, accounts = packing.rows(block, new, _new_ids(len(new)))
    changed_households, changed_accounts = packing.rows(
        block,
        list(changed),
        [household.id.bytes for household in changed.values()],
        stored=list(changed.values()),
    )
    return SealedBlock(
        households=households,
        accounts=accounts,
        changed_households=changed_households,
        changed_accounts=changed_accounts,
        unchanged_count=len(stored) - len(new) - len(changed),
    )


class _Packing:
    """Packs rows of one block: sealed with these keys, at this moment."""

    def __init__(self, personal_data: PersonalData, now: datetime) -> None:
        self._personal_data = personal_data
        self._moment = _INSTANT.pack(8, (now - _POSTGRES_BEGINNING) // _MICROSECOND)

    def rows(
        self,
        block: ReadBlock,
        positions: Sequence[int],
        household_ids: Sequence[bytes],
        *,
        stored: Sequence[KnownHousehold] | None = None,
    ) -> tuple[Packed, Packed]:
        """Rows of ``household`` and of ``payee_account`` for some rows of the block.

        ``stored`` are the households as they are known: of one whose account is the one that it
        has, or that comes without, there is no row, and it keeps the account that it has.
        """
        columns: Columns = block.columns
        contents: Sequence[bytes] = block.content_indexes
        if len(positions) < len(contents):
            columns, contents = pick(columns, positions), [contents[at] for at in positions]
        households = _table(
            len(contents),
            [_SIXTEEN_BYTES + household_id for household_id in household_ids],
            *(self._open(known, columns[known.name]) for known in OPEN),
            self._persons(columns, household_ids),
            *(self._indexes(known, columns[known.name]) for known in _FOUND_BY.values()),
            [_SIXTEEN_BYTES + content for content in contents],
            repeat(self._moment, len(contents)),
        )
        return households, self._accounts(columns, household_ids, stored)

    def _open(self, known: Field, values: Sequence[Any]) -> Iterable[bytes]:
        pack = _PACKERS[known.name]
        if known.optional:
            return [_NULL if value is None else pack(value) for value in values]
        return map(pack, values)

    def _indexes(self, known: Field, values: Sequence[Any]) -> Iterable[bytes]:
        index_of = self._personal_data.indexes_of(known)
        return [_NULL if value is None else _SIXTEEN_BYTES + index_of(value) for value in values]

    def _persons(self, columns: Columns, household_ids: Sequence[bytes]) -> Iterable[bytes]:
        seal_person = self._personal_data.seal_person
        persons = zip(*(columns[known.name] for known in SEALED), strict=True)
        return [
            packed(seal_person(person, household_id=household_id))
            for person, household_id in zip(persons, household_ids, strict=True)
        ]

    def _accounts(
        self,
        columns: Columns,
        household_ids: Sequence[bytes],
        stored: Sequence[KnownHousehold] | None,
    ) -> Packed:
        accounts = columns[ACCOUNT.name]
        positions = [at for at, account in enumerate(accounts) if account is not None]
        providers = [columns[PROVIDER.name][at] for at in positions]
        accounts = [accounts[at] for at in positions]
        owners = [household_ids[at] for at in positions]
        indexes = list(map(self._personal_data.indexes_of(ACCOUNT), accounts))
        if stored is not None:
            changes = [
                (stored[at].provider_code, stored[at].account_index) != given
                for at, given in zip(positions, zip(providers, indexes, strict=True), strict=True)
            ]
            providers, accounts, owners, indexes = (
                list(compress(values, changes)) for values in (providers, accounts, owners, indexes)
            )
        seal_account = self._personal_data.seal_account
        return _table(
            len(accounts),
            [_SIXTEEN_BYTES + account_id for account_id in _new_ids(len(accounts))],
            [_SIXTEEN_BYTES + owner for owner in owners],
            map(_PACKERS[PROVIDER.name], providers),
            [
                packed(seal_account(account, household_id=owner))
                for account, owner in zip(accounts, owners, strict=True)
            ],
            [_SIXTEEN_BYTES + index for index in indexes],
            repeat(self._moment, len(accounts)),
        )


def _table(count: int, *columns: Iterable[bytes]) -> Packed:
    """Packed columns as the rows of a table."""
    begins = repeat(struct.pack(">h", len(columns)), count)
    fields = chain.from_iterable(zip(begins, *columns, strict=True))
    return Packed(count, b"".join((_BEGINS, *fields, _ENDS)))


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
