"""The database: one engine for a process, one transaction for a request or an event batch."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated

import asyncpg
from fastapi import Depends, Request
from sqlalchemy import text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.pool import QueuePool

from shared.database_tls import DatabaseTls

NAMING_CONVENTION = {
    "ix": "%(table_name)s_%(column_0_N_name)s_index",
    "uq": "%(table_name)s_%(column_0_N_name)s_unique",
    "ck": "%(table_name)s_%(constraint_name)s_check",
    "fk": "%(table_name)s_%(column_0_N_name)s_foreign_key",
    "pk": "%(table_name)s_primary_key",
}
"""Constraint names, for every service's ``MetaData``: people read them at three in the morning."""

MINIMUM_SERVER_VERSION = 18
NOW = "(SELECT clock_timestamp())"
"""SQL: this moment, for an index to be asked for what is due by it. The function alone is volatile:
it is called for each row, and whatever waits is gone through to find that nothing is due."""
_CONNECT_TIMEOUT_SECONDS = 10

CANNOT_CONNECT = (OSError, DBAPIError, asyncpg.PostgresError, asyncpg.InterfaceError)
"""What is raised where a connection cannot be made: SQLAlchemy wraps some of it."""

# PostgreSQL, appendix A.
_NO_SUCH_DATABASE = "3D000"
_NOT_AUTHORISED = "28"
_PASSING = {"08", "40", "53", "55", "57"}
"""Connections, serialisation and deadlocks, resources, locks, shutdowns."""
_AWAY = ("08", "53", "57P")
"""Connections, resources, shutdowns."""


AS_OFFERED = DatabaseTls()
"""TLS where the server offers it."""

# asyncpg would take them from a URL, SQLAlchemy would not: half of the connections would fail.
_TLS_IN_URL = {"ssl", "sslmode", "sslrootcert", "sslcert", "sslkey"}
_PLAN_ANEW = text("SELECT set_config('plan_cache_mode', 'force_custom_plan', true)")


class DatabaseUnusable(Exception):
    """The server cannot be reached, or is older than what is supported."""


@dataclass(frozen=True, slots=True)
class Connections:
    """Of a pool: how many are in use, and how many there may be."""

    in_use: int
    most: int


class Database:
    """A process's connections, as the service's own role.

    ``ping_first`` asks a pooled connection whether it is alive before each use, so that no request
    fails for a server that was restarted. A worker spares itself that: it tries again anyway.
    Raises CertificatesUnreadable where ``tls`` is to be verified by a file that is none.
    """

    def __init__(
        self,
        url: str,
        *,
        application_name: str,
        pool_size: int = 10,
        pool_wait_seconds: float = 30,
        ping_first: bool = True,
        tls: DatabaseTls = AS_OFFERED,
        idle_in_transaction_seconds: int = 60,
    ) -> None:
        self._url = parse_url(url)
        self._pool_size = pool_size
        self._tls = tls
        self._server_settings = {
            "application_name": application_name,
            # A transaction that idles holds back every event consumer (the fence of the log).
            "idle_in_transaction_session_timeout": f"{idle_in_transaction_seconds}s",
            "lock_timeout": "30s",
            "timezone": "UTC",
            # Compiling takes longer than what it would save on our short statements.
            "jit": "off",
        }
        self.engine: AsyncEngine = create_async_engine(
            self._url,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=pool_wait_seconds,
            pool_pre_ping=ping_first,
            # The connection used last has its statements prepared.
            pool_use_lifo=True,
            connect_args={
                "server_settings": self._server_settings,
                "timeout": _CONNECT_TIMEOUT_SECONDS,
                **tls.arguments,
            },
        )
        self.sessions = async_sessionmaker(self.engine, expire_on_commit=False)
        self._reading_sessions = async_sessionmaker(
            self.engine.execution_options(postgresql_readonly=True), expire_on_commit=False
        )

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """A session in one transaction: committed at the end, rolled back by an exception."""
        async with self.sessions.begin() as session:
            yield session

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """A session in one read-only transaction: PostgreSQL refuses whatever would change it."""
        async with self._reading_sessions.begin() as session:
            yield session

    @asynccontextmanager
    async def staying(self) -> AsyncIterator[AsyncSession]:
        """A session for several transactions (``session.begin()``) of one connection, with what is
        the connection's: its locks and its temporary tables. An exception ends them with it."""
        async with self.engine.connect() as connection:
            try:
                async with AsyncSession(connection, expire_on_commit=False) as session:
                    yield session
            except BaseException:
                await connection.invalidate()
                raise

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection of its own, outside the pool, for LISTEN."""
        plain = self._url.set(drivername="postgresql").render_as_string(hide_password=False)
        connection = await asyncpg.connect(
            plain,
            server_settings=self._server_settings,
            timeout=_CONNECT_TIMEOUT_SECONDS,
            **self._tls.arguments,
        )
        try:
            yield connection
        finally:
            await connection.close(timeout=_CONNECT_TIMEOUT_SECONDS)

    def connections(self) -> Connections:
        """How many of the pool are in use."""
        pool = self.engine.pool
        assert isinstance(pool, QueuePool)
        return Connections(in_use=pool.checkedout(), most=self._pool_size)

    async def check(self) -> None:
        """Raises DatabaseUnusable, and says what to do, where the server is away or too old."""
        try:
            async with self.engine.connect() as connection:
                number = await connection.scalar(
                    text("SELECT current_setting('server_version_num')")
                )
        except CANNOT_CONNECT as error:
            raise unusable(self._url, error) from error
        require_version(int(number))

    async def has_schema(self, schema: str) -> bool:
        """Whether a schema was ever migrated."""
        async with self.engine.connect() as connection:
            found = await connection.scalar(
                text("SELECT to_regclass(:table) IS NOT NULL"),
                {"table": f"{schema}.alembic_version"},
            )
        return bool(found)

    async def dispose(self) -> None:
        await self.engine.dispose()


def parse_url(url: str) -> URL:
    """A database's URL for asyncpg, whatever driver it names; raises DatabaseUnusable."""
    try:
        parsed = make_url(url).set(drivername="postgresql+asyncpg")
    except ArgumentError:
        raise DatabaseUnusable(
            "The database's URL cannot be read: give postgresql://USER:PASSWORD@HOST/DATABASE."
        ) from None
    if found := _TLS_IN_URL & parsed.query.keys():
        raise DatabaseUnusable(
            f"The database's URL says {', '.join(sorted(found))}: take it out, and set "
            "DATABASE_TLS and DATABASE_TLS_CA, which hold for every connection."
        )
    return parsed


