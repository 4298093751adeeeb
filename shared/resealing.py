"""Sealing rows anew with the current key, while the services run.

Rows are taken in small sets, each a transaction: whatever ends the command, what is left is what
is still sealed with an earlier version, and running it again goes on there. Rows that somebody
works on are passed over and come again: this waits for nobody, so nobody's deadlock is its doing.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg

from shared.database import Database
from shared.known_keys import KeyRing, let_go
from shared.personal_data import CannotDecrypt, Cipher

CHUNK_ROWS = 1_000
_FIRST = UUID(int=0)
_PASSED_OVER_SECONDS = 0.2
_PASSES = 25

Tell = Callable[[str], None]


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

    @property
    def name(self) -> str:
        return f"{self.table}.{self.column}"


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
            f"SELECT get_byte({column.column}, 0) * 256 + get_byte({column.column}, 1) AS version, "
            f"count(*) FROM {column.table} GROUP BY 1"
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
        f"SELECT count(*) FROM {column.table} WHERE substring({column.column} FROM 1 FOR 2) <> $1",
        column.cipher.current.to_bytes(2, "big"),
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
        rows = await connection.fetch(
            f"""
            SELECT id, {column.bound_to} AS bound_to, {column.column} AS sealed
            FROM {column.table}
            WHERE id > $1 AND substring({column.column} FROM 1 FOR 2) <> $2
            ORDER BY id LIMIT $3
            FOR NO KEY UPDATE SKIP LOCKED
            """,
            after,
            column.cipher.current.to_bytes(2, "big"),
            CHUNK_ROWS,
        )
        if not rows:
            return None
        ids, anew = [], []
        for row in rows:
            bound_to = row["bound_to"]
            bound = bound_to.bytes if isinstance(bound_to, UUID) else bound_to.encode()
            try:
                plain = column.cipher.decrypt(row["sealed"], bound_to=bound)
            except CannotDecrypt:
                unreadable.add(row["id"])
                continue
            ids.append(row["id"])
            anew.append(column.cipher.encrypt(plain, bound_to=bound))
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
