"""The whole system on one machine: PostgreSQL, the services' processes, the provider sandbox.

Each API server and each worker is a process of its own, so that they can be ended one by one.
The demonstration, the tests, the fault runs and the benchmarks all start it from here.
"""

import asyncio
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import TracebackType

import asyncpg
import httpx
from sqlalchemy.engine import make_url

from deploy.check.processes import variables_of
from deploy.local.environment import NOT_KNOWN_UNTRUE, LocalSecrets, local_environment
from deploy.local.every_kind import bank_of, of_every_kind
from deploy.local.ports import free_port
from deploy.local.postgres import LocalPostgres
from sandbox.bank.options import BankOptions
from sandbox.options import SandboxOptions
from services.processes import PROCESSES, SERVICES
from shared.auth import development
from shared.auth.roles import Role, scopes_of
from shared.clock import set_clock
from shared.version import API_PREFIX

SANDBOX = "sandbox"
BANK = "bank"
DATABASE = "sangkroh"
ENVIRONMENT = "environment"
"""The file with what the services are told, where it is kept."""

_READY_SECONDS = 60
_STOP_SECONDS = 15
_TOKEN_SECONDS = 12 * 3600
_CLIENT_TIMEOUT_SECONDS = 120


class StackDidNotStart(Exception):
    """Says which process did not come up, and what it said last."""


