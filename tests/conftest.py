"""What every test stands on: a real PostgreSQL, migrated by Alembic, and the unmodified apps.

Tests run in several workers at once (`make test`, `make long`). Each has an embedded PostgreSQL of
its own; with DATABASE_URL they share that server, and with it the roles of the services.
"""

import asyncio
import fcntl
import gc
import os
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import (
    AbstractContextManager,
    AsyncExitStack,
    asynccontextmanager,
    contextmanager,
    nullcontext,
    suppress,
)
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, settings
from sqlalchemy.engine import make_url

from deploy.local.environment import LocalSecrets, local_environment
from deploy.local.exclusive import FolderInUse, exclusively
from deploy.local.ports import free_port
from deploy.local.postgres import LocalPostgres
from services.processes import SERVICES
from shared.auth import development
from shared.clock import set_clock
from shared.ids import new_id
from shared.version import API_PREFIX
from tests.recording import nothing_unrecorded as nothing_unrecorded
from tests.server import serving

# A busy machine is slow at anything; no property here is about time.
settings.register_profile(
    "any-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any-machine")

WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
"""Which of several workers this process is; empty where it is the only one."""
TEMPLATE = f"sangkroh_test_template{WORKER and '_'}{WORKER}"
NOON = datetime(2026, 1, 5, 5, 0, tzinfo=UTC)
"""When tests begin, unless they set the clock: noon in Phnom Penh."""

# Making a database is making three hundred files: a tenth of a second in memory, and up to ten
# times as long on a disk that others write to.
_MEMORY = Path("/dev/shm")  # noqa: S108 - only looked for
_MEMORY_FREE_BYTES = 2 * 2**30
_POSTGRES = """
fsync = off  # safe here: no test cuts the power of the machine
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
max_wal_size = 256MB
autovacuum = off  # no test's database lives for as long as its first round
shared_buffers = 64MB  # all of it is looked through whenever a database is made or dropped
file_copy_method = clone  # the system copies the files of a test's database
"""

_PREFIX = "sangkroh-test-run-"
_CERTAINLY_HELD_SECONDS = 60
"""A folder as old as that is held by whoever made it, if that still runs."""

FEED = "feed:"
"""What the subject of a publisher's own client begins with here."""

InTurn = Callable[[], AbstractContextManager[None]]


def pytest_collection_finish() -> None:
    """Have the garbage collector leave alone what was imported, and look seldom: it would walk over
    three applications after every few requests."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def _run_sql(url: str, *statements: str) -> None:
    async def run() -> None:
        plain = make_url(url).set(drivername="postgresql")
        connection = await asyncpg.connect(plain.render_as_string(hide_password=False))
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(run())


@dataclass(frozen=True)
class DatabaseServer:
    """The server of this test session: embedded, or the one that DATABASE_URL names."""

    url_of: Callable[[str], str]
    run_sql: Callable[..., None]
    copying: str = ""
    """How a database is copied: to whoever has no disk to wait for, by its files."""


@pytest.fixture(scope="session")
def common_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the workers of one run have in common."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if WORKER else own


@pytest.fixture(scope="session")
def in_turn(common_directory: Path) -> InTurn:
    """``with in_turn():`` one worker after the other."""

    @contextmanager
    def alone() -> Iterator[None]:
        with (common_directory / "turn.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    return alone


@pytest.fixture(scope="session")
def local_secrets(common_directory: Path, in_turn: InTurn) -> LocalSecrets:
    with in_turn():
        return LocalSecrets.kept_in(common_directory / "secrets.json")


@pytest.fixture(scope="session")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("issuer") / "key.pem"
    development.ensure_issuer(path)
    return path


@pytest.fixture(scope="session")
def database_server(in_turn: InTurn) -> Iterator[DatabaseServer]:
    given = os.environ.get("DATABASE_URL")
    if given:
        parsed = make_url(given)

        def url_of(database: str) -> str:
            return parsed.set(database=database).render_as_string(hide_password=False)

        maintenance = given
        yield DatabaseServer(url_of, lambda *sql: _run_sql(maintenance, *sql))
        return
    # Not in pytest's folder: each session of pytest closes that to others, PostgreSQL among them.
    with (
        TemporaryDirectory(prefix=_PREFIX, dir=_fast_directory()) as directory,
        exclusively(Path(directory), what="`make test`"),
    ):
        server = LocalPostgres(Path(directory) / "postgres", configuration=_POSTGRES)
        with in_turn():
            _remove_left_behind(Path(directory).parent)
            # The first to come may have to make the system user as whom PostgreSQL runs.
            server.start()
        yield DatabaseServer(
            server.url,
            lambda *sql: _run_sql(server.url("postgres"), *sql),
            copying=" STRATEGY FILE_COPY",
        )
        server.stop()


def _fast_directory() -> Path | None:
    """Where the tests' PostgreSQL keeps its files; None for the usual place of such files."""
    roomy = _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _MEMORY_FREE_BYTES
    return _MEMORY if roomy and os.access(_MEMORY, os.W_OK) else None


