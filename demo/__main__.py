"""`make demo`: the main job on real data, end to end, and the proofs that it is right.

SCALE=0.03  the part of the country's 678,440 poor households to make; 1 is the country
SEED=1      another seed makes other households, and other misbehaviour of the providers
KEEP=1      stay up afterwards, for a look around

Exit status 0 only if every proof holds.
"""

import asyncio
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import httpx
from rich.console import Console
from sqlalchemy.engine import make_url

from demo.accountant import Reconciled, Unexpected
from demo.api import NeverCame, Refused
from demo.options import OptionRefused, Options, read_options
from demo.play import play
from demo.preparation import ImportIncomplete
from demo.providers import Providers
from demo.report import print_report
from demo.shocks import falls
from demo.show import Show
from deploy.local.environment import NOT_KNOWN_UNTRUE
from deploy.local.exclusive import FolderInUse, exclusively
from deploy.local.ports import PortUnusable, spare_ports
from deploy.local.postgres import LocalPostgres, PostgresDidNotStart
from deploy.local.stack import Stack, StackDidNotStart
from judge.case import Case, Expected
from judge.records import Records
from judge.verdict import Verdict, judge
from judge.witnesses.book import BookUnreadable
from judge.witnesses.database import read_records, snapshot
from sandbox.options import SandboxOptions
from services.processes import SERVICES

DIRECTORY = Path(".local/demo")
RUN_SECRETS = DIRECTORY.parent / "secrets.json"
DATABASE = "sangkroh_demo"
BEGINNING = datetime(2019, 1, 2, 2, 0, tzinfo=UTC)
"""The domain's first day: before the first price was published."""

PUBLISHER = "feed:wfp@development"
"""Whose figures count at once: a program, and no person."""

_PLAIN_WIDTH = 110

# A provider that says nothing is asked within seconds here, not minutes: the demonstration waits
# for the last household, and its sandbox is on the same machine.
_IMPATIENCE = {
    "PAYMENTS_UNKNOWN_INQUIRY_SECONDS": "1",
    "PAYMENTS_PENDING_INQUIRY_SECONDS": "3",
    NOT_KNOWN_UNTRUE: "2",
    "PAYMENTS_PROVIDER_TIMEOUT_SECONDS": "5",
    "PAYMENTS_BATCH_RESULTS_SECONDS": "0.5",
    "PAYMENTS_BATCH_RESULTS_LONGEST_SECONDS": "2",
}


def main() -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    console = Console()
    if not console.is_terminal:
        console = Console(width=_PLAIN_WIDTH)
    try:
        options = read_options()
        with exclusively(DIRECTORY, what="`make demo`"):
            held = _run(options, console)
    except KeyboardInterrupt:
        sys.exit("\nStopped.")
    except (
        FolderInUse,
        OptionRefused,
        PortUnusable,
        PostgresDidNotStart,
        StackDidNotStart,
    ) as error:
        sys.exit(str(error))
    except (BookUnreadable, ImportIncomplete, NeverCame, Refused, Unexpected) as error:
        sys.exit(f"{error} The logs are in {DIRECTORY / 'logs'}.")
    except (httpx.HTTPError, asyncpg.PostgresError) as error:
        what = type(error).__name__
        sys.exit(f"A service stopped answering ({what}). The logs are in {DIRECTORY / 'logs'}.")
    except OSError as error:
        sys.exit(f"{error.filename or DIRECTORY}: {error.strerror}. Free or correct it, try again.")
    sys.exit(0 if held else 1)


def _run(options: Options, console: Console) -> bool:
    show = Show(console)
    console.print(
        f"[bold]Sangkroh[/], from a shock to the households that it hit: at {_percent(options)} "
        f"of the country, seed {options.seed}.",
        highlight=False,
    )
    with _started(options, show) as stack:
        with show.running():
            played = play(stack, options, show, beginning=BEGINNING, publisher=PUBLISHER)
            verdict = _judge(stack, played.expected, show)
        print_report(
            console,
            played.facts,
            verdict,
            falls=falls(),
            households=played.expected.households or 0,
            scale=_percent(options),
            seconds=show.seconds,
            officers=played.officers,
            reconciled=played.reconciled,
        )
        held = verdict.holds and played.reconciled.holds
        console.print(_last_word(verdict, played.reconciled))
        _say_where_to_look(stack, options, console)
        if options.keep:
            _stay_up(console)
    return held


def _last_word(verdict: Verdict, reconciled: Reconciled) -> str:
    if not verdict.holds:
        return "[bold red]A proof fails.[/]"
    if not reconciled.holds:
        return "[bold red]No proof fails, but a statement does not match.[/]"
    return "[bold green]No proof fails, and every statement matches.[/]"


