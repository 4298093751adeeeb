"""Drift: whether a migrated database holds what Python declares, and nothing else.

What is declared is made in a scratch database on the same server; both are then described from
the catalogs and compared. So nothing is parsed here, and nothing is exempt: what PostgreSQL knows
of enums, checks, predicates, keys, triggers, functions and grants is compared.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from difflib import ndiff
from itertools import chain

from sqlalchemy import Connection, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ProgrammingError

from shared.database import AS_OFFERED, DatabaseUnusable, parse_url
from shared.database_tls import DatabaseTls
from shared.ids import new_id
from shared.migrations import History, connected, current_revision, stamp_head
from shared.schema.catalog import Description, Thing, describe, describe_roles
from shared.schema.declaration import Declaration, create

_NOT_ALLOWED = "42501"


def drift(
    owner_url: str,
    *,
    histories: Sequence[History],
    declarations: Sequence[Declaration],
    tls: DatabaseTls = AS_OFFERED,
) -> list[str]:
    """Each difference between the database and what is declared, in words; empty: there is none.

    Makes a database beside it, and drops it. Raises DatabaseUnusable with one line that says what
    to do.
    """
    url = parse_url(owner_url)

    async def both() -> tuple[Description, Description]:
        async with connected(url, tls=tls) as connection:
            migrated = await connection.run_sync(describe_migrated, histories, declarations)
        return migrated, await describe_declared(url, histories, declarations, tls=tls)

    try:
        return differences(*asyncio.run(both()))
    except ProgrammingError as error:
        if getattr(error.orig, "sqlstate", None) != _NOT_ALLOWED:
            raise
        raise DatabaseUnusable(
            f"{url.username} may not do what this needs: give DATABASE_URL as the database's owner "
            f"who may also create one (ALTER ROLE {url.username} CREATEDB), because what is "
            "declared is made in a database of its own, which is dropped again."
        ) from None


def describe_migrated(
    connection: Connection, histories: Sequence[History], declarations: Sequence[Declaration]
) -> Description:
    """What is in the database that ``connection`` is to, of the schemas that are declared."""
    roles = _roles(declarations)
    there = set(connection.scalars(text("SELECT rolname FROM pg_roles")))
    if missing := [role for role in roles if role not in there]:
        raise DatabaseUnusable(
            f"The server has no role {missing[0]}: run `python -m services migrate` first."
        )
    return {
        **describe_roles(connection, roles),
        **_described(connection, histories, declarations),
    }


async def describe_declared(
    url: URL,
    histories: Sequence[History],
    declarations: Sequence[Declaration],
    *,
    tls: DatabaseTls = AS_OFFERED,
) -> Description:
    """What is declared, told by the server at ``url``: made in a scratch database there."""

    def made(connection: Connection) -> Description:
        for declaration in declarations:
            create(connection, declaration)
        for history in histories:
            stamp_head(connection, history)
        return _described(connection, histories, declarations)

    async with (
        _scratch_database(url, tls=tls) as scratch,
        connected(scratch, tls=tls) as connection,
    ):
        return await connection.run_sync(made)


def _described(
    connection: Connection, histories: Sequence[History], declarations: Sequence[Declaration]
) -> Description:
    schemas = [declaration.schema for declaration in declarations]
    return {
        **{
            Thing(history.schema, "", "revision", "of its history"): current_revision(
                connection, history
            )
            for history in histories
        },
        **describe(connection, schemas, roles=_roles(declarations)),
    }


def _roles(declarations: Sequence[Declaration]) -> list[str]:
    return sorted({role for declaration in declarations for role in declaration.roles})


@asynccontextmanager
async def _scratch_database(url: URL, *, tls: DatabaseTls) -> AsyncIterator[URL]:
    """An empty database on the server at ``url``, gone afterwards."""
    name = f"sangkroh_declared_{new_id().hex}"
    async with connected(url, tls=tls) as connection:
        await connection.rollback()
        # Neither statement is possible inside a transaction.
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        # Texts in UTF-8, whatever the server's habit; no fact depends on how a database sorts.
        await connection.execute(
            text(
                f"CREATE DATABASE {name} TEMPLATE template0 "
                "ENCODING 'UTF8' LOCALE_PROVIDER libc LOCALE 'C'"
            )
        )
        try:
            yield url.set(database=name)
        finally:
            await connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


def differences(found: Description, declared: Description) -> list[str]:
    """Each thing that is not the same on both sides, in words that say how."""
    return [
        _told(thing, found.get(thing), declared.get(thing))
        for thing in sorted({*found, *declared}, key=_order)
        if found.get(thing) != declared.get(thing)
        and not _goes_without_saying(thing, found, declared)
    ]


def _order(thing: Thing) -> tuple[bool, Thing]:
    """What a database was migrated to comes first: it may explain the rest."""
    return thing.kind != "revision", thing


def _goes_without_saying(thing: Thing, found: Description, declared: Description) -> bool:
    """Whether its whole table is on one side only, and that is said."""
    whole = Thing(thing.schema, thing.table, "table", thing.table)
    return thing != whole and (whole in found) != (whole in declared)


def _told(thing: Thing, found: str | None, declared: str | None) -> str:
    if declared is None:
        assert found is not None
        return _lines(f"{thing} is in the database and nowhere declared.", found.splitlines())
    if found is None:
        return _lines(f"{thing} is declared and not in the database.", declared.splitlines())
    changed = list(ndiff(found.splitlines(), declared.splitlines()))
    return _lines(
        f"{thing} is not as declared.",
        [f"in the database: {line[2:]}" for line in changed if line.startswith("- ")],
        [f"as declared:     {line[2:]}" for line in changed if line.startswith("+ ")],
    )


def _lines(heading: str, *parts: Sequence[str]) -> str:
    return "\n    ".join((heading, *chain(*parts)))
