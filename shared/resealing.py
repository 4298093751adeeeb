"""Sealing rows anew with the current key, while the services run.

Rows are taken in small sets, each a transaction: whatever ends the command, what is left is what
is still sealed with an earlier version, and running it again goes on there. Rows that somebody
works on are passed over and come again: this waits for nobody, so nobody's deadlock is its doing.

Where rows belong to owners who have material of their own, they are sealed with it, and what was
sealed without is sealed anew too.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg

from shared.database import Database
from shared.known_keys import KeyRing, let_go
from shared.personal_data import CannotDecrypt, Cipher, OwnCipher

CHUNK_ROWS = 1_000
_FIRST = UUID(int=0)
_PASSED_OVER_SECONDS = 0.2
_PASSES = 25

Tell = Callable[[str], None]
Materials = Mapping[UUID, bytes | None]
"""What owners have of their own; None: it was destroyed. Who is not in it has none yet."""


@dataclass(frozen=True)
class Owners:
    """Whose the rows of a table are."""

    column: str
    materials_of: Callable[[asyncpg.Connection, Sequence[UUID]], Awaitable[Materials]]
    """In the transaction that has the rows locked."""
    erased: bytes
    """What stands in place of what was sealed for somebody whose material was destroyed."""


@dataclass(frozen=True)
class SealedColumn:
    """A column of sealed values, of a table with an ``id``."""

    table: str
    column: str
    bound_to: str
    """The column that a value is bound to: a UUID's bytes, or a text's."""
    cipher: Cipher
    ring: KeyRing
    """Of the keys that seal it."""
    owners: Owners | None = None
    """Who have material of their own that it is sealed with; None: nobody has."""

    @property
    def name(self) -> str:
        return f"{self.table}.{self.column}"

    @property
    def current(self) -> bytes:
        """What its values begin with once they are sealed as they are to be."""
        return self.cipher.prefix if self.owners is None else self.cipher.own_prefix

    @property
    def is_earlier(self) -> str:
        """The condition of rows that are to be sealed anew; $1 is ``current``."""
        return f"{self.column} <> '' AND substring({self.column} FROM 1 FOR 2) <> $1"


@dataclass
class Progress:
    """How far a command is, for who watches it."""

    tell: Tell
    what: str
    total: int
    done: int = 0
    _began: float = field(default_factory=time.monotonic)

    def add(self, count: int) -> None:
        self.done += count
        rate = self.done / max(time.monotonic() - self._began, 0.001)
        self.tell(f"{self.what}: {self.done:,} of {self.total:,}, {rate:,.0f} a second")


async def versions_in(
    connection: asyncpg.Connection, columns: Sequence[SealedColumn]
) -> Mapping[str, Counter[int]]:
    """How many rows each version of each variable's keys has sealed."""
    found: dict[str, Counter[int]] = {column.ring.variable: Counter() for column in columns}
    for column in columns:
        rows = await connection.fetch(
            # The first bit says that it is sealed with material of an owner besides.
            f"SELECT (get_byte({column.column}, 0) & 127) * 256 + get_byte({column.column}, 1) "
            f"AS version, count(*) FROM {column.table} WHERE {column.column} <> '' GROUP BY 1"
        )
        found[column.ring.variable].update({row["version"]: row["count"] for row in rows})
    return found


async def reseal(
    database: Database, columns: Sequence[SealedColumn], *, schema: str, tell: Tell
) -> bool:
    """Seal everything with the current keys; whether every earlier key can be taken out."""
    async with database.connection() as connection:
        for column in columns:
            await _reseal(connection, column, tell)
        return await _conclude(database, connection, columns, schema=schema, tell=tell)


async def check(database: Database, columns: Sequence[SealedColumn], *, tell: Tell) -> bool:
    """Tell which versions rows are sealed with; whether every earlier key can be taken out."""
    async with database.connection() as connection:
        found = await versions_in(connection, columns)
        for column in columns:
            if column.owners is not None and (without := await _count_without(connection, column)):
                tell(f"{column.name}: {without:,} are not sealed with what is their owners' own.")
    for variable, ring in _rings(columns).items():
        for version, count in sorted(found[variable].items()):
            tell(f"{variable}: {count:,} rows are sealed with version {version}.")
        for version in _earlier(ring, found[variable]):
            tell(f"{variable}: version {version} has to stay. Run this without --check.")
    return not any(_earlier(ring, found[name]) for name, ring in _rings(columns).items())


