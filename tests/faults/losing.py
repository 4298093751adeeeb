"""A database that loses what it had said: by a restore to an earlier moment, or schema by schema.

The providers' book loses nothing, and decides: whoever was paid before the loss is paid once.
"""

import asyncio
import contextlib
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from sqlalchemy.engine import make_url

from deploy.local.postgres import LocalPostgres
from deploy.local.stack import Stack
from tests.faults.patience import Patience
from tests.faults.storm import bring_up

SCHEMAS = ("registry", "triggers", "payments", "events")

_LOOK_SECONDS = 0.05
_RECOVERY_SECONDS = 60

_IN_RECOVERY = "SELECT pg_is_in_recovery()"
_POSITION = "SELECT pg_current_wal_flush_lsn()::text"
_TABLES = """
    SELECT string_agg(format('%I.%I', schemaname, tablename), ', ') FROM pg_tables
    WHERE schemaname = $1 AND tablename <> 'alembic_version'
"""


class NeverCame(Exception):
    """A moment that a test waits for did not come in time."""


@dataclass(frozen=True)
class Archive:
    """A base backup of a server, and the log that it has written since."""

    postgres: LocalPostgres
    directory: Path
    """Beside the server's own, as the server's user may write there."""

    @classmethod
    def configuration(cls, directory: Path) -> str:
        """What the server has to be told, before it starts, to archive into ``directory``."""
        return f"""
wal_level = replica
archive_mode = on
archive_command = 'mkdir -p {directory}/log && cp %p {directory}/log/%f'
"""

    def take(self) -> None:
        """The base backup, while everything runs."""
        self.directory.mkdir()
        _give(self.directory, like=self.postgres.directory)
        self.postgres.execute(
            "pg_basebackup",
            *("--host", self.postgres.socket_directory, "--username", "postgres"),
            *("--pgdata", str(self.directory / "base"), "--checkpoint", "fast"),
        )

    def restore(self, *, until: str) -> None:
        """Put the server, which is down, back to a position of its log, as a person would."""
        data, lost = self.postgres.directory, self.directory / "lost"
        data.rename(lost)
        _copy(self.directory / "base", data)
        # What was not archived yet a receiver of the log would have.
        for segment in sorted((lost / "pg_wal").glob("0*")):
            if not (self.directory / "log" / segment.name).exists():
                _copy(segment, self.directory / "log" / segment.name)
        (data / "recovery.signal").touch()
        _give(data / "recovery.signal", like=data)
        with (data / "postgresql.auto.conf").open("a") as file:
            file.write(
                f"""
restore_command = 'cp {self.directory}/log/%f %p'
recovery_target_lsn = '{until}'
recovery_target_action = promote
"""
            )
        self.postgres.start()
        patience = Patience(_RECOVERY_SECONDS)
        while ask(self.postgres.url(), _IN_RECOVERY):
            if patience.is_over:
                raise NeverCame(f"PostgreSQL was not promoted within {_RECOVERY_SECONDS} s.")
            time.sleep(_LOOK_SECONDS)


def _give(path: Path, *, like: Path) -> None:
    """To the owner of the other: the user that the server runs as."""
    owner = like.stat()
    os.chown(path, owner.st_uid, owner.st_gid)


def _copy(source: Path, target: Path) -> None:
    """With all that is in it, and with its owner."""
    subprocess.run(["cp", "--archive", str(source), str(target)], check=True)


def position(stack: Stack) -> str:
    """How far the log is written."""
    return str(ask(stack.database_url, _POSITION))


def ask(url: str, query: str, *values: object) -> object:
    """One value, as the owner."""

    async def asked() -> object:
        plain = make_url(url).set(drivername="postgresql")
        connection = await asyncpg.connect(plain.render_as_string(hide_password=False))
        try:
            return await connection.fetchval(query, *values)
        finally:
            await connection.close()

    return asyncio.run(asked())


def wait_for(condition: Callable[[], bool], *, what: str, seconds: float = 60) -> None:
    """Wait until it is true; raises NeverCame."""
    patience = Patience(seconds)
    while not condition():
        if patience.is_over:
            raise NeverCame(what)
        time.sleep(_LOOK_SECONDS)


@contextlib.contextmanager
def services_stopped(stack: Stack) -> Iterator[None]:
    """Every process of the services killed meanwhile; the providers go on."""
    for name in stack.names:
        stack.kill(name)
    yield
    bring_up(stack)


def keep(stack: Stack, schema: str, file: Path) -> None:
    """Keep every row of a schema as it is at this moment, while everything runs."""
    rows = _postgres(stack).execute(
        "pg_dump",
        *_connection(stack),
        *("--data-only", "--disable-triggers", "--schema", schema),
        *("--exclude-table", f"{schema}.alembic_version"),
    )
    file.write_text(rows)


def lose_since(stack: Stack, schema: str, file: Path) -> None:
    """Put a schema, its cursors and its sequences back to what was kept; the others stay."""
    tables = ask(stack.database_url, _TABLES, schema)
    _postgres(stack).execute(
        "psql",
        *_connection(stack),
        *("--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--single-transaction"),
        # What is lost asks no trigger: the audit record is never emptied otherwise.
        *("--command", "SET session_replication_role = replica"),
        *("--command", f"TRUNCATE {tables} CASCADE", "--file", str(file)),
    )


def _postgres(stack: Stack) -> LocalPostgres:
    assert stack.postgres is not None
    return stack.postgres


def _connection(stack: Stack) -> Sequence[str]:
    database = make_url(stack.database_url).database
    host = _postgres(stack).socket_directory
    return ("--host", host, "--username", "postgres", "--dbname", str(database))