@contextmanager
def _started(options: Options, show: Show) -> Iterator[Stack]:
    """The stack of a fresh demonstration: nothing is left of an earlier one."""
    with show.running(), show.phase("Starting PostgreSQL and the services"):
        _clear_folder()
        stack = _stack(options)
        try:
            stack.start()
        except BaseException:
            stack.stop()
            raise
    try:
        yield stack
    finally:
        # A second Ctrl-C would leave processes behind.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        stack.stop()


def _clear_folder() -> None:
    for path in DIRECTORY.iterdir():
        # The cluster is kept, for making one takes longest; its database is made anew.
        if path.name in ("logs", "bank"):
            shutil.rmtree(path)
        elif path.name.startswith("sandbox.sqlite"):
            path.unlink()


def _stack(options: Options) -> Stack:
    sandbox = SandboxOptions(
        port=0,
        storage=DIRECTORY,
        providers=(),
        seed=options.seed,
        clock_file=(DIRECTORY / "clock.json").resolve(),
    )
    if options.database_url is None:
        postgres = LocalPostgres(DIRECTORY / "postgres")
        postgres.start()
        asyncio.run(_make_anew(postgres.url("postgres")))
        database_url = None
    else:
        postgres = None
        database_url = asyncio.run(_make_anew(options.database_url))
        if RUN_SECRETS.exists():
            # Roles are the server's: `make run` on the same one goes on with its passwords.
            shutil.copy(RUN_SECRETS, DIRECTORY)
    return Stack(
        DIRECTORY,
        sandbox=sandbox,
        every_kind=True,
        environment=_IMPATIENCE,
        ports=spare_ports(),
        postgres=postgres,
        database_url=database_url,
        database=DATABASE,
        clock=BEGINNING,
    )


async def _make_anew(server_url: str) -> str:
    """Drop the demonstration's database where there is one, and make it; its URL."""
    url = make_url(server_url)
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        connection = await asyncpg.connect(plain, timeout=10)
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        raise StackDidNotStart(
            f"PostgreSQL at {url.host or 'the local socket'} cannot be used as {url.username} "
            f"({type(error).__name__}): start it, or correct DATABASE_URL."
        ) from error
    try:
        await connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        await connection.execute(f"CREATE DATABASE {DATABASE}")
    except asyncpg.InsufficientPrivilegeError as error:
        raise StackDidNotStart(
            f"{url.username} may not make the database {DATABASE}: grant CREATEDB and CREATEROLE, "
            "or unset DATABASE_URL to use the embedded PostgreSQL."
        ) from error
    finally:
        await connection.close()
    return url.set(database=DATABASE).render_as_string(hide_password=False)


def _judge(stack: Stack, expected: Expected, show: Show) -> Verdict:
    providers = Providers(stack)
    with show.phase("Judging the records against the providers' books"):
        return judge(
            Case(
                records=asyncio.run(_records(stack.database_url)),
                expected=expected,
                book=providers.lines(),
                callbacks_delivered=providers.callbacks_delivered(),
            )
        )


async def _records(database_url: str) -> Records:
    async with snapshot(database_url) as connection:
        return await read_records(connection)


def _say_where_to_look(stack: Stack, options: Options, console: Console) -> None:
    console.print(f"\nLogs of each process: {os.path.relpath(stack.logs)}", highlight=False)
    if not options.keep:
        console.print(
            "Look around with the services up: KEEP=1 make demo. A system of your own: make run.\n"
            "Then README.md follows one household from the observation to its payment.",
            highlight=False,
        )
        return
    assert stack.sandbox is not None
    for service in SERVICES:
        console.print(f"  {service:<9} {stack.urls[service]}/docs", highlight=False)
    console.print(f"  the book  {stack.sandbox.url}/book", highlight=False)
    key_file = os.path.relpath(stack.key_file)
    python = os.path.relpath(sys.executable)
    console.print(
        f"A token: {python} -m shared.auth.development --key-file {key_file}",
        highlight=False,
        soft_wrap=True,
    )


def _stay_up(console: Console) -> None:
    console.print("The services stay up. Ctrl-C stops them.", highlight=False)
    try:
        while True:
            time.sleep(1)
    except KeyboardInterrupt:
        console.print("\nStopping …")


def _percent(options: Options) -> str:
    return f"{float(options.scale):.4%}".rstrip("0%").rstrip(".") + "%"


if __name__ == "__main__":
    main()
