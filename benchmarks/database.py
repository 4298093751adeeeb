"""The owner's view of the database: quiet before a measurement, and copies to measure against."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import asyncpg
from sqlalchemy.engine import make_url

SCHEMA = "benchmark"
"""Copies of the services' tables, for the bare limits."""

_LOOK_SECONDS = 0.2
_QUIET_SECONDS = 60

_FOREIGN_KEYS = """
    SELECT conname AS name, pg_get_constraintdef(oid) AS definition,
        confrelid::regclass::text AS referenced
    FROM pg_constraint WHERE conrelid = $1::regclass AND contype = 'f'
"""
_AUTOVACUUM = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'autovacuum worker'"


@asynccontextmanager
async def owner(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection as the database's owner."""
    plain = make_url(database_url).set(drivername="postgresql")
    connection = await asyncpg.connect(
        plain.render_as_string(hide_password=False), server_settings={"jit": "off"}
    )
    try:
        yield connection
    finally:
        await connection.close()


async def quiet(connection: asyncpg.Connection, *tables: str) -> None:
    """Do now what PostgreSQL would else do in the middle of a measurement.

    Vacuums the tables, writes everything to the disk, and waits for vacuums under way: neither
    side of a comparison pays for the other.
    """
    for table in tables:
        await connection.execute(f"VACUUM (ANALYZE) {table}")
    deadline = asyncio.get_running_loop().time() + _QUIET_SECONDS
    while await connection.fetchval(_AUTOVACUUM):
        if asyncio.get_running_loop().time() > deadline:
            break
        await asyncio.sleep(_LOOK_SECONDS)
    await connection.execute("CHECKPOINT")


def copy_of(table: str) -> str:
    """The name of a table's copy."""
    return f"{SCHEMA}.{table.partition('.')[2]}"


def rows_of(table: str) -> str:
    """The name of the plain table that holds the rows to be inserted into the copy."""
    return f"{copy_of(table)}_rows"


async def make_copies(connection: asyncpg.Connection, tables: Sequence[str]) -> None:
    """An empty copy of each table with all of its indexes and constraints.

    A foreign key to a table that is copied too refers to the copy.
    """
    await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
    for table in tables:
        copy = copy_of(table)
        await connection.execute(f"CREATE TABLE {copy} (LIKE {table} INCLUDING ALL)")
        for key in await connection.fetch(_FOREIGN_KEYS, table):
            definition = key["definition"]
            if key["referenced"] in tables:
                definition = definition.replace(
                    f"REFERENCES {key['referenced']}(", f"REFERENCES {copy_of(key['referenced'])}("
                )
            await connection.execute(
                f"ALTER TABLE {copy} ADD CONSTRAINT {key['name']} {definition}"
            )