def unusable(url: URL, error: BaseException) -> DatabaseUnusable:
    """Why there is no connection, in one line that says what to do; never with the password."""
    where = url.query.get("host") or url.host or "the local socket"
    server = f"PostgreSQL at {where}"
    state = getattr(getattr(error, "orig", error), "sqlstate", None) or ""
    if state == _NO_SUCH_DATABASE:
        return DatabaseUnusable(
            f"{server} has no database {url.database}: create it, or correct DATABASE_URL."
        )
    if state.startswith(_NOT_AUTHORISED):
        return DatabaseUnusable(
            f"{server} does not let {url.username} in: correct the user or the password in the URL."
        )
    if isinstance(getattr(error, "orig", error), ssl.SSLCertVerificationError):
        return DatabaseUnusable(
            f"{server} shows a certificate that is not trusted: set DATABASE_TLS_CA to the "
            "certificate of who vouches for it, and give the URL the host that it names."
        )
    return DatabaseUnusable(
        f"{server}, database {url.database}, cannot be used as {url.username} "
        f"({type(getattr(error, 'orig', error)).__name__}): start it, or correct DATABASE_URL."
    )


def may_pass(error: BaseException) -> bool:
    """Whether the server is at fault and not the statement: the same may work when tried again."""
    if getattr(error, "connection_invalidated", False):
        return True
    if isinstance(error, OSError | PoolTimeout):
        return True
    state = getattr(getattr(error, "orig", error), "sqlstate", None) or ""
    return state[:2] in _PASSING


def is_away(error: BaseException) -> bool:
    """Whether nothing can be done with the server just now, whatever the statement."""
    if getattr(error, "connection_invalidated", False):
        return True
    if isinstance(error, OSError | PoolTimeout):
        return True
    state = getattr(getattr(error, "orig", error), "sqlstate", None) or ""
    return state.startswith(_AWAY)


def require_version(server_version_number: int) -> None:
    """Raises DatabaseUnusable for a server older than PostgreSQL 18."""
    major = server_version_number // 10_000
    if major < MINIMUM_SERVER_VERSION:
        raise DatabaseUnusable(
            f"PostgreSQL {major} is too old: version {MINIMUM_SERVER_VERSION} or newer is needed "
            "(uuidv7(), RETURNING old and new). Point DATABASE_URL at one."
        )


async def plan_anew(session: AsyncSession) -> None:
    """Let statements be planned for what they are given, until this transaction ends.

    A plan that PostgreSQL keeps was made for any values, and for tables as they were: one that was
    made while a table was empty reads all of it for each row, once it is not.
    """
    await session.execute(_PLAN_ANEW)


async def driver_connection(session: AsyncSession) -> asyncpg.Connection:
    """The session's own asyncpg connection, inside its transaction: for COPY."""
    connection = await session.connection()
    raw = await connection.get_raw_connection()
    driver = raw.driver_connection
    assert isinstance(driver, asyncpg.Connection)
    return driver


async def get_session(request: Request) -> AsyncIterator[AsyncSession]:
    # With the record of who changes what: ``shared.audit.recorded``.
    async with request.app.state.recorded(request) as session:
        yield session


Session = Annotated[AsyncSession, Depends(get_session, scope="function")]
"""The request's transaction. It commits before the reply leaves: ``scope="function"``."""
