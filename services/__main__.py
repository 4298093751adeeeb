"""Start services, or migrate their database.

python -m services migrate                    bring every schema to its head
python -m services new-epoch                  after a database was put back to a snapshot
python -m services drift                      where the database differs from what Python declares
python -m services reseal SERVICE             seal its rows anew with the current keys
python -m services reindex                    find persons by the current blind index key
python -m services duplicates                 compare whoever is new or changed with everybody, and
                                              suspect who is registered twice
python -m services prune SERVICE              remove what was kept for its time
python -m services rejudge                    make each evaluation of a trigger again from what was
                                              known, and say which come out otherwise
python -m services backtest QUESTION.json --history INDICATOR=FILE.csv …   try a trigger on
                                              history, without a server; --feed, --places, --page
python -m services audit --head SERVICE=HEAD … which rows of the audit record were altered, deleted
                                              or inserted; an earlier head has to be in the chain
python -m services                            every API server and worker, in one loop
python -m services registry-api payments-worker …   only those
"""

import argparse
import asyncio
import importlib
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import structlog
import uvicorn
import uvloop

from services.owner import OwnerSettings
from services.processes import PROCESSES, SERVICES
from services.starting import (
    CannotStart,
    heartbeat_of,
    read_settings,
    remembering,
    require_clock,
    require_database,
    require_fit,
    settings_of,
    unforeseen,
)
from shared.auth import TokenVerifier
from shared.database import Database, DatabaseUnusable
from shared.errors import Explained, Unavailable
from shared.garbage import AFTER_WHERE_CALLED, AFTER_WHERE_MANY, look_seldom
from shared.known_keys import require_known_keys
from shared.logging import LEVELS, configure_logging
from shared.server import server_configuration
from shared.settings import ServiceSettings

log = structlog.get_logger()

RESEALED_BY = {"registry": "registry-api", "payments": "payments-worker"}
"""The process of each service that holds the keys of all that it has sealed."""

COMMANDS = frozenset({"migrate", "new-epoch", "drift", "audit", "rejudge", "reindex", "duplicates"})
"""What is given alone."""
_WITH_MORE = frozenset({"backtest", "reseal", "prune"})
"""What more is named of."""
_OF_COMMANDS = {
    "check": {"reseal", "reindex"},
    "dry_run": {"prune"},
    "head": {"audit"},
    "history": {"backtest"},
    "feed": {"backtest"},
    "places": {"backtest"},
    "page": {"backtest"},
}
"""By option: the commands that it says something to. What only looked with another would act."""

_BACKLOG = 2048