def _remove_left_behind(parent: Path) -> None:
    """End and remove what a run that was killed left in memory."""
    for left in parent.glob(f"{_PREFIX}*"):
        with suppress(FolderInUse, OSError):
            if time.time() - left.stat().st_ctime < _CERTAINLY_HELD_SECONDS:
                continue
            with exclusively(left, what="Its removal"):
                LocalPostgres(left / "postgres").kill()
                shutil.rmtree(left)


@pytest.fixture(scope="session")
def roles_in_turn(in_turn: InTurn) -> InTurn:
    """``with roles_in_turn():`` around a migration, which sets the passwords of the roles."""
    return in_turn if os.environ.get("DATABASE_URL") else nullcontext


@pytest.fixture
def alone_with_roles(roles_in_turn: InTurn) -> Iterator[None]:
    """For a test that migrates."""
    with roles_in_turn():
        yield


@pytest.fixture(scope="session")
def migrate(local_secrets: LocalSecrets) -> Callable[[str], None]:
    """``migrate(owner_url)`` migrates a database by Alembic, as a deployment would."""
    roles = {
        f"{service.upper()}_DATABASE_PASSWORD": local_secrets.database_passwords[service]
        for service in SERVICES
    }
    if os.environ.get("DATABASE_URL"):
        # The roles are those of all who test on that server.
        roles |= {f"{service.upper()}_DATABASE_MAXIMUM_CONNECTIONS": "-1" for service in SERVICES}

    def run(owner_url: str) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "services", "migrate"],
            env={**os.environ, **roles, "DATABASE_URL": owner_url},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    return run


@pytest.fixture(scope="session")
def template(
    database_server: DatabaseServer, migrate: Callable[[str], None], roles_in_turn: InTurn
) -> str:
    """A migrated database; each test gets a copy."""
    database_server.run_sql(f"DROP DATABASE IF EXISTS {TEMPLATE}", f"CREATE DATABASE {TEMPLATE}")
    with roles_in_turn():
        migrate(database_server.url_of(TEMPLATE))
    return TEMPLATE


@pytest.fixture
def database_url(database_server: DatabaseServer, template: str) -> Iterator[str]:
    """The owner's URL of a fresh, migrated database."""
    name = f"sangkroh_test_{new_id().hex}"
    database_server.run_sql(f"CREATE DATABASE {name} TEMPLATE {template}{database_server.copying}")
    yield database_server.url_of(name)
    database_server.run_sql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def clock_file(tmp_path: Path) -> Path:
    path = tmp_path / "clock.json"
    set_clock(path, NOON)
    return path


