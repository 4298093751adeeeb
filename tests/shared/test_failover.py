"""A standby that lacked the last commits is promoted, on two real servers.

What an outside reader had read of the lost events is no reason to skip those that come after.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from sqlalchemy import text

from deploy.local.postgres import LocalPostgres
from shared.database import Database
from shared.events import Event, append
from shared.events.repository import BEGIN_EPOCH, Only, Position, read_events

pytestmark = pytest.mark.long

BEGINNING: Position = (0, 0, 0)


@contextmanager
def running(postgres: LocalPostgres) -> Iterator[LocalPostgres]:
    postgres.start()
    try:
        yield postgres
    finally:
        postgres.kill()


@pytest.fixture
def directory() -> Iterator[Path]:
    # Not pytest's own: each session of pytest closes that to others, PostgreSQL among them.
    with TemporaryDirectory(prefix="sangkroh-failover-") as path:
        yield Path(path)


async def tell(database: Database, *numbers: int) -> None:
    for number in numbers:
        event = Event(
            type="org.sangkroh.test.v1",
            source="/test",
            subject="s",
            time=datetime.now(UTC),
            data={"number": number},
        )
        async with database.transaction() as session:
            await append(session, [event])


async def read(database: Database, after: Position) -> tuple[list[int], Position]:
    async with database.transaction() as session:
        found = await read_events(session, after, only=Only(), limit=100)
    return [row.data["number"] for row in found.events], found.read_to


async def test_after_a_failover_that_lost_commits_a_reader_misses_nothing(
    directory: Path, migrate: Callable[[str], None]
) -> None:
    standby = LocalPostgres(directory / "standby")
    with running(LocalPostgres(directory / "primary")) as primary:
        migrate(primary.url())
        database = Database(primary.url(), application_name="test")
        await tell(database, 1)
        primary.execute(
            "pg_basebackup",
            *("--host", primary.socket_directory, "--username", "postgres"),
            *("--pgdata", str(directory / "primary" / "copy"), "--checkpoint", "fast"),
        )
        # It follows nobody: a replication that stands still.
        shutil.move(directory / "primary" / "copy", standby.directory)
        (standby.directory / "standby.signal").touch()
        owner = (standby.directory / "PG_VERSION").stat()
        os.chown(standby.directory / "standby.signal", owner.st_uid, owner.st_gid)
        await tell(database, *range(2, 20))
        seen, place = await read(database, BEGINNING)
        await database.dispose()
    assert seen == list(range(1, 20))

    with running(standby):
        database = Database(standby.url(), application_name="test")
        async with database.transaction() as session:
            assert await session.scalar(text("SELECT pg_is_in_recovery()"))
            # A session that can only read, on a server that is not promoted.
            assert await session.scalar(text(BEGIN_EPOCH)) == 1
        assert (await read(database, BEGINNING))[0] == [1]
        standby.execute("pg_ctl", "-w", "-D", str(standby.directory), "promote")
        # Nobody has migrated, connected anew or noticed anything.
        await tell(database, 20)
        told, place = await read(database, place)
        assert told == [20]
        assert place[0] == 2
        async with database.transaction() as session:
            assert await session.scalar(text(BEGIN_EPOCH)) == 2
        await tell(database, 21)
        assert (await read(database, place))[0] == [21]
        await database.dispose()
