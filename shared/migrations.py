"""Schema changes: one Alembic history for each service and one for the event log.

A migration runs under an advisory lock (two deployments never migrate at once), a lock timeout
(it gives up rather than queue in front of the running service) and a statement timeout.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alembic import command, op
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection, text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from shared.database import AS_OFFERED, CANNOT_CONNECT, parse_url, require_version, unusable
from shared.database_tls import DatabaseTls

# One number for every history: histories share roles and grants.
_ADVISORY_LOCK = 7_205_011_984
_LOCK_TIMEOUT = "5s"
_STATEMENT_TIMEOUT = "10min"

EVENTS_SCHEMA = "events"

_CONNECTIONS_KEPT = 10
"""For the owner: migrations, and whoever looks after the server."""
_CONNECTIONS = text(
    """
    SELECT sum(CASE name WHEN 'max_connections' THEN setting::int ELSE -setting::int END)::int
    FROM pg_settings
    WHERE name IN ('max_connections', 'superuser_reserved_connections', 'reserved_connections')
    """.replace(":", r"\:")
)

# Where this is another cluster than before, or another timeline.
_BEGIN_EPOCH_WHERE_NEEDED = text("SELECT events.begin_epoch()")

# After a dump from another cluster: whatever has no epoch of its own and is later than all that
# happens here becomes older than all of it.
_NUMBERED_ELSEWHERE = text(
    """
    SELECT format('UPDATE %s SET %I = ''3'' WHERE %I > pg_current_xact_id()',
                  pg_class.oid::regclass, numbered.attname, numbered.attname)
    FROM pg_class
    JOIN pg_namespace ON pg_namespace.oid = relnamespace
    JOIN pg_attribute AS numbered ON numbered.attrelid = pg_class.oid
        AND numbered.atttypid = 'xid8'::regtype
    WHERE relkind = 'r' AND nspname = ANY(:schemas)
      AND NOT EXISTS (
          SELECT FROM pg_attribute AS other
          WHERE other.attrelid = pg_class.oid AND other.attname = 'epoch')
      AND (SELECT system_identifier FROM pg_control_system()) <> (
          SELECT system_identifier FROM events.epoch ORDER BY number DESC LIMIT 1)
    ORDER BY 1
    """
)

# Whoever is writing an event has said its epoch: it ends before the next one begins, or a reader
# that is in the next one already would not come back for it.
_LET_WRITERS_END = text("LOCK TABLE events.event IN SHARE ROW EXCLUSIVE MODE")

# The same for whoever writes an audit record, and for the one who chains them.
_LET_AUDIT_END = text(
    """
    DO $$
    DECLARE
        audited regclass;
    BEGIN
        FOR audited IN
            SELECT oid FROM pg_class WHERE relname = 'audit_record' AND relkind = 'r' ORDER BY oid
        LOOP
            EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', audited);
        END LOOP;
    END
    $$
    """
)

_BEGIN_EPOCH_ANYWAY = text(
    """
    INSERT INTO events.epoch (number, system_identifier, timeline)
    SELECT events.current_epoch() + 1, here.system_identifier, events.timeline()
    FROM pg_control_system() AS here
    RETURNING number
    """
)


@dataclass(frozen=True)
class History:
    """One Alembic history: the schema that it owns and where its versions are."""

    schema: str
    location: Path


def role_of(service: str) -> str:
    """The database role that a service runs as."""
    return f"sangkroh_{service}"


def run_migrations(context: EnvironmentContext | Any, *, schema: str) -> None:
    """What every ``env.py`` does: migrate one schema on the connection that it is given."""
    connection: Connection | None = context.config.attributes.get("connection")
    if connection is None:
        raise CommandError("Run migrations with `python -m services migrate`.")
    context.configure(
        connection=connection,
        version_table="alembic_version",
        version_table_schema=schema,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


@dataclass(frozen=True)
class Role:
    """How a service's database role is made."""

    password: str | None
    """None: it is left as it is."""
    maximum_connections: int | None
    """None: an equal share of what the server has, so that no service can starve another."""


def migrate_all(
    owner_url: str,
    *,
    histories: Iterable[History],
    roles: Mapping[str, Role],
    tls: DatabaseTls = AS_OFFERED,
) -> None:
    """Create the roles (by service) and schemas and bring every history to its head.

    Raises DatabaseUnusable with one line that says what to do.
    """
    asyncio.run(_migrate_all(owner_url, histories=list(histories), roles=roles, tls=tls))


async def _migrate_all(
    owner_url: str,
    *,
    histories: list[History],
    roles: Mapping[str, Role],
    tls: DatabaseTls,
) -> None:
    async with connected(parse_url(owner_url), tls=tls) as connection:
        await connection.execute(text(f"SELECT pg_advisory_lock({_ADVISORY_LOCK})"))
        await connection.commit()
        try:
            await connection.run_sync(_prepare, histories, roles)
            for history in histories:
                await connection.run_sync(_upgrade, history)
            schemas = {"schemas": [history.schema for history in histories]}
            for statement in (await connection.scalars(_NUMBERED_ELSEWHERE, schemas)).all():
                await connection.execute(text(statement))
            await connection.execute(_BEGIN_EPOCH_WHERE_NEEDED)
            await connection.commit()
        finally:
            await connection.rollback()
            await connection.execute(text(f"SELECT pg_advisory_unlock({_ADVISORY_LOCK})"))
            await connection.commit()