@pytest.fixture
def environment(
    database_url: str,
    local_secrets: LocalSecrets,
    key_file: Path,
    clock_file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> dict[str, str]:
    """The services' environment on this test's database, set in this process too."""
    ports = {service: free_port() for service in SERVICES}
    values = local_environment(
        local_secrets,
        owner_url=database_url,
        ports=ports,
        sandbox_port=free_port(),
        key_file=key_file,
        clock_file=clock_file,
    )
    # Tests search by number to find what they made.
    values["REGISTRY_RATE_SEARCH_PER_MINUTE"] = "10000"
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return values


@dataclass(frozen=True)
class RunningService:
    """One service's API, served over HTTP, and how to talk to it."""

    name: str
    app: FastAPI
    url: str
    key_file: Path

    def token(self, *scopes: str, subject: str = "officer@test", areas: Sequence[str] = ()) -> str:
        return development.mint(
            self.key_file,
            subject=subject,
            scopes=scopes or development.EVERY_SCOPE,
            seconds=3600,
            # A program's own token has the program as its subject.
            client=subject if subject.startswith(FEED) else None,
            areas=areas,
        )

    def client(
        self,
        *scopes: str,
        subject: str = "officer@test",
        areas: Sequence[str] = (),
        **options: Any,
    ) -> httpx.AsyncClient:
        """A client with a token for ``scopes`` (every scope, by default), bound to ``areas``."""
        token = self.token(*scopes, subject=subject, areas=areas)
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.AsyncClient(
            base_url=self.url + API_PREFIX,
            headers=headers,
            timeout=30,
            # Nothing here speaks TLS, and reading the trusted certificates takes a while.
            verify=False,  # noqa: S501
            **options,
        )


ServeService = Callable[[str], Any]

_DOCUMENTS: dict[str, dict[str, Any]] = {}
"""By service: the OpenAPI document of its app, which follows from the code alone. The first app of
a process makes it; an app of each test would spend most of the test's time on it."""


def _document(name: str, app: FastAPI) -> dict[str, Any]:
    if name not in _DOCUMENTS:
        _DOCUMENTS[name] = app.openapi()
    return _DOCUMENTS[name]


_ROUTERS: dict[str, dict[int, Any]] = {}
"""By service: the first app's inclusion of each router, with all that it made of it."""


def _share_routes(name: str, app: FastAPI) -> None:
    """Put what the first of its kind made of the routers that all of them include into an app.

    FastAPI reads every signature anew for each app: half of what an ordinary test takes. What is
    kept keeps its router, so that no other gets its id.
    """
    first = _ROUTERS.setdefault(name, {})
    for place, included in enumerate(app.routes):
        router = getattr(included, "original_router", None)
        if router is not None:
            app.routes[place] = first.setdefault(id(router), included)


@pytest.fixture
async def serve(environment: dict[str, str], key_file: Path) -> AsyncIterator[ServeService]:
    """``await serve("registry")`` serves the unmodified app until the test ends."""
    async with AsyncExitStack() as stack:

        async def start(name: str) -> RunningService:
            module = __import__(f"services.{name}.app", fromlist=["create_app"])
            app: FastAPI = module.create_app()
            app.openapi_schema = _document(name, app)
            _share_routes(name, app)
            url = await stack.enter_async_context(serving(app, app.state.settings.port))
            return RunningService(name, app, url, key_file)

        yield start


@pytest.fixture
def run_worker(environment: dict[str, str]) -> Callable[[str], Any]:
    """``async with run_worker("registry") as worker`` runs the unmodified worker meanwhile."""

    @asynccontextmanager
    async def run(name: str) -> AsyncIterator[Any]:
        module = __import__(f"services.{name}.worker", fromlist=["create_worker"])
        worker = module.create_worker()
        stop = asyncio.Event()
        running = asyncio.create_task(worker.run(stop))
        try:
            yield worker
        finally:
            stop.set()
            await running

    return run


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection as the database's owner, to look at what was really committed."""
    plain = make_url(database_url).set(drivername="postgresql")
    connection = await asyncpg.connect(plain.render_as_string(hide_password=False))
    yield connection
    await connection.close()
