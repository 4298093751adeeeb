"""Loops rest while there is nothing to do, and wake for what concerns them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import asyncpg
import pytest
from structlog.testing import capture_logs

from shared.clock import SystemClock
from shared.database import Database
from shared.events import Event, append
from shared.retry import Backoff
from shared.worker import Loop, Worker
from tests.server import eventually

WANTED = "org.sangkroh.test.wanted.v1"
OTHER = "org.sangkroh.test.other.v1"
NEVER = Backoff(first_seconds=3600, longest_seconds=3600)


@asynccontextmanager
async def running(database: Database, loops: Sequence[Loop]) -> AsyncIterator[None]:
    stop = asyncio.Event()
    worker = Worker(name="test", database=database, clock=SystemClock(), loops=loops)
    task = asyncio.create_task(worker.run(stop))
    try:
        yield
    finally:
        stop.set()
        await task


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.005)


async def test_an_event_wakes_the_loops_that_wait_for_its_type_and_no_other(
    environment: dict[str, str],
) -> None:
    database = Database(environment["REGISTRY_DATABASE_URL"], application_name="test")
    looks = {WANTED: 0, OTHER: 0}

    def looking_for(kind: str) -> Loop:
        async def look() -> int:
            looks[kind] += 1
            return 0

        return Loop(kind, look, rest=NEVER, wakes_on=[kind])

    async def write(*types: str) -> None:
        async with database.transaction() as session:
            await append(
                session,
                [
                    Event(
                        type=event_type,
                        source="/test",
                        subject="s",
                        time=datetime.now(UTC),
                        data={},
                    )
                    for event_type in types
                ],
            )

    async with running(database, [looking_for(WANTED), looking_for(OTHER)]):
        # One look at the start, and one when it begins to listen.
        await until(lambda: looks == {WANTED: 2, OTHER: 2})
        await write(WANTED)
        await until(lambda: looks[WANTED] == 3)
        await write(WANTED, OTHER)
        await until(lambda: looks == {WANTED: 4, OTHER: 3})


async def test_a_loop_without_work_looks_more_and_more_seldom(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = iter([0, 0, 0, 0, 0, 0, 3, 0, 0])
    rests: list[float] = []
    stop = asyncio.Event()

    async def look() -> int:
        done = next(found, None)
        if done is None:
            stop.set()
        return done or 0

    async def rest(_: Loop, __: asyncio.Event, seconds: float, *, wakeable: bool) -> None:
        assert wakeable
        rests.append(seconds)

    monkeypatch.setattr(Loop, "_rest", rest)
    await Loop("test", look, rest=Backoff(first_seconds=0.1, longest_seconds=1)).run(stop)

    assert rests[:6] == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.0, 1.0])
    # What it found brings the short rests back.
    assert rests[6:8] == pytest.approx([0.1, 0.2])


async def test_what_a_loop_did_wakes_the_loops_that_go_on_with_it() -> None:
    stop = asyncio.Event()
    work = [1, 0, 2]
    fruitful = 0
    looks = 0

    async def go_on() -> int:
        nonlocal looks
        looks += 1
        return 0

    async def begin() -> int:
        nonlocal fruitful
        # Not before the other one has looked for what was done last.
        await until(lambda: looks == 1 + fruitful)
        if not work:
            stop.set()
            return 0
        done = work.pop(0)
        fruitful += done > 0
        return done

    following = Loop("following", go_on, rest=NEVER)
    first = Loop(
        "first", begin, rest=Backoff(first_seconds=0.001, longest_seconds=0.01), then=[following]
    )
    await asyncio.gather(first.run(stop), following.run(stop))

    assert looks == 3


async def test_a_failed_step_is_logged_by_what_failed_and_by_its_cause() -> None:
    """Several things at once fail as a group, whose own kind and place say nothing."""
    stop = asyncio.Event()

    async def call() -> None:
        try:
            raise OSError("+85510000001")
        except OSError as error:
            raise TimeoutError("of +85510000001") from error

    async def step() -> int:
        stop.set()
        async with asyncio.TaskGroup() as group:
            group.create_task(call())
            group.create_task(call())
        return 0

    with capture_logs() as logs:
        await Loop("test", step).run(stop)

    (entry,) = logs
    assert (entry["event"], entry["error"], entry["others"]) == ("step_failed", "TimeoutError", 1)
    assert entry["at"].startswith("tests/shared/test_worker.py:")
    assert entry["at"].endswith(" call")
    assert entry["cause"].startswith("OSError at tests/shared/test_worker.py:")
    assert "85510000001" not in str(entry)


async def test_a_worker_keeps_when_an_epoch_began(
    environment: dict[str, str], owner: asyncpg.Connection
) -> None:
    database = Database(environment["REGISTRY_DATABASE_URL"], application_name="test")
    await owner.execute("UPDATE events.epoch SET timeline = timeline - 1")

    async def look() -> int:
        return 0

    async def begun() -> bool:
        return bool(await owner.fetchval("SELECT max(number) = 2 FROM events.epoch"))

    async with running(database, [Loop("test", look, rest=NEVER)]):
        await eventually(begun)