class Stack:
    """The processes of one local deployment.

    ``sandbox`` options are taken as given but for their port, storage and providers, which are
    the stack's. With ``every_kind``, one of its providers takes batches, and a bank that takes
    files is started as well, like it in its accounts and its day; with ``bank``, that bank is, in
    folders that are there. ``commands`` replaces how a process is launched, by its name.
    ``ports`` are free ones unless given. With ``database_url`` that server is used (and cannot
    be killed or stopped from here); without, the embedded one. ``ready_seconds`` is how long
    ``wait_ready`` waits.
    """

    def __init__(
        self,
        directory: Path,
        *,
        sandbox: SandboxOptions | None = None,
        every_kind: bool = False,
        bank: BankOptions | None = None,
        environment: Mapping[str, str] | None = None,
        processes: Sequence[str] = PROCESSES,
        commands: Mapping[str, Sequence[str]] | None = None,
        ports: Mapping[str, int] | None = None,
        database_url: str | None = None,
        postgres: LocalPostgres | None = None,
        database: str = DATABASE,
        clock: datetime | None = None,
        ready_seconds: float = _READY_SECONDS,
    ) -> None:
        self._ready_seconds = ready_seconds
        self.directory = directory.resolve()
        self.directory.mkdir(parents=True, exist_ok=True)
        self.logs = self.directory / "logs"
        self.logs.mkdir(exist_ok=True)
        self.secrets = LocalSecrets.kept_in(self.directory / "secrets.json")
        self.key_file = self.directory / "issuer" / "key.pem"
        self.clock_file: Path | None = None
        if clock is not None:
            self.clock_file = self.directory / "clock.json"
            set_clock(self.clock_file, clock)
        self.postgres = postgres or (
            None if database_url else LocalPostgres(self.directory / "postgres")
        )
        self._database = database
        self._database_url = database_url
        self._own_environment = dict(environment or {})
        self.names = list(processes)
        self._commands = dict(commands or {})
        self._ports = dict(ports or {service: free_port() for service in SERVICES})
        self._further_ports: dict[str, int] = {}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._environment: dict[str, str] = {}
        self._said_before: dict[str, int] = {}
        self.sandbox = (
            replace(
                sandbox,
                port=sandbox.port or free_port(),
                storage=self.directory / "sandbox.sqlite",
                providers=self.secrets.providers(),
            )
            if sandbox
            else None
        )
        self._every_kind = every_kind
        self.bank = bank
        if every_kind:
            assert self.sandbox is not None
            self.bank = bank_of(self.directory, self.secrets, like=self.sandbox)

    # -- starting and stopping

    def start(self) -> None:
        """Start PostgreSQL, migrate, start every process, and wait until all are ready."""
        self.start_postgres()
        self._create_database()
        untrue_seconds = self._own_environment.get(NOT_KNOWN_UNTRUE)
        self._environment = local_environment(
            self.secrets,
            owner_url=self.database_url,
            ports=self._ports,
            sandbox_port=self.sandbox.port if self.sandbox else free_port(),
            key_file=self.key_file,
            clock_file=self.clock_file,
            **({} if untrue_seconds is None else {"not_known_untrue_seconds": int(untrue_seconds)}),
        )
        if self._every_kind:
            self._environment |= of_every_kind(self._environment, self.directory, self.secrets)
        self.migrate()
        if self.sandbox:
            self.start_process(SANDBOX)
        if self.bank:
            self.start_process(BANK)
        for name in self.names:
            self.start_process(name)
        self.wait_ready()

    def stop(self) -> None:
        """End every process in good order, then PostgreSQL."""
        for process in self._running.values():
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + _STOP_SECONDS
        for process in self._running.values():
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._running.clear()
        if self.postgres:
            self.postgres.stop()

    def __enter__(self) -> "Stack":
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def start_postgres(self) -> None:
        if self.postgres:
            self.postgres.start()

    def kill_postgres(self) -> None:
        """SIGKILL to PostgreSQL and all of its processes."""
        if self.postgres is None:
            raise RuntimeError("Only the embedded PostgreSQL can be killed; unset DATABASE_URL.")
        self.postgres.kill()

    def start_process(self, name: str) -> None:
        """Start one process by its name, its output appended to ``logs/NAME.log``."""
        with (self.logs / f"{name}.log").open("ab") as log:
            self._said_before[name] = log.tell()
            self._running[name] = subprocess.Popen(
                self._command(name),
                env={**os.environ, **self._environment_of(name)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def kill(self, name: str) -> None:
        """SIGKILL to one process."""
        process = self._running[name]
        process.kill()
        process.wait()

    def restart(self, name: str) -> None:
        """Start a process that was killed, again."""
        if self.is_running(name):
            raise RuntimeError(f"{name} still runs: kill it first.")
        self.start_process(name)

    def is_running(self, name: str) -> bool:
        process = self._running.get(name)
        return process is not None and process.poll() is None

    def process_ids(self) -> dict[str, int]:
        """The process id of everything that runs, by name."""
        running = {
            name: process.pid for name, process in self._running.items() if process.poll() is None
        }
        if self.postgres and (postmaster := self.postgres.process_id()):
            running["postgres"] = postmaster
        return running

    def wait_ready(self, names: Iterable[str] | None = None) -> None:
        """Wait until the named processes (all, by default) run and their APIs answer ready."""
        wanted = list(self._running) if names is None else list(names)
        deadline = time.monotonic() + self._ready_seconds
        for name in wanted:
            while not self.is_ready(name):
                if not self.is_running(name):
                    raise StackDidNotStart(f"{name} ended at its start: {self._last_words(name)}")
                if time.monotonic() > deadline:
                    raise StackDidNotStart(f"{name} is not ready after {self._ready_seconds:g} s.")
                time.sleep(0.05)

    def is_ready(self, name: str) -> bool:
        """Whether a process runs and, if it is an API or the sandbox, answers."""
        if not self.is_running(name):
            return False
        if name == SANDBOX:
            assert self.sandbox is not None
            url = f"{self.sandbox.url}/book/summary"
        elif name == BANK:
            return b"A bank fetches" in self._said(name)
        elif _known_as(name).endswith("-api"):
            # Before it says so, whoever answers on its port is another deployment.
            if b"api_started" not in self._said(name):
                return False
            url = f"{self.api_url(name)}/ready"
        else:
            return b"worker_started" in self._said(name)
        try:
            return httpx.get(url, timeout=2).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    def _command(self, name: str) -> list[str]:
        if name in self._commands:
            return list(self._commands[name])
        if name == SANDBOX:
            assert self.sandbox is not None
            return self.sandbox.command()
        if name == BANK:
            assert self.bank is not None
            return self.bank.command()
        return [sys.executable, "-m", "services", _known_as(name)]

    def _environment_of(self, name: str) -> dict[str, str]:
        """What a process is told: what it reads, and no provider the services' keys."""
        if name == SANDBOX:
            assert self.sandbox is not None
            return self.sandbox.environment()
        if name == BANK:
            assert self.bank is not None
            return self.bank.environment()
        # A further one, such as payments-worker-2, is told what the first is, but for its port.
        process = _known_as(name)
        read = variables_of(process).known
        told = {
            variable: self._environment[variable] for variable in self._environment.keys() & read
        }
        if name != process and process.endswith("-api"):
            port = self._further_ports.setdefault(name, free_port())
            told[f"{process.removesuffix('-api').upper()}_PORT"] = str(port)
        return {**told, **self._own_environment}

    def _said(self, name: str) -> bytes:
        """What a process has said since it was last started."""
        with (self.logs / f"{name}.log").open("rb") as log:
            log.seek(self._said_before[name])
            return log.read()

    def _last_words(self, name: str) -> str:
        lines = (self.logs / f"{name}.log").read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"

    # -- the database

    @property
    def database_url(self) -> str:
        """The owner's URL of the system's database."""
        if self.postgres:
            return self.postgres.url(self._database)
        assert self._database_url is not None
        return self._database_url

    def keep_environment(self) -> None:
        """Write what the services are told to a file of shell, for commands beside them.

        Its owner alone reads it: it holds their secrets, as ``secrets.json`` does.
        """
        path = self.directory / ENVIRONMENT
        path.unlink(missing_ok=True)
        told = {**self._environment, **self._own_environment}
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.writelines(f"{name}={shlex.quote(value)}\n" for name, value in told.items())

    def migrate(self) -> None:
        """Bring every schema to its head."""
        self.run("migrate")

    def run(self, *arguments: str) -> None:
        """`python -m services …` to its end, as an operator would; raises StackDidNotStart."""
        done = subprocess.run(
            [sys.executable, "-m", "services", *arguments],
            env={**os.environ, **self._environment, **self._own_environment},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            words = done.stderr.strip().splitlines() or ["it said nothing"]
            raise StackDidNotStart(f"`{' '.join(arguments)}` failed: {words[-1]}")

    def _create_database(self) -> None:
        if self.postgres is None:
            return
        asyncio.run(_ensure_database(self.postgres.url("postgres"), self._database))

    # -- talking to it

    @property
    def urls(self) -> dict[str, str]:
        """The base URL of each service."""
        return {service: f"http://127.0.0.1:{self._ports[service]}" for service in SERVICES}

    def api_url(self, name: str) -> str:
        """The base URL of one process of an API, such as registry-api or registry-api-2."""
        if name in self._further_ports:
            return f"http://127.0.0.1:{self._further_ports[name]}"
        return self.urls[name.removesuffix("-api")]

    def token(self, role: Role | None = None) -> str:
        """A bearer token of whoever has ``role``; of the officer who does all but approve."""
        if role is not None:
            return development.mint_role(self.key_file, role, seconds=_TOKEN_SECONDS)
        return development.mint(
            self.key_file,
            subject=development.SUBJECT,
            scopes=development.WITHOUT_APPROVING,
            seconds=_TOKEN_SECONDS,
        )

    def client(self, service: str, role: Role | None = None) -> httpx.Client:
        """An HTTP client of one service, with such a token."""
        return self._client(service, self.token(role))

    def publisher(self, program: str) -> httpx.Client:
        """An HTTP client of triggers with a publisher's own token: what it posts counts at once."""
        token = development.mint(
            self.key_file,
            subject=program,
            scopes=scopes_of([Role.PUBLISHER]),
            seconds=_TOKEN_SECONDS,
            client=program,
        )
        return self._client("triggers", token)

    def _client(self, service: str, token: str) -> httpx.Client:
        return httpx.Client(
            base_url=self.urls[service] + API_PREFIX,
            headers={"Authorization": f"Bearer {token}"},
            timeout=_CLIENT_TIMEOUT_SECONDS,
        )

    def set_clock(self, instant: datetime) -> None:
        """Set the domain clock of every process; it flows on from there."""
        if self.clock_file is None:
            raise RuntimeError("This stack runs on the machine's clock: give it `clock=`.")
        set_clock(self.clock_file, instant)


def _known_as(name: str) -> str:
    """The process that one is of: payments-worker of payments-worker-2."""
    [process] = [known for known in PROCESSES if name == known or name.startswith(f"{known}-")]
    return process


async def _ensure_database(server_url: str, database: str) -> None:
    plain = make_url(server_url).set(drivername="postgresql")
    connection = await asyncpg.connect(plain.render_as_string(hide_password=False))
    try:
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", database):
            await connection.execute(f'CREATE DATABASE "{database}"')
    finally:
        await connection.close()
