"""Nothing is paid twice, also when the database loses what it had said.

One run for each moment that a restored server may stand at, and one for each schema that may lose
its last commits. What was lost with them officers order again, as they would.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import pytest

from deploy.local.postgres import LocalPostgres
from deploy.local.stack import Stack
from judge.witnesses.book import BookInStorage
from sandbox.options import SandboxOptions
from tests.faults.judge import at_rest, callbacks_delivered, half_paid, judged
from tests.faults.losing import (
    SCHEMAS,
    Archive,
    ask,
    keep,
    lose_since,
    position,
    services_stopped,
    wait_for,
)
from tests.faults.run import QUICK, rest
from tests.faults.world import BEGINNING, FIRST_PROVINCES, LATER_PROVINCES, World

_SCALE = Fraction(1, 1000)
_REST_SECONDS = 60
_FAULTS_TOLD = 20

_RAISED = "SELECT count(*) FROM payments.instruction"
_SENT = "SELECT count(*) FROM payments.instruction WHERE status::text <> 'ready'"
_ENDED = "SELECT count(*) FROM payments.instruction WHERE status::text IN ('settled', 'rejected')"
_OWED = "SELECT count(*) FROM registry.entitlement"
_EPOCH = "SELECT events.current_epoch()"


@contextmanager
def world_with_money(directory: Path) -> Iterator[tuple[World, Archive]]:
    """A country before its shock, of which there is a base backup."""
    backups = directory / "backups"
    stack = Stack(
        directory,
        sandbox=SandboxOptions(port=0, storage=directory / "sandbox.sqlite", providers=(), seed=3),
        environment=QUICK,
        postgres=LocalPostgres(
            directory / "postgres", configuration=Archive.configuration(backups)
        ),
        clock=BEGINNING,
    )
    world = World(stack, scale=_SCALE, seed=3)
    with stack:
        assert stack.postgres is not None
        world.prepare()
        world.watch()
        archive = Archive(stack.postgres, backups)
        archive.take()
        yield world, archive


@pytest.fixture
def directory() -> Iterator[Path]:
    # Not pytest's own: each session of pytest closes that to others, PostgreSQL among them.
    with TemporaryDirectory(prefix="sangkroh-losing-") as path:
        yield Path(path)


def counted(world: World, query: str) -> int:
    return int(str(ask(world.stack.database_url, query)))


def some(world: World, query: str) -> Callable[[], bool]:
    """Whether so many of the first report's payments are there that others are not yet."""
    return lambda: counted(world, query) > 0


def faults_of(world: World, *, lost_callbacks: Collection[UUID]) -> list[str]:
    """What is wrong when it has come to rest: first by the providers' book alone.

    What was heard from providers and lost they do not say again: it has to be asked for.
    """
    # Before the last report is heard, everything rests.
    everybody = world.households
    wait_for(lambda: counted(world, _OWED) >= everybody, what=f"not all of {everybody} are owed")
    rested = rest(world, seconds=_REST_SECONDS)
    assert world.stack.sandbox is not None
    book = BookInStorage(world.stack.sandbox.storage).lines()
    payments = Counter((line.provider, line.account) for line in book)
    twice = sum(times > 1 for times in payments.values())
    faults = judged(world, lost_callbacks=lost_callbacks).faults[:_FAULTS_TOLD]
    if not rested:
        faults.insert(0, "it did not come to rest")
    if twice:
        faults.insert(0, f"{twice} of {len(payments)} accounts were paid twice by the book")
    return faults


@pytest.mark.faults
@pytest.mark.parametrize("moment", ["before the report", "raising", "sending", "settling"])
def test_a_restore_to_an_earlier_moment_pays_nobody_twice(moment: str, directory: Path) -> None:
    with world_with_money(directory) as (world, archive):
        stack = world.stack
        lost_from = position(stack)
        world.report(FIRST_PROVINCES)
        begun = {"raising": _RAISED, "sending": _SENT, "settling": _ENDED}
        if query := begun.get(moment):
            wait_for(some(world, query), what=f"nothing was {moment}")
            lost_from = position(stack)
        wait_for(lambda: half_paid(world), what="half was never paid")
        ended = counted(world, _ENDED)

        with services_stopped(stack):
            stack.kill_postgres()
            archive.restore(until=lost_from)
            assert counted(world, _ENDED) < ended, "nothing was lost: the moment is too late"
            lost_callbacks = callbacks_delivered(world)
        assert counted(world, _EPOCH) == 2
        if moment == "before the report":
            world.report(FIRST_PROVINCES)
        world.report(LATER_PROVINCES)

        assert faults_of(world, lost_callbacks=lost_callbacks) == []


@pytest.mark.faults
@pytest.mark.parametrize("schema", SCHEMAS)
def test_a_schema_that_loses_its_last_commits_pays_nobody_twice(
    schema: str, directory: Path
) -> None:
    with world_with_money(directory) as (world, _):
        stack = world.stack
        kept = directory / "kept.sql"
        if schema == "triggers":
            keep(stack, schema, kept)
        world.report(FIRST_PROVINCES)
        if schema != "triggers":
            wait_for(some(world, _RAISED), what="nothing was raised")
            keep(stack, schema, kept)
        if schema == "events":
            # What nobody had heard yet is nowhere else: an officer has it announced again.
            wait_for(lambda: at_rest(world), what="it never came to rest", seconds=120)
        else:
            wait_for(lambda: half_paid(world), what="half was never paid")

        with services_stopped(stack):
            lose_since(stack, schema, kept)
            # The server cannot know of it: a person says so.
            stack.run("new-epoch")
            # Only payments keeps them: whatever else is lost, these have to be there.
            lost_callbacks = callbacks_delivered(world) if schema == "payments" else frozenset()
        if schema == "triggers":
            world.report(FIRST_PROVINCES)
        world.report(LATER_PROVINCES)

        assert faults_of(world, lost_callbacks=lost_callbacks) == []
