"""Background work: steps that each do one bounded unit, in loops that the event log wakes."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext, suppress

import structlog

from shared.clock import Clock
from shared.database import Database
from shared.errors import account_of
from shared.events import Consumer
from shared.events.log import CHANNEL
from shared.events.repository import BEGIN_EPOCH
from shared.liveness import Heartbeat, Pulse
from shared.retry import Backoff

log = structlog.get_logger()

AFTER_FAILURE = Backoff(first_seconds=0.25, longest_seconds=10)
WITHOUT_WORK = Backoff(first_seconds=0.1, longest_seconds=1)
_LONGEST_UNHEARD_SECONDS = 0.25
"""How long an event waits whose notification was lost."""
_RECONNECT_SECONDS = 0.5
_LISTEN_CHECK_SECONDS = 5.0
_LONGEST_WITHOUT_STEP_SECONDS = 30.0

Step = Callable[[], Awaitable[int]]
"""Does one bounded unit of work and says how much that was; 0: there is nothing to do."""

Look = Callable[[Callable[[], None]], None]
"""Begins to find out whether there may be something to do, and calls what it is given if so."""

StepHook = Callable[[str], AbstractAsyncContextManager[None]]
"""Entered around every step, by the step's name: where a process measures its work."""


def nothing_around(_: str) -> AbstractAsyncContextManager[None]:
    return nullcontext()


