"""What an import stored, and how long a bare COPY of the very same rows takes."""

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import asyncpg

from benchmarks.database import copy_of, make_copies, quiet
from benchmarks.figures import Pair
from benchmarks.world import DIRECTORY

HOUSEHOLD, ACCOUNT, MEMBER = "registry.household", "registry.payee_account", "registry.member"
_SINCE = {HOUSEHOLD: "changed_at", ACCOUNT: "began_at", MEMBER: "changed_at"}
"""By which column it is known what was stored since a moment."""


class NothingStored(Exception):
    """An import stored nothing in a table, and there is nothing to hold it against."""


async def beside_copy(
    connection: asyncpg.Connection,
    store: Callable[[], object],
    *,
    rows: float,
    tables: Sequence[str],
) -> Pair:
    """How many of these ``rows`` a second ``store`` stores, and a binary COPY of what came of it
    into copies of the tables with all indexes, checks and foreign keys, in one commit."""
    missing = [
        table
        for table in tables
        if not await connection.fetchval("SELECT to_regclass($1)", copy_of(table))
    ]
    if missing:
        await make_copies(connection, missing)
    await quiet(connection)
    began_at = datetime.now(UTC)
    began = time.perf_counter()
    await asyncio.to_thread(store)
    measured = rows / (time.perf_counter() - began)
    files = {table: DIRECTORY / f"{table}.copy" for table in tables}
    for table, file in files.items():
        stored = await connection.copy_from_query(
            f"SELECT * FROM {table} WHERE {_SINCE[table]} >= $1",
            began_at,
            output=file,
            format="binary",
        )
        if stored == "COPY 0":
            raise NothingStored(f"The import stored nothing in {table}.")
    await quiet(connection)
    began = time.perf_counter()
    async with connection.transaction():
        for table, file in files.items():
            schema, _, name = copy_of(table).partition(".")
            await connection.copy_to_table(name, schema_name=schema, source=file, format="binary")
    bare = rows / (time.perf_counter() - began)
    for file in files.values():
        file.unlink()
    return Pair(measured, bare)
