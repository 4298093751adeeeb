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
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import httpx
from rich.console import Console
from sqlalchemy.engine import make_url

from demo.api import Api, NeverCame, Refused
from demo.facts import read_facts
from demo.options import OptionRefused, Options, read_options
from demo.preparation import ImportIncomplete, load_rules, provide_money, register_households
from demo.report import print_report
from demo.shocks import falls
from demo.show import Show
from demo.story import replay, wait_for_last_callbacks
from deploy.local.environment import NOT_KNOWN_UNTRUE
from deploy.local.exclusive import FolderInUse, exclusively
from deploy.local.ports import PortUnusable, spare_ports
from deploy.local.postgres import LocalPostgres, PostgresDidNotStart
from deploy.local.stack import Stack, StackDidNotStart
from judge.case import Case, Expected
from judge.records import Records
from judge.verdict import Verdict, judge
from judge.witnesses.book import BookInStorage, BookUnreadable
from judge.witnesses.database import read_records, snapshot
from sandbox.options import SandboxOptions
from services.processes import SERVICES
from services.registry.schemes.shipped import SHIPPED_SCHEMES
from shared.auth.roles import Role

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
    except (BookUnreadable, ImportIncomplete, NeverCame, Refused) as error:
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
            expected = _play(stack, options, show)
            verdict = _judge(stack, expected, show)
        assert stack.sandbox is not None
        facts = asyncio.run(read_facts(stack.database_url, sandbox_url=stack.sandbox.url))
        print_report(
            console,
            facts,
            verdict,
            falls=falls(),
            households=expected.households or 0,
            scale=_percent(options),
            seconds=show.seconds,
        )
        console.print(
            "[bold green]No proof fails.[/]" if verdict.holds else "[bold red]A proof fails.[/]"
        )
        _say_where_to_look(stack, options, console)
        if options.keep:
            _stay_up(console)
    return verdict.holds


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
        if path.name == "logs":
            shutil.rmtree(path)
        elif path.name.startswith("sandbox.sqlite"):
            path.unlink()


def _stack(options: Options) -> Stack:
    sandbox = SandboxOptions(port=0, storage=DIRECTORY, providers=(), seed=options.seed)
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


def _play(stack: Stack, options: Options, show: Show) -> Expected:
    """Prepare and replay; what has to be there at the end."""
    with ExitStack() as clients:
        registry, triggers, payments = (
            Api(
                service,
                clients.enter_context(stack.client(service)),
                clients.enter_context(stack.client(service, Role.CHECKER)),
            )
            for service in ("registry", "triggers", "payments")
        )
        with show.phase("Loading places, schemes, triggers and money"):
            load_rules(registry, triggers)
            provided = provide_money(payments, scale=options.scale)
        with show.phase("Registering households") as phase:
            households = register_households(
                registry, phase, scale=options.scale, seed=options.seed
            )
        assert stack.sandbox is not None
        replay(
            show,
            set_clock=stack.set_clock,
            registry=registry,
            triggers=triggers,
            payments=payments,
            publisher=Api(
                "triggers",
                clients.enter_context(stack.publisher(PUBLISHER)),
                clients.enter_context(stack.client("triggers", Role.CHECKER)),
            ),
        )
        with show.phase("Waiting for the providers' last callbacks"):
            wait_for_last_callbacks(payments, sandbox_url=stack.sandbox.url)
    return Expected(
        households=households,
        deposited_minor=provided.deposited_minor,
        prefunded_minor=provided.prefunded_minor,
        # A household has an account of its own, and the first round of each scheme is paid.
        payments_for_an_account=len(SHIPPED_SCHEMES),
        # No officer acts: nothing is cancelled and nothing is sent back.
        payment_ends=("settled", "rejected"),
    )


def _judge(stack: Stack, expected: Expected, show: Show) -> Verdict:
    assert stack.sandbox is not None
    book = BookInStorage(stack.sandbox.storage)
    with show.phase("Judging the records against the providers' book"):
        return judge(
            Case(
                records=asyncio.run(_records(stack.database_url)),
                expected=expected,
                book=book.lines(),
                callbacks_delivered=book.callbacks_delivered(),
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