class Loop:
    """One kind of work: a step, again and again.

    Where it did nothing (or ``has_more`` says so of what it did) the loop rests: as ``rest``
    says, longer each time that there is nothing, unless it is woken: by an event of one of the
    types ``wakes_on``, or by a loop that names it in ``then`` and did something. After a rest it
    looks, where it has a ``look``, and is woken by it if there may be something to do: that costs
    less than a step, which it takes now and then whatever is found. An exception is logged and the
    step tried again, later each time; it never ends the worker.
    """

    def __init__(
        self,
        name: str,
        step: Step,
        *,
        rest: Backoff = WITHOUT_WORK,
        wakes_on: Collection[str] = (),
        has_more: Callable[[int], bool] = bool,
        then: Iterable["Loop"] = (),
        look: Look | None = None,
    ) -> None:
        self.name = name
        self.step = step
        self.look = look
        self.pulse = Pulse()
        self.wakes_on = frozenset(wakes_on)
        self._rests = rest
        self._has_more = has_more
        self._then = tuple(then)
        self._woken = asyncio.Event()

    @classmethod
    def reading(
        cls,
        consumer: Consumer,
        *,
        name: str = "events",
        rest: Backoff = WITHOUT_WORK,
        then: Iterable["Loop"] = (),
        look: Look | None = None,
        unheard_seconds: float = _LONGEST_UNHEARD_SECONDS,
    ) -> "Loop":
        """A loop that reads the event log; ``then`` go on with what the handlers did.

        ``unheard_seconds`` is how long an event waits at most where no notification wakes the loop.
        """
        following = tuple(then)

        async def read() -> int:
            done = await consumer.run_once()
            if consumer.has_worked:
                for loop in following:
                    loop.wake()
            return done

        return cls(
            name,
            read,
            rest=Backoff(
                first_seconds=min(rest.first_seconds, unheard_seconds),
                longest_seconds=unheard_seconds,
            ),
            wakes_on=consumer.types,
            has_more=consumer.has_more,
            look=look,
        )

    def wake(self) -> None:
        """Look for work now."""
        self._woken.set()

    async def run(self, stop: asyncio.Event, *, around: StepHook = nothing_around) -> None:
        ending = asyncio.ensure_future(self._wake_at(stop))
        try:
            await self._go_on(stop, around)
        finally:
            ending.cancel()

    async def _go_on(self, stop: asyncio.Event, around: StepHook) -> None:
        failures = fruitless = 0
        while not stop.is_set():
            self._woken.clear()
            try:
                with self.pulse.step():
                    async with around(self.name):
                        done = await self.step()
            except Exception as error:
                again_in_seconds = AFTER_FAILURE.seconds(failures)
                log.error(
                    "step_failed",
                    loop=self.name,
                    again_in_seconds=again_in_seconds,
                    **account_of(error),
                )
                failures += 1
                await _wait(stop, again_in_seconds)
                continue
            failures = 0
            if done:
                fruitless = 0
                for loop in self._then:
                    loop.wake()
            if not self._has_more(done):
                fruitless = await self._rest(fruitless)

    async def _rest(self, fruitless: int) -> int:
        """Until it is woken, or its rest is over and it has no look; how often in turn it had
        nothing by then."""
        since = time.monotonic()
        while True:
            await _wait(self._woken, self._rests.seconds(fruitless))
            fruitless += 1
            if self._woken.is_set() or self.look is None:
                return fruitless
            if time.monotonic() - since >= _LONGEST_WITHOUT_STEP_SECONDS:
                return fruitless
            self.look(self.wake)

    async def _wake_at(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self.wake()


async def _wait(event: asyncio.Event, seconds: float) -> None:
    """Until the event, but no longer than so many seconds."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


class Worker:
    """A process's loops, and the one connection that listens for events to wake them.

    It is the whole wiring of a service's background work: ``run`` keeps its loops going, ``step``
    does a single one of their steps.
    """

    def __init__(
        self,
        *,
        name: str,
        database: Database,
        clock: Clock,
        loops: Sequence[Loop],
        closing: Sequence[Callable[[], Awaitable[None]]] = (),
        around: StepHook = nothing_around,
    ) -> None:
        self.name = name
        self.database = database
        self.clock = clock
        self.loops = list(loops)
        self._closing = list(closing)
        self._around = around

    async def step(self, name: str) -> int:
        """One step of the loop of that name, as the loop would do it; how much it did."""
        loop = next(loop for loop in self.loops if loop.name == name)
        async with self._around(name):
            return await loop.step()

    async def close(self) -> None:
        """Give back what the loops held: clients and the database's connections."""
        for close in self._closing:
            await close()
        await self.database.dispose()

    def wake(self, event_types: Collection[str]) -> None:
        """Wake the loops that wait for one of these types."""
        for loop in self.loops:
            if not loop.wakes_on.isdisjoint(event_types):
                loop.wake()

    async def run(self, stop: asyncio.Event, *, heartbeat: Heartbeat | None = None) -> None:
        """Run every loop until ``stop``; then let each finish its step, and close."""
        log.info("worker_started", worker=self.name, loops=[loop.name for loop in self.loops])
        beside = [asyncio.create_task(self._listen())]
        if heartbeat:
            beside.append(asyncio.create_task(self._beat(heartbeat)))
        try:
            async with asyncio.TaskGroup() as group:
                for loop in self.loops:
                    group.create_task(loop.run(stop, around=self._around))
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            await self.close()
            log.info("worker_stopped", worker=self.name)

    async def _beat(self, heartbeat: Heartbeat) -> None:
        """Leave heartbeats as long as every loop goes on, and say which does not."""
        pulses = {loop.name: loop.pulse for loop in self.loops}
        known: list[str] = []
        while True:
            try:
                hanging = heartbeat.beat(pulses)
            except OSError as error:
                log.warning("heartbeat_not_left", worker=self.name, **account_of(error))
                hanging = known
            for name in hanging:
                if name not in known:
                    log.error("step_hangs", worker=self.name, loop=name)
            known = hanging
            await asyncio.sleep(heartbeat.every_seconds)

    async def _listen(self) -> None:
        """Wake the loops by the types that each notification names. Without it they still poll."""
        while True:
            try:
                async with self.database.connection() as connection:
                    # After a failover connections are new, and maybe what was committed is not.
                    await connection.execute(BEGIN_EPOCH)
                    await connection.add_listener(
                        CHANNEL, lambda _, __, ___, types: self.wake(types.split(","))
                    )
                    for loop in self.loops:
                        # What was written while nobody listened.
                        loop.wake()
                    while not connection.is_closed():
                        # A dead server does not always close its sockets.
                        await asyncio.sleep(_LISTEN_CHECK_SECONDS)
                        await connection.execute("SELECT 1", timeout=_LISTEN_CHECK_SECONDS)
            except Exception as error:
                log.warning("listening_interrupted", worker=self.name, **account_of(error))
            await asyncio.sleep(_RECONNECT_SECONDS)
