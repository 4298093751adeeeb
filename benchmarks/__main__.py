"""`make bench`: each path against a bare limit of the same machine, and docs/performance.md.

python -m benchmarks                     every row
python -m benchmarks webhooks dispatch   those
python -m benchmarks activation --households 70000

The names are import, import-file and import-members (people's own files), activation (with memory),
events, dispatch, webhooks, observations, judging, polygons, backtests, statements; with everybody
registered, member by member, estimates and searches; and, with providers that take batches, batches
(with the settlement from their results), country, marginal (what one more household costs) and
workers.
"""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace

import asyncpg
import httpx
from rich.console import Console
from rich.table import Table

from benchmarks.database import owner
from benchmarks.document import DOCUMENT, keep
from benchmarks.figures import Figure
from benchmarks.machine import describe
from benchmarks.measurements import (
    activation,
    backtests,
    batches,
    country,
    dispatch,
    estimates,
    events,
    everybody,
    importing_files,
    judging,
    marginal,
    observing,
    polygons,
    reconciling,
    registration,
    searches,
    webhooks,
    workers,
)
from benchmarks.measurements.activation import ActivationFailed
from benchmarks.measurements.dispatch import NotDispatched
from benchmarks.measurements.measured import Setting
from benchmarks.measurements.paid import NotPaid
from benchmarks.measurements.stored import NothingStored
from benchmarks.people import People
from benchmarks.world import (
    DIRECTORY,
    SEARCHED,
    DidNotEnd,
    World,
    database_made_anew,
    running_world,
)
from demo.api import NeverCame, Refused
from demo.show import Show
from deploy.local.exclusive import FolderInUse, exclusively
from deploy.local.postgres import PostgresDidNotStart
from deploy.local.stack import StackDidNotStart

_BY_SINGLE_PAYMENTS = (
    "import",
    "import-file",
    "import-members",
    "activation",
    "events",
    "dispatch",
    "webhooks",
    "observations",
    "judging",
    "polygons",
    "backtests",
    "statements",
)
_OF_PERSONS = ("estimates", "searches")
_BY_BATCHES = ("batches", "country", "marginal", "workers")
NAMES = (*_BY_SINGLE_PAYMENTS, *_OF_PERSONS, *_BY_BATCHES)
FULL_SIZE = 700_000
LARGEST_SIZE = 3_600_000
_PLAIN_WIDTH = 110


def main() -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    parser.add_argument(
        "--households",
        type=int,
        default=FULL_SIZE,
        help="with an account (%(default)s)",
    )
    parser.add_argument(
        "--largest",
        type=int,
        default=LARGEST_SIZE,
        help="up to how many of them the marginal cost is measured at full size (%(default)s)",
    )
    arguments = parser.parse_args()
    names: list[str] = arguments.names or list(NAMES)
    if unknown := sorted(set(names) - set(NAMES)):
        parser.error(f"unknown: {', '.join(unknown)}; choose from {', '.join(NAMES)}")
    if arguments.households < 1_000:
        parser.error("--households has to be 1000 at least")
    console = Console()
    if not console.is_terminal:
        console = Console(width=_PLAIN_WIDTH)
    try:
        with exclusively(DIRECTORY, what="`make bench`"):
            figures = _run(names, arguments.households, arguments.largest, console)
    except KeyboardInterrupt:
        sys.exit("\nStopped.")
    except (
        ActivationFailed,
        DidNotEnd,
        FolderInUse,
        NeverCame,
        NotDispatched,
        NotPaid,
        NothingStored,
        PostgresDidNotStart,
        Refused,
        StackDidNotStart,
    ) as error:
        sys.exit(f"{error}\nLogs: {DIRECTORY / 'logs'}")
    except (httpx.HTTPError, asyncpg.PostgresError) as error:
        sys.exit(f"A service stopped answering ({type(error).__name__}).\nLogs: {DIRECTORY}/logs")
    _print(figures, console)


def _run(names: Sequence[str], size: int, largest: int, console: Console) -> list[Figure]:
    show = Show(console)
    figures: list[Figure] = []
    try:
        with show.running():
            if set(names) & set(_BY_SINGLE_PAYMENTS):
                _by_single_payments(figures, names, size, show)
            if set(names) & set(_OF_PERSONS):
                _of_persons(figures, names, size, show)
            if set(names) & set(_BY_BATCHES):
                _by_batches(figures, names, size, largest, show)
    finally:
        # What was measured before another row failed is measured.
        if size == FULL_SIZE and figures:
            keep(figures)
            console.print(f"Written to {DOCUMENT}.")
    if size != FULL_SIZE:
        console.print(f"A run at another size than {FULL_SIZE:,} is not kept in {DOCUMENT}.")
    return figures