def begin_epoch(owner_url: str, *, tls: DatabaseTls = AS_OFFERED) -> int:
    """Begin a new epoch of the event log whatever the server knows; its number.

    For a restore that PostgreSQL cannot tell from a restart: a volume put back to a snapshot.
    Raises DatabaseUnusable with one line that says what to do.
    """
    return asyncio.run(_begin_epoch(owner_url, tls=tls))


async def _begin_epoch(owner_url: str, *, tls: DatabaseTls) -> int:
    async with connected(parse_url(owner_url), tls=tls) as connection:
        await connection.execute(_LET_WRITERS_END)
        await connection.execute(_LET_AUDIT_END)
        number = await connection.scalar(_BEGIN_EPOCH_ANYWAY)
        await connection.commit()
        return int(number)


@asynccontextmanager
async def connected(url: URL, *, tls: DatabaseTls = AS_OFFERED) -> AsyncIterator[AsyncConnection]:
    """A connection of its own; raises DatabaseUnusable with one line that says what to do."""
    engine = create_async_engine(url, poolclass=NullPool, connect_args=tls.arguments)
    try:
        try:
            connection = await engine.connect()
        except CANNOT_CONNECT as error:
            raise unusable(url, error) from error
        async with aclosing(connection):
            number = await connection.scalar(text("SELECT current_setting('server_version_num')"))
            require_version(int(number))
            yield connection
    finally:
        await engine.dispose()


def _prepare(connection: Connection, histories: list[History], roles: Mapping[str, Role]) -> None:
    quote = connection.dialect.identifier_preparer.quote
    share = (connection.scalar(_CONNECTIONS) - _CONNECTIONS_KEPT) // max(len(roles), 1)
    for service, given in roles.items():
        role = quote(role_of(service))
        exists = connection.scalar(
            text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role_of(service)}
        )
        if not exists:
            connection.execute(text(f"CREATE ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOINHERIT"))
        maximum = share if given.maximum_connections is None else given.maximum_connections
        connection.execute(text(f"ALTER ROLE {role} CONNECTION LIMIT {maximum:d}"))
        if given.password is not None:
            literal = connection.scalar(
                text("SELECT quote_literal(:text)"), {"text": given.password}
            )
            connection.execute(text(f"ALTER ROLE {role} PASSWORD {literal}".replace(":", r"\:")))
    for history in histories:
        connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {quote(history.schema)}"))
    connection.execute(text("REVOKE CREATE ON SCHEMA public FROM PUBLIC"))
    connection.commit()


def _upgrade(connection: Connection, history: History) -> None:
    # On the session, not the transaction: each migration is a transaction of its own.
    connection.execute(text(f"SET lock_timeout = '{_LOCK_TIMEOUT}'"))
    connection.execute(text(f"SET statement_timeout = '{_STATEMENT_TIMEOUT}'"))
    connection.commit()
    command.upgrade(_configuration(connection, history), "head")
    connection.commit()


def _configuration(connection: Connection, history: History) -> Config:
    configuration = Config()
    configuration.set_main_option("script_location", str(history.location))
    configuration.set_main_option("path_separator", "os")
    configuration.attributes["connection"] = connection
    return configuration


def execute_each(statements: str) -> None:
    """Within a migration: execute statements that each end with a semicolon and a new line.

    One by one, for the driver takes no more at a time. None of them has such an end within it.
    """
    for statement in statements.split(";\n"):
        if statement.strip():
            op.execute(statement)


def current_revision(connection: Connection, history: History) -> str:
    """The revision that a history stands at in this database: "none" before its first."""
    return ", ".join(_context(connection, history).get_current_heads()) or "none"


def stamp_head(connection: Connection, history: History) -> None:
    """Have the database say that it stands at the head of ``history``, and migrate nothing."""
    scripts = ScriptDirectory.from_config(_configuration(connection, history))
    _context(connection, history).stamp(scripts, "head")


def _context(connection: Connection, history: History) -> MigrationContext:
    return MigrationContext.configure(connection, opts={"version_table_schema": history.schema})


def grants(service: str) -> list[str]:
    """Statements for a service's first migration: its schema, and the event log to append to.

    Tables are granted one by one where they are made, each with the least that it needs.
    """
    role = role_of(service)
    return [
        f"GRANT USAGE ON SCHEMA {service} TO {role}",
        f"GRANT USAGE ON SCHEMA {EVENTS_SCHEMA} TO {role}",
        f"GRANT SELECT, INSERT ON {EVENTS_SCHEMA}.event TO {role}",
        f"GRANT SELECT ON {EVENTS_SCHEMA}.epoch TO {role}",
    ]
