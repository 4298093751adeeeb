"""Loops rest while there is nothing to do, and wake for what concerns them."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from deploy.local.ports import free_port
from services import live
from shared.clock import SystemClock
from shared.database import Database
from shared.events import Event, append
from shared.liveness import Heartbeat, goes_on, heartbeat_file
from shared.retry import Backoff
from shared.worker import Loop, Worker
from tests.server import eventually

WANTED = "org.sangkroh.test.wanted.v1"
OTHER = "org.sangkroh.test.other.v1"
LATE_AFTER_SECONDS = 2.0
NEVER = Backoff(first_seconds=3600, longest_seconds=3600)
OFTEN = Backoff(first_seconds=0.01, longest_seconds=0.01)


@asynccontextmanager
async def running(
    database: Database, loops: Sequence[Loop], *, heartbeat: Heartbeat | None = None
) -> AsyncIterator[None]:
    stop = asyncio.Event()
    worker = Worker(name="test", database=database, clock=SystemClock(), loops=loops)
    task = asyncio.create_task(worker.run(stop, heartbeat=heartbeat))
    try:
        yield
    finally:
        stop.set()
        await task


@asynccontextmanager
async def running_alone(loop: Loop) -> AsyncIterator[None]:
    """Without a worker, and a database."""
    stop = asyncio.Event()
    task = asyncio.create_task(loop.run(stop))
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

    async def rest(_: asyncio.Event, seconds: float) -> None:
        rests.append(seconds)

    monkeypatch.setattr("shared.worker._wait", rest)
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


class Looking:
    """A loop whose step and look are counted, and what the look says."""

    def __init__(self) -> None:
        self.steps = 0
        self.looks = 0
        self.says = False
        self.loop = Loop("counted", self._step, rest=OFTEN, look=self._look)

    async def _step(self) -> int:
        self.steps += 1
        return 0

    def _look(self, wake: Callable[[], None]) -> None:
        self.looks += 1
        if self.says:
            wake()


async def test_a_loop_steps_after_a_rest_where_there_may_be_something_and_else_does_not() -> None:
    looking = Looking()
    async with running_alone(looking.loop):
        await until(lambda: looking.looks > 5)
        assert looking.steps == 1
        looking.says = True
        await until(lambda: looking.steps > 1)


async def test_a_loop_that_is_woken_steps_whatever_the_look_would_say() -> None:
    looking = Looking()
    async with running_alone(looking.loop):
        await until(lambda: looking.looks > 0)
        looking.loop.wake()
        await until(lambda: looking.steps == 2)


async def test_a_loop_steps_now_and_then_whatever_the_look_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("shared.worker._LONGEST_WITHOUT_STEP_SECONDS", 0.1)
    looking = Looking()
    async with running_alone(looking.loop):
        await until(lambda: looking.steps > 2)
        assert looking.looks > looking.steps


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


async def nothing() -> int:
    return 0


@pytest.fixture
def heartbeat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Heartbeat:
    monkeypatch.setattr(live, "LATE_AFTER_SECONDS", LATE_AFTER_SECONDS)
    return Heartbeat(
        file=heartbeat_file(tmp_path, "test-worker"),
        every_seconds=0.05,
        silent_at_most_seconds=1,
    )


def said(heartbeat: Heartbeat) -> list[str]:
    """What a probe would say of the process whose heartbeats these are."""
    return list(live.faults(heartbeat.file.parent, ["test-worker"]))


async def test_a_loop_whose_step_never_returns_is_told_dead(
    heartbeat: Heartbeat, environment: dict[str, str]
) -> None:
    database = Database(environment["REGISTRY_DATABASE_URL"], application_name="test")
    hangs = asyncio.Event()

    async def step() -> int:
        if hangs.is_set():
            await asyncio.Event().wait()
        return 0

    loops = [Loop("well", nothing), Loop("hangs", step)]
    worker = Worker(name="test", database=database, clock=SystemClock(), loops=loops)
    with capture_logs() as logs:
        task = asyncio.create_task(worker.run(asyncio.Event(), heartbeat=heartbeat))
        await until(lambda: not said(heartbeat))
        hangs.set()
        await until(lambda: bool(said(heartbeat)))
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    assert [entry["loop"] for entry in logs if entry["event"] == "step_hangs"] == ["hangs"]


async def test_a_worker_whose_event_loop_is_blocked_is_told_dead(
    heartbeat: Heartbeat, environment: dict[str, str]
) -> None:
    database = Database(environment["REGISTRY_DATABASE_URL"], application_name="test")
    blocked: list[str] = []

    async def step() -> int:
        if heartbeat.file.exists() and not blocked:
            # As a number of a million digits does that is parsed.
            time.sleep(LATE_AFTER_SECONDS + 0.5)
            blocked.extend(said(heartbeat))
        return 0

    async with running(database, [Loop("test", step)], heartbeat=heartbeat):
        await until(lambda: bool(blocked))
        await until(lambda: not said(heartbeat))


async def test_a_loop_with_nothing_to_do_is_alive_and_so_is_a_long_step_that_goes_on(
    heartbeat: Heartbeat, environment: dict[str, str]
) -> None:
    database = Database(environment["REGISTRY_DATABASE_URL"], application_name="test")
    parts = 0

    async def step() -> int:
        nonlocal parts
        while parts < 20:
            await asyncio.sleep(0.2)
            goes_on()
            assert parts < 3 or not said(heartbeat)
            parts += 1
        return 0

    loops = [Loop("idle", nothing, rest=NEVER), Loop("long", step, rest=NEVER)]
    async with running(database, loops, heartbeat=heartbeat):
        await until(lambda: parts == 20)


async def test_that_postgresql_is_away_is_no_reason_to_restart_a_worker(
    heartbeat: Heartbeat,
) -> None:
    database = Database(
        f"postgresql+asyncpg://nobody@127.0.0.1:{free_port()}/none", application_name="test"
    )
    failed = 0

    async def step() -> int:
        nonlocal failed
        failed += 1
        async with database.transaction() as session:
            await session.execute(text("SELECT 1"))
        return 0

    async with running(database, [Loop("test", step)], heartbeat=heartbeat):
        await until(lambda: failed == 3)
        assert said(heartbeat) == []


def test_the_probe_tells_by_its_exit_status(tmp_path: Path) -> None:
    def asked(*names: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", "services.live", *names],
            env={**os.environ, "HEARTBEAT_DIRECTORY": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stderr

    code, words = asked()
    assert code == 1
    assert words.endswith("none has started.\n")
    Heartbeat(file=heartbeat_file(tmp_path, "payments-worker")).beat({})
    assert asked() == asked("payments-worker") == (0, "")
    code, words = asked("payments-worker", "registry-worker")
    assert code == 1
    assert words.startswith("registry-worker has left no heartbeat")
    heartbeat_file(tmp_path, "payments-worker").write_text(str(time.monotonic() - 61))
    code, words = asked()
    assert code == 1
    assert words.startswith("payments-worker was last heard of 61 s ago: it hangs, or has ended.")


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
