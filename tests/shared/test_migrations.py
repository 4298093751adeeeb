"""Migrating: what it says when it cannot, what it waits for, and the walls that it builds."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import asyncpg
import pytest
from sqlalchemy.engine import make_url

from tests.conftest import DatabaseServer

pytestmark = pytest.mark.long

SCHEMAS = ("registry", "triggers", "payments")


def migrating(owner_url: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "services", "migrate"],
        env={**os.environ, "DATABASE_URL": owner_url},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://owner@127.0.0.1:1/sangkroh", "start it, or correct DATABASE_URL"),
        ("postgresql://owner@/sangkroh?host=/nowhere", "start it, or correct DATABASE_URL"),
        ("here", "cannot be read"),
    ],
)
def test_a_server_that_is_not_there_is_told_in_one_line(url: str, said: str) -> None:
    done = migrating(url)

    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert said in done.stderr


def test_an_unknown_database_or_user_is_told_in_one_line(database_server: DatabaseServer) -> None:
    nobody = make_url(database_server.url_of("postgres")).set(username="nobody_here")
    for url, said in (
        (database_server.url_of("not_there"), "has no database not_there"),
        (nobody.render_as_string(hide_password=False), "does not let nobody_here in"),
    ):
        done = migrating(url)
        assert done.returncode == 1
        assert len(done.stderr.strip().splitlines()) == 1
        assert said in done.stderr


@pytest.mark.usefixtures("alone_with_roles")
def test_two_deployments_may_migrate_at_once_and_again(
    database_server: DatabaseServer, migrate: Callable[[str], None]
) -> None:
    name = "sangkroh_test_migrated_twice"
    database_server.run_sql(f"DROP DATABASE IF EXISTS {name}", f"CREATE DATABASE {name}")
    with ThreadPoolExecutor() as pool:
        list(pool.map(migrate, [database_server.url_of(name)] * 2))
    migrate(database_server.url_of(name))
    database_server.run_sql(f"DROP DATABASE {name}")


async def test_a_migration_gives_up_rather_than_queue_in_front_of_the_service(
    database_server: DatabaseServer, owner: asyncpg.Connection, database_url: str
) -> None:
    """A lock that somebody holds makes it fail, not wait: others would wait behind it."""
    await owner.execute("UPDATE events.alembic_version SET version_num = NULL WHERE false")
    await owner.execute("DELETE FROM events.alembic_version")
    await owner.execute("ALTER TABLE events.event RENAME TO event_elsewhere")
    async with owner.transaction():
        await owner.execute("LOCK TABLE events.alembic_version IN ACCESS EXCLUSIVE MODE")
        done = await asyncio.to_thread(migrating, database_url)

    assert done.returncode == 1
    assert "lock timeout" in done.stderr


@pytest.mark.parametrize("service", SCHEMAS)
async def test_a_services_role_reads_its_own_schema_and_no_other(
    service: str, environment: dict[str, str], owner: asyncpg.Connection
) -> None:
    url = make_url(environment[f"{service.upper()}_DATABASE_URL"]).set(drivername="postgresql")
    role = await asyncpg.connect(url.render_as_string(hide_password=False))
    try:
        for schema in SCHEMAS:
            tables = await owner.fetch(
                "SELECT tablename FROM pg_tables WHERE schemaname = $1 "
                "AND tablename <> 'alembic_version'",
                schema,
            )
            assert len(tables) > 5
            for (table,) in tables:
                query = f"SELECT * FROM {schema}.{table} LIMIT 1"
                if schema == service:
                    await role.fetch(query)
                else:
                    with pytest.raises(asyncpg.InsufficientPrivilegeError):
                        await role.fetch(query)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await role.execute(f"CREATE TABLE {service}.mine (number int)")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await role.execute("CREATE TABLE public.mine (number int)")
    finally:
        await role.close()


@pytest.mark.usefixtures("alone_with_roles", "template")
def test_no_service_can_take_every_connection_of_the_database(
    database_server: DatabaseServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "sangkroh_test_of_connections"
    database_server.run_sql(f"DROP DATABASE IF EXISTS {name}", f"CREATE DATABASE {name}")
    for service in ("registry", "triggers", "payments"):
        monkeypatch.delenv(f"{service.upper()}_DATABASE_MAXIMUM_CONNECTIONS", raising=False)
    monkeypatch.setenv("TRIGGERS_DATABASE_MAXIMUM_CONNECTIONS", "7")
    done = migrating(database_server.url_of(name))
    limits = asyncio.run(_limits_of_roles(database_server.url_of(name)))
    monkeypatch.setenv("TRIGGERS_DATABASE_MAXIMUM_CONNECTIONS", "many")
    refused = migrating(database_server.url_of(name))
    monkeypatch.delenv("TRIGGERS_DATABASE_MAXIMUM_CONNECTIONS")
    migrating(database_server.url_of(name))
    database_server.run_sql(f"DROP DATABASE {name}")

    assert done.returncode == 0, done.stderr
    assert limits["sangkroh_triggers"] == 7
    assert limits["sangkroh_registry"] == limits["sangkroh_payments"] > 7
    assert limits.pop("max_connections") > sum(limits.values())
    assert "TRIGGERS_DATABASE_MAXIMUM_CONNECTIONS is no number" in refused.stderr


async def _limits_of_roles(owner_url: str) -> dict[str, int]:
    plain = make_url(owner_url).set(drivername="postgresql")
    connection = await asyncpg.connect(plain.render_as_string(hide_password=False))
    try:
        rows = await connection.fetch(
            "SELECT rolname::text, rolconnlimit FROM pg_roles WHERE rolname LIKE 'sangkroh\\_%'"
            " AND rolconnlimit > 0"
            " UNION ALL SELECT 'max_connections', current_setting('max_connections')::int"
        )
    finally:
        await connection.close()
    return dict(rows)