class _Server(uvicorn.Server):
    """A server that leaves the signals to the process, which may run several, and so its end."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        except SystemExit:
            raise CannotStart("The server stopped by itself: see its log.") from None


def _listen(host: str, port: int, *, variable: str) -> socket.socket:
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise CannotStart(
            f"Cannot listen on {host} port {port} ({error.strerror}): stop what holds the port, "
            f"or set {variable} to another."
        ) from None
    listening.listen(_BACKLOG)
    listening.setblocking(False)
    return listening


def _api(service: str, settings: ServiceSettings) -> Callable[[asyncio.Event], Awaitable[None]]:
    app = importlib.import_module(f"services.{service}.app").create_app(settings)
    require_clock(app.state.clock)
    listening = _listen(settings.host, settings.port, variable=settings.variable_of("port"))
    failures: list[BaseException] = []
    app.router.lifespan_context = remembering(app.router.lifespan_context, failures)
    server = _Server(server_configuration(app, settings))

    async def run(stop: asyncio.Event) -> None:
        await require_database(app.state.database, service=service)
        await require_known_keys(app.state.database, list(settings.key_rings()), schema=service)
        looking = asyncio.create_task(_look_for_keys(app.state.token_verifier))
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait([serving, stopping], return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        looking.cancel()
        stopping.cancel()
        try:
            await serving
        except CannotStart:
            if not failures:
                raise
        if failures:
            raise failures[0]

    return run


async def _look_for_keys(verifier: TokenVerifier) -> None:
    """No reason not to start: what needs no token works, and keys are asked for again."""
    try:
        await verifier.look_for_keys()
    except Unavailable:
        log.warning(
            "issuer_keys_unreadable",
            at=verifier.keys_at,
            detail="Every token is refused until the issuer answers: look after it, or correct "
            "AUTH_JWKS_URL.",
        )


def _worker(service: str, settings: ServiceSettings) -> Callable[[asyncio.Event], Awaitable[None]]:
    worker = importlib.import_module(f"services.{service}.worker").create_worker(settings)
    require_clock(worker.clock)
    heartbeat = heartbeat_of(settings, process=f"{service}-worker")

    async def run(stop: asyncio.Event) -> None:
        await require_database(worker.database, service=service)
        await require_known_keys(worker.database, list(settings.key_rings()), schema=service)
        await worker.run(stop, heartbeat=heartbeat)

    return run


async def _run(names: Sequence[str]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for end in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(end, stop.set)
    told = {name: settings_of(name) for name in names}
    require_fit(told)
    runs = []
    for name, settings in told.items():
        service, part = name.split("-")
        runs.append((_api if part == "api" else _worker)(service, settings))
    is_called = any(name.endswith("-api") for name in told)
    look_seldom(after=AFTER_WHERE_CALLED if is_called else AFTER_WHERE_MANY)

    async def guarded(run: Callable[[asyncio.Event], Awaitable[None]]) -> None:
        try:
            await run(stop)
        finally:
            stop.set()

    outcomes = await asyncio.gather(*(guarded(run) for run in runs), return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome


def _owner(command: str) -> OwnerSettings:
    if "DATABASE_URL" not in os.environ:
        raise CannotStart(
            "DATABASE_URL is not set: give the URL of PostgreSQL 18 as the database's owner."
        )
    settings = read_settings(OwnerSettings, process=command)
    require_fit({command: settings})
    return settings


def _migrate() -> None:
    # Here and below, not above: a service that starts needs neither Alembic nor its siblings.
    from services.histories import HISTORIES
    from shared.migrations import Role, migrate_all

    owner = _owner("migrate")
    roles = {
        service: Role(
            password=owner.role_passwords[service],
            maximum_connections=_maximum_connections(service),
        )
        for service in SERVICES
    }
    migrate_all(owner.database_url, histories=HISTORIES, roles=roles, tls=owner.tls)


def _maximum_connections(service: str) -> int | None:
    variable = f"{service.upper()}_DATABASE_MAXIMUM_CONNECTIONS"
    given = os.environ.get(variable)
    if not given:
        return None
    try:
        return int(given)
    except ValueError:
        raise CannotStart(
            f"{variable} is no number: say how many connections {service} may hold, -1 for as many "
            "as there are, or leave it out for an equal share."
        ) from None


def _begin_epoch() -> None:
    from shared.migrations import begin_epoch

    owner = _owner("new-epoch")
    number = begin_epoch(owner.database_url, tls=owner.tls)
    print(f"Epoch {number} of the event log has begun.")


def _drift() -> None:
    from services.declarations import DECLARATIONS
    from services.histories import HISTORIES
    from shared.schema.drift import drift

    owner = _owner("drift")
    differences = drift(
        owner.database_url, histories=HISTORIES, declarations=DECLARATIONS, tls=owner.tls
    )
    for difference in differences:
        print(difference)
    if differences:
        raise CannotStart(
            f"The database differs from what Python declares in {len(differences)} places, "
            "listed above. Where Python is right, write a migration or undo what was done by hand; "
            "where the database is, mend the declaration."
        )


async def _with_database(
    command: str, settings: ServiceSettings, work: Callable[[Database], Awaitable[bool]]
) -> bool:
    require_fit({command: settings})
    database = Database(
        settings.database_url, application_name=command, pool_size=2, tls=settings.tls
    )
    try:
        await require_database(database, service=settings.service)
        await require_known_keys(database, list(settings.key_rings()), schema=settings.service)
        return await work(database)
    finally:
        await database.dispose()


def _reseal(service: str, *, only_look: bool) -> bool:
    if service not in RESEALED_BY:
        raise CannotStart(f"Give one of {', '.join(RESEALED_BY)}: nobody else has sealed rows.")
    from shared.resealing import check, reseal

    settings = settings_of(RESEALED_BY[service])
    columns = importlib.import_module(f"services.{service}.upkeep.resealing").sealed_columns(
        settings
    )

    async def work(database: Database) -> bool:
        if only_look:
            return await check(database, columns, tell=_tell)
        return await reseal(database, columns, schema=service, tell=_tell)

    return asyncio.run(_with_database("reseal", settings, work))


def _reindex(*, only_look: bool) -> bool:
    from services.registry.settings import ApiSettings
    from services.registry.upkeep.reindexing import Reindexing

    settings = read_settings(ApiSettings, process="reindex")

    async def work(database: Database) -> bool:
        return await Reindexing(database, settings, tell=_tell).run(only_look=only_look)

    return asyncio.run(_with_database("reindex", settings, work))


def _duplicates() -> bool:
    # It alone loads DuckDB, splink and what they bring: no service carries them.
    from services.registry.linkage.comparing import Comparing
    from services.registry.settings import DuplicatesSettings
    from shared.clock import clock_from

    settings = read_settings(DuplicatesSettings, process="duplicates")

    async def work(database: Database) -> bool:
        clock = clock_from(settings.clock_file)
        return await Comparing(database, settings, clock=clock, tell=_tell).run()

    return asyncio.run(_with_database("duplicates", settings, work))


def _prune(service: str, *, dry_run: bool) -> bool:
    if service not in SERVICES:
        raise CannotStart(f"Give one of {', '.join(SERVICES)}.")
    from shared.retention import prune

    kind = importlib.import_module(f"services.{service}.settings").Settings
    settings: ServiceSettings = read_settings(kind, process="prune")
    kept = importlib.import_module(f"services.{service}.upkeep.keeping").kept_for_a_time(settings)

    async def work(database: Database) -> bool:
        return await prune(database, kept, tell=_tell, dry_run=dry_run)

    return asyncio.run(_with_database("prune", settings, work))


def _rejudge() -> bool:
    from services.triggers.evaluations.rejudging import rejudge
    from services.triggers.settings import WorkerSettings

    settings = read_settings(WorkerSettings, process="rejudge")
    work = partial(rejudge, tell_line=_tell)
    return asyncio.run(_with_database("rejudge", settings, work))


def _tell(line: str) -> None:
    print(line, flush=True)


def _audit(written_heads: Sequence[str]) -> None:
    from shared.audit.chain import Head
    from shared.audit.verifying import verify_all

    heads: dict[str, list[Head]] = {service: [] for service in SERVICES}
    for written in written_heads:
        service, _, head = written.partition("=")
        try:
            heads[service].append(Head.read(head))
        except (KeyError, ValueError):
            raise CannotStart(
                f"{written!r} is no head of a chain. Give it as it was printed, such as "
                "registry=1234:0a1b… with all of its 64 digits."
            ) from None
    owner = _owner("audit")
    verdicts = verify_all(owner.database_url, heads, tls=owner.tls)
    for verdict in verdicts:
        for fault in verdict.faults:
            print(f"{verdict.service}: {fault}")
        print(
            f"{verdict.service}: {verdict.head.sequence} records are chained, {verdict.waiting} "
            f"wait. Head: {verdict.service}={verdict.head}"
        )
    if faults := sum(len(verdict.faults) for verdict in verdicts):
        raise CannotStart(
            f"The audit record is not what was recorded, in {faults} places, listed above. Keep "
            "this database as it is, and compare it with a backup and with the heads in the logs."
        )


def _backtest(
    questions: Sequence[str],
    *,
    histories: Sequence[str],
    feeds: Sequence[str],
    places: str | None,
    page: str | None,
) -> None:
    from services.triggers.backtests.command import tried_together
    from services.triggers.backtests.printed import printed

    if not questions:
        raise CannotStart("Give what is asked: a file with the body of POST /v1/backtests.")
    reports = tried_together(
        [Path(file) for file in questions],
        histories=histories,
        places=Path(places) if places else None,
        feeds=[Path(file) for file in feeds],
    )
    for report in reports:
        _tell(printed(report))
    if page is not None:
        from services.triggers.backtests.page import page as as_page

        Path(page).write_text(as_page(reports), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m services",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(PROCESSES))
    parser.add_argument("--check", action="store_true", help="reseal, reindex: only look")
    parser.add_argument("--dry-run", action="store_true", help="prune: only count")
    parser.add_argument(
        "--head",
        action="append",
        default=[],
        metavar="SERVICE=HEAD",
        help="audit: an earlier end of a chain, which it has to hold still; repeat it",
    )
    parser.add_argument(
        "--history",
        action="append",
        default=[],
        metavar="INDICATOR=FILE",
        help="backtest: the figures of an indicator, as CSV, also as WFP publishes it; repeat it",
    )
    parser.add_argument(
        "--feed",
        action="append",
        default=[],
        metavar="FILE",
        help="backtest: a feed's document, by which a publisher's file is read; repeat it",
    )
    parser.add_argument(
        "--places", metavar="FILE", help="backtest: who would be enrolled where, as CSV"
    )
    parser.add_argument("--page", metavar="FILE", help="backtest: write the report there as HTML")
    given = parser.parse_args()
    names: list[str] = given.names or list(PROCESSES)
    if fault := _fault(names, given):
        parser.error(fault)
    level = os.environ.get("LOG_LEVEL", "INFO")
    if level.upper() not in LEVELS:
        sys.exit(f"LOG_LEVEL is none of {', '.join(LEVELS)}: set one of them, or leave it out.")
    configure_logging(process=" ".join(names), level=level)
    # What is imported next is no garbage, and what a command holds is many.
    look_seldom(after=AFTER_WHERE_MANY)
    try:
        if names == ["migrate"]:
            _migrate()
        elif names == ["new-epoch"]:
            _begin_epoch()
        elif names == ["drift"]:
            _drift()
        elif names == ["audit"]:
            _audit(given.head)
        elif names == ["rejudge"]:
            sys.exit(not _rejudge())
        elif names == ["duplicates"]:
            sys.exit(not _duplicates())
        elif names == ["reindex"]:
            sys.exit(not _reindex(only_look=given.check))
        elif names[0] == "backtest":
            _backtest(
                names[1:],
                histories=given.history,
                feeds=given.feed,
                places=given.places,
                page=given.page,
            )
        elif names[0] == "reseal":
            sys.exit(not _reseal(" ".join(names[1:]), only_look=given.check))
        elif names[0] == "prune":
            sys.exit(not _prune(" ".join(names[1:]), dry_run=given.dry_run))
        else:
            _start(names)
    except (Explained, DatabaseUnusable) as error:
        sys.exit(str(error))


def _fault(names: Sequence[str], given: argparse.Namespace) -> str | None:
    """What is wrong with a command line; None: nothing is."""
    for option, commands in _OF_COMMANDS.items():
        if getattr(given, option) and names[0] not in commands:
            told = option.replace("_", "-")
            return (
                f"--{told} says something to {' and '.join(sorted(commands))} alone: leave it out"
            )
    if names[0] in _WITH_MORE:
        return None
    if unknown := set(names) - set(PROCESSES) - COMMANDS:
        return f"unknown: {', '.join(sorted(unknown))}; choose from {', '.join(PROCESSES)}"
    if len(names) > 1 and (alone := COMMANDS & set(names)):
        return f"{', '.join(sorted(alone))}: give it alone"
    return None


def _start(names: Sequence[str]) -> None:
    try:
        uvloop.run(_run(names))
    except (Explained, DatabaseUnusable):
        raise
    except Exception as error:
        # Not its own words, nor those of what led to it: they go to the process's log.
        raise CannotStart(unforeseen(error)) from None


if __name__ == "__main__":
    main()
