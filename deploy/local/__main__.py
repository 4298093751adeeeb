"""`make run`: the services and the provider sandbox on this machine, until Ctrl-C.

With CLOCK=2020-10-12 the programme begins on that day, and `make clock` moves it on.

A process that ends by itself is started again: the system is built to survive that, and one
failing process is no reason to take the others away from whoever is working with them. One that
keeps ending is not going to recover, so then everything stops and the last words are shown.
"""

import os
import signal
import sys
import time
from collections import deque
from datetime import datetime
from pathlib import Path

from deploy.local.every_kind import how_paid
from deploy.local.exclusive import FolderInUse, exclusively
from deploy.local.ports import PortUnusable, sandbox_port, service_ports
from deploy.local.postgres import PostgresDidNotStart
from deploy.local.stack import BANK, SANDBOX, Stack, StackDidNotStart
from sandbox.options import SandboxOptions
from services.processes import PROCESSES, SERVICES
from shared.clock import CLOCK_FILE, FileClock, instant_from, told

DIRECTORY = Path(".local")
"""Where `make token` looks for the issuer's key too."""

_LOOK_SECONDS = 0.5
_MOST_ENDS = 3
_WITHIN_SECONDS = 60.0


class ClockRefused(Exception):
    """One line that says what a clock can be set to."""


class KeepsEnding(Exception):
    """One line that says which process ends again and again, and where its log is."""


def main() -> None:
    # Also the interrupt: a shell's background job is started with it ignored.
    for end in (signal.SIGINT, signal.SIGTERM):
        signal.signal(end, signal.default_int_handler)
    try:
        with exclusively(DIRECTORY, what="`make run`"):
            _run()
    except KeyboardInterrupt:
        sys.exit("Stopped before it was up.")
    except (
        ClockRefused,
        FolderInUse,
        KeepsEnding,
        PortUnusable,
        PostgresDidNotStart,
        StackDidNotStart,
    ) as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(f"{error.filename or DIRECTORY}: {error.strerror}. Free or correct it, try again.")


def _run() -> None:
    clock = _clock()
    stack = Stack(
        DIRECTORY,
        sandbox=SandboxOptions(
            port=sandbox_port(),
            storage=DIRECTORY,
            providers=(),
            clock_file=CLOCK_FILE.resolve() if clock else None,
        ),
        every_kind=True,
        environment={"DOCS": docs} if (docs := os.environ.get("DOCS")) else {},
        ports=service_ports(),
        database_url=os.environ.get("DATABASE_URL") or None,
        clock=clock,
    )
    _set_logs_aside(stack.logs)
    print("Starting PostgreSQL, the services and providers of every kind …", flush=True)
    with stack:
        stack.keep_environment()
        print(_welcome(stack), flush=True)
        try:
            _keep_up(stack)
        except KeyboardInterrupt:
            print("\nStopping …", flush=True)
        finally:
            # A second Ctrl-C would leave processes behind.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("Stopped; the data stays in the database.")


def _clock() -> datetime | None:
    """When the programme begins, as CLOCK says; None for the machine's own time."""
    text = os.environ.get("CLOCK")
    if not text:
        # One of an earlier run moves nothing now.
        CLOCK_FILE.unlink(missing_ok=True)
        return None
    try:
        return instant_from(text)
    except ValueError as error:
        raise ClockRefused(f"CLOCK: {error}") from None


def _keep_up(stack: Stack) -> None:
    ends: dict[str, deque[float]] = {
        name: deque(maxlen=_MOST_ENDS) for name in (SANDBOX, BANK, *PROCESSES)
    }
    while True:
        time.sleep(_LOOK_SECONDS)
        if stack.postgres and stack.postgres.process_id() is None:
            print("PostgreSQL ended: starting it again.", flush=True)
            stack.start_postgres()
        for name, times in ends.items():
            if stack.is_running(name):
                continue
            now = time.monotonic()
            times.append(now)
            log = stack.logs / f"{name}.log"
            if len(times) == _MOST_ENDS and now - times[0] < _WITHIN_SECONDS:
                raise KeepsEnding(f"{name} keeps ending, so all is stopped: see {log}.")
            print(f"{name} ended (see {log}): starting it again.", flush=True)
            stack.restart(name)


def _set_logs_aside(logs: Path) -> None:
    """Readiness is read from this run's logs, so the last run's go under another name."""
    for log in logs.glob("*.log"):
        if not log.name.endswith(".previous.log"):
            log.replace(log.with_suffix(".previous.log"))


def _welcome(stack: Stack) -> str:
    assert stack.sandbox is not None
    documents = "\n".join(f"  {service:<9} {stack.urls[service]}/docs" for service in SERVICES)
    clock = (
        f"Its clock says {told(FileClock(stack.clock_file))}; to move it on:  "
        "make clock CLOCK=2020-11-12\n"
        if stack.clock_file
        else ""
    )
    return (
        f"Sangkroh is up. Its documentation, to read and to try:\n{documents}\n"
        f"  the providers' book  {stack.sandbox.url}/book\n"
        "Providers to pay through, and how (docs/providers.md, docs/reconciliation.md):\n"
        f"{_providers(stack)}\n"
        f"{clock}"
        "A token, in another terminal:  make token\n"
        f"Logs: {os.path.relpath(stack.logs)}. Ctrl-C stops it all."
    )


def _providers(stack: Stack) -> str:
    """How each is paid through, and where it is."""
    assert stack.sandbox is not None
    ways = how_paid(
        stack.directory, sandbox_url=stack.sandbox.url, payments_url=stack.urls["payments"]
    )
    return "\n".join(f"  {code:<15}  {how:<15}  {where}" for code, (how, where) in ways.items())


if __name__ == "__main__":
    main()