def _by_single_payments(figures: list[Figure], names: Sequence[str], size: int, show: Show) -> None:
    households = 0
    if {"import", "activation"} & set(names):
        households = activation.households_for(size)
    elif "dispatch" in names:
        households = dispatch.HOUSEHOLDS
    with running_world(show, database_url=_database_url()) as world:
        setting = Setting(world, households, asyncio.run(_describe(world.stack.database_url)))
        if "import" in names:
            figures += registration.measure(setting)
        elif households:
            registration.import_all(setting)
        if "import-file" in names:
            figures += importing_files.measure_households(replace(setting, households=size))
        if "import-members" in names:
            figures += importing_files.measure_members(replace(setting, households=size))
        if "activation" in names:
            figures += activation.measure(setting, instructions=size)
        if "events" in names:
            figures += events.measure(setting)
        if "dispatch" in names:
            figures += dispatch.measure(setting)
        if "webhooks" in names:
            figures += webhooks.measure(setting)
        if "observations" in names:
            figures += observing.measure(setting)
        if "judging" in names:
            figures += judging.measure(setting)
        if "polygons" in names:
            figures += polygons.measure(setting)
        if "backtests" in names:
            figures += backtests.measure(setting)
        if "statements" in names:
            figures += reconciling.measure(setting, lines=size)


def _of_persons(figures: list[Figure], names: Sequence[str], size: int, show: Show) -> None:
    """A world of its own, in which each household's members are rows with names."""
    people = People(size)
    with running_world(show, database_url=_database_url(), environment=SEARCHED) as world:
        setting = Setting(world, size, asyncio.run(_describe(world.stack.database_url)))
        everybody.register_all(setting, people)
        if "estimates" in names:
            figures += estimates.measure(setting)
        if "searches" in names:
            figures += searches.measure(setting, people)


def _by_batches(
    figures: list[Figure], names: Sequence[str], size: int, largest: int, show: Show
) -> None:
    """A world of its own; another one where there are more households than the country's."""
    beyond = largest if size == FULL_SIZE else 0
    of_country = [name for name in names if name in _BY_BATCHES]
    if "marginal" in names and beyond > size:
        of_country.remove("marginal")
        with running_world(show, database_url=_database_url(), by_batches=True) as world:
            setting = _provided(world, beyond)
            figures += marginal.measure(setting, sizes=marginal.sizes_up_to(size, beyond))
    if not of_country:
        return
    with running_world(show, database_url=_database_url(), by_batches=True) as world:
        setting = _provided(world, size)
        if "batches" in names:
            figures += batches.measure(setting, payments=size)
        if "country" in names:
            figures += country.measure(setting)
        if "marginal" in of_country:
            figures += marginal.measure(setting, sizes=marginal.sizes_up_to(size, beyond))
        if "workers" in names:
            figures += workers.measure(setting, payments=size)


def _provided(world: World, size: int) -> Setting:
    machine = asyncio.run(_describe(world.stack.database_url))
    setting = Setting(world, activation.households_for(size), machine)
    registration.import_all(setting)
    batches.provide_float(setting)
    return setting


def _database_url() -> str | None:
    given = os.environ.get("DATABASE_URL")
    return asyncio.run(database_made_anew(given)) if given else None


async def _describe(database_url: str) -> str:
    async with owner(database_url) as connection:
        return await describe(connection)


def _print(figures: Sequence[Figure], console: Console) -> None:
    table = Table("path", "measured", "bare limit", "figure", "reach", "")
    for figure in figures:
        colour = "green" if figure.is_reached else "bold red"
        table.add_row(
            figure.path,
            figure.measured,
            figure.bare or figure.limit,
            figure.told,
            figure.reach_told,
            f"[{colour}]{figure.verdict}[/]",
        )
    console.print(table)
    for figure in figures:
        console.print(f"[bold]{figure.name}[/]")
        for detail in figure.details:
            console.print(f"  {detail}", highlight=False)


if __name__ == "__main__":
    main()