async def _conclude(
    database: Database,
    connection: asyncpg.Connection,
    columns: Sequence[SealedColumn],
    *,
    schema: str,
    tell: Tell,
) -> bool:
    found = await versions_in(connection, columns)
    clear = True
    for variable, ring in _rings(columns).items():
        needed = _earlier(ring, found[variable])
        async with database.transaction() as session:
            gone = await let_go(session, ring, needed=needed, schema=schema)
        for version in gone:
            tell(f"{variable}: no row needs version {version} any more: it can be taken out.")
        for version in needed:
            clear = False
            tell(
                f"{variable}: {found[variable][version]:,} rows are still sealed with version "
                f"{version}, which has to stay: run this again."
            )
        if not gone and not needed:
            tell(f"{variable}: every row is sealed with version {ring.writes[0]}.")
    return clear


def _rings(columns: Sequence[SealedColumn]) -> Mapping[str, KeyRing]:
    return {column.ring.variable: column.ring for column in columns}


def _earlier(ring: KeyRing, found: Counter[int]) -> list[int]:
    return sorted(version for version in found if version != ring.writes[0])


async def _reseal(connection: asyncpg.Connection, column: SealedColumn, tell: Tell) -> None:
    progress = Progress(tell, column.name, await _count_earlier(connection, column))
    unreadable: set[UUID] = set()
    for _ in range(_PASSES):
        after: UUID | None = _FIRST
        while after is not None:
            after = await _reseal_chunk(connection, column, after, progress, unreadable)
        if await _count_earlier(connection, column) <= len(unreadable):
            break
        await asyncio.sleep(_PASSED_OVER_SECONDS)
    if unreadable:
        tell(f"{column.name}: {len(unreadable):,} values open with no key that is set; they stay.")


async def _count_earlier(connection: asyncpg.Connection, column: SealedColumn) -> int:
    count: int = await connection.fetchval(
        f"SELECT count(*) FROM {column.table} WHERE {column.is_earlier}", column.current
    )
    return count


async def _count_without(connection: asyncpg.Connection, column: SealedColumn) -> int:
    count: int = await connection.fetchval(
        f"SELECT count(*) FROM {column.table} "
        f"WHERE {column.column} <> '' AND get_byte({column.column}, 0) < 128"
    )
    return count


async def _reseal_chunk(
    connection: asyncpg.Connection,
    column: SealedColumn,
    after: UUID,
    progress: Progress,
    unreadable: set[UUID],
) -> UUID | None:
    """Seal the next rows anew, in one transaction; the last of them, or None: there are none."""
    async with connection.transaction():
        owners = column.owners
        rows = await connection.fetch(
            f"""
            SELECT id, {column.bound_to} AS bound_to, {column.column} AS sealed,
                   {"NULL::uuid" if owners is None else owners.column} AS owner
            FROM {column.table}
            WHERE id > $2 AND {column.is_earlier}
            ORDER BY id LIMIT $3
            FOR NO KEY UPDATE SKIP LOCKED
            """,
            column.current,
            after,
            CHUNK_ROWS,
        )
        if not rows:
            return None
        sealing = _Sealing(column, {})
        if owners is not None:
            whose = list(dict.fromkeys(row["owner"] for row in rows))
            sealing = _Sealing(column, await owners.materials_of(connection, whose))
        ids, anew = [], []
        for row in rows:
            try:
                sealed = sealing.anew(row)
            except CannotDecrypt:
                unreadable.add(row["id"])
                continue
            if sealed is not None:
                ids.append(row["id"])
                anew.append(sealed)
        await connection.execute(
            f"""
            UPDATE {column.table} AS kept SET {column.column} = given.sealed
            FROM unnest($1::uuid[], $2::bytea[]) AS given (id, sealed)
            WHERE kept.id = given.id
            """,
            ids,
            anew,
        )
    if ids:
        progress.add(len(ids))
    last: UUID = rows[-1]["id"]
    return last


class _Sealing:
    """Seals the rows of one set anew."""

    def __init__(self, column: SealedColumn, materials: Materials) -> None:
        self._column = column
        self._materials = materials
        self._own: dict[UUID, OwnCipher] = {}

    def anew(self, row: asyncpg.Record) -> bytes | None:
        """A row's value as it is to be; None: its owner has no material yet, it comes again.

        Raises CannotDecrypt.
        """
        bound_to, owner, sealed = row["bound_to"], row["owner"], row["sealed"]
        bound = bound_to.bytes if isinstance(bound_to, UUID) else bound_to.encode()
        cipher: Cipher | OwnCipher = self._column.cipher
        if self._column.owners is not None:
            if owner not in self._materials:
                return None
            material = self._materials[owner]
            if material is None:
                return self._column.owners.erased
            if owner not in self._own:
                self._own[owner] = self._column.cipher.of(material)
            cipher = self._own[owner]
        return cipher.encrypt(cipher.decrypt(sealed, bound_to=bound), bound_to=bound)
