"""What is kept for a time, and then removed by a command.

A table is walked through once by its blocks, a few in a transaction: no index is needed for it,
and whatever ends the command, running it again removes the rest.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import asyncpg

from shared.database import Database, may_pass
from shared.settings import ServiceSettings

_BLOCKS_AT_ONCE = 1_000
_BLOCK_BYTES = 8_192
_DELETED = "DELETE "

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Kept:
    """Rows that are kept for so many days from the instant in a column on."""

    what: str
    table: str
    since: str
    """A column, or an expression over the row."""
    days: int
    variable: str
    """The setting of the days."""
    condition: str = "true"
    """What a row has to be besides, to be removed ever."""


def of_every_service(settings: ServiceSettings) -> list[Kept]:
    """What each service keeps for a time."""
    schema = settings.service
    return [
        Kept(
            what="answers to POSTs, for repeats",
            table=f"{schema}.idempotency_key",
            since="created_at",
            days=settings.idempotency_days,
            variable=settings.variable_of("idempotency_days"),
        ),
        Kept(
            what="failed events that were discarded",
            table=f"{schema}.dead_letter",
            since="discarded_at",
            days=settings.dead_letter_days,
            variable=settings.variable_of("dead_letter_days"),
            condition="discarded_at IS NOT NULL",
        ),
    ]


async def prune(database: Database, kept: Sequence[Kept], *, tell: Tell, dry_run: bool) -> bool:
    """Remove what was kept for its time, or count it, and tell how much it was; whether all went.

    Of which PostgreSQL refuses something is told, and the others are removed.
    """
    is_whole = True
    async with database.connection() as connection:
        for kind in kept:
            of = f"({kind.what}; {kind.variable}={kind.days})"
            try:
                count = await _prune(connection, kind, dry_run=dry_run)
            except asyncpg.PostgresError as error:
                if may_pass(error):
                    raise
                is_whole = False
                why = f"PostgreSQL refuses it ({type(error).__name__})"
                tell(f"{kind.table}: NOT removed {of}: {why}. Migrate, and prune again.")
                continue
            verb = "would be removed" if dry_run else "removed"
            tell(f"{kind.table}: {count:,} {verb} {of}")
    return is_whole


async def _prune(connection: asyncpg.Connection, kind: Kept, *, dry_run: bool) -> int:
    old = f"({kind.condition}) AND {kind.since} < now() - make_interval(days => {kind.days:d})"
    if dry_run:
        counted: int = await connection.fetchval(f"SELECT count(*) FROM {kind.table} WHERE {old}")
        return counted
    blocks = -(
        -await connection.fetchval("SELECT pg_relation_size($1::regclass)", kind.table)
        // _BLOCK_BYTES
    )
    removed = 0
    for first in range(0, blocks, _BLOCKS_AT_ONCE):
        done = await connection.execute(
            f"DELETE FROM {kind.table} WHERE ctid >= $1 AND ctid < $2 AND {old}",
            (first, 0),
            (first + _BLOCKS_AT_ONCE, 0),
        )
        removed += int(done.removeprefix(_DELETED))
    return removed
