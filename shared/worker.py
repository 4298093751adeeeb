"""Background work: loops that each do one bounded unit at a time, woken by the event log."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from contextlib import suppress

import structlog

from shared.clock import Clock
from shared.database import Database
from shared.errors import innermost_place
from shared.events import Consumer
from shared.events.log import CHANNEL

log = structlog.get_logger()

_FIRST_BACKOFF_SECONDS = 0.25
_LONGEST_BACKOFF_SECONDS = 10.0
_IDLE_GROWTH_LIMIT = 10
_LONGEST_UNHEARD_SECONDS = 0.25
"""How long an event waits whose notification was lost."""
_RECONNECT_SECONDS = 0.5
_LISTEN_CHECK_SECONDS = 5.0


class Loop:
    """One kind of work. ``step`` does a bounded unit and says how much it did.

    Where that was nothing (or ``has_more`` says so of it) the loop rests: ``idle_seconds`` at
    first, and longer each time that there is nothing, up to ``longest_idle_seconds``, unless it
    is woken: by an event of one of the types ``wakes_on``, or by a loop that names it in ``then``
    and did something. An exception is logged and the step tried again, later each time; it never
    ends the worker.
    """

    def __init__(
        self,
        name: str,
        step: Callable[[], Awaitable[int]],
        *,
        idle_seconds: float = 0.1,
        longest_idle_seconds: float = 1.0,
        wakes_on: Collection[str] = (),
        has_more: Callable[[int], bool] = bool,
        then: Iterable["Loop"] = (),
    ) -> None:
        self.name = name
        self.wakes_on = frozenset(wakes_on)
        self._step = step
        self._idle_seconds = idle_seconds
        self._longest_idle_seconds = max(
            idle_seconds, min(longest_idle_seconds, idle_seconds * _IDLE_GROWTH_LIMIT)
        )
        self._has_more = has_more
        self._then = tuple(then)
        self._woken = asyncio.Event()

    @classmethod
    def reading(
        cls, consumer: Consumer, *, idle_seconds: float = 0.1, then: Iterable["Loop"] = ()
    ) -> "Loop":
        """A loop that reads the event log; ``then`` go on with what the handlers did."""
        following = tuple(then)

        async def read() -> int:
            done = await consumer.run_once()
            if consumer.has_worked:
                for loop in following:
                    loop.wake()
            return done

        return cls(
            "events",
            read,
            idle_seconds=idle_seconds,
            longest_idle_seconds=_LONGEST_UNHEARD_SECONDS,
            wakes_on=consumer.types,
            has_more=consumer.has_more,
        )

    def wake(self) -> None:
        """Look for work now."""
        self._woken.set()

    async def run(self, stop: asyncio.Event) -> None:
        backoff = _FIRST_BACKOFF_SECONDS
        idle_seconds = self._idle_seconds
        while not stop.is_set():
            self._woken.clear()
            try:
                done = await self._step()
            except Exception as error:
                log.error(
                    "step_failed",
                    loop=self.name,
                    error=type(error).__name__,
                    at=innermost_place(error),
                    again_in_seconds=backoff,
                )
                await self._rest(stop, backoff, wakeable=False)
                backoff = min(backoff * 2, _LONGEST_BACKOFF_SECONDS)
                continue
            backoff = _FIRST_BACKOFF_SECONDS
            if done:
                idle_seconds = self._idle_seconds
                for loop in self._then:
                    loop.wake()
            if not self._has_more(done):
                await self._rest(stop, idle_seconds, wakeable=True)
                idle_seconds = min(2 * idle_seconds, self._longest_idle_seconds)

    async def _rest(self, stop: asyncio.Event, seconds: float, *, wakeable: bool) -> None:
        waiting = [asyncio.ensure_future(stop.wait())]
        if wakeable:
            waiting.append(asyncio.ensure_future(self._woken.wait()))
        try:
            await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()


class Worker:
    """A process's loops, and the one connection that listens for events to wake them."""

    def __init__(
        self,
        *,
        name: str,
        database: Database,
        clock: Clock,
        loops: Sequence[Loop],
        closing: Sequence[Callable[[], Awaitable[None]]] = (),
    ) -> None:
        self.name = name
        self.database = database
        self.clock = clock
        self.loops = list(loops)
        self._closing = list(closing)

    def wake(self, event_types: Collection[str]) -> None:
        """Wake the loops that wait for one of these types."""
        for loop in self.loops:
            if not loop.wakes_on.isdisjoint(event_types):
                loop.wake()

    async def run(self, stop: asyncio.Event) -> None:
        """Run every loop until ``stop``; then let each finish its step, and close."""
        log.info("worker_started", worker=self.name, loops=[loop.name for loop in self.loops])
        listening = asyncio.create_task(self._listen())
        try:
            async with asyncio.TaskGroup() as group:
                for loop in self.loops:
                    group.create_task(loop.run(stop))
        finally:
            listening.cancel()
            with suppress(asyncio.CancelledError):
                await listening
            for close in self._closing:
                await close()
            await self.database.dispose()
            log.info("worker_stopped", worker=self.name)

    async def _listen(self) -> None:
        """Wake the loops by the types that each notification names. Without it they still poll."""
        while True:
            try:
                async with self.database.connection() as connection:
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
                log.warning("listening_interrupted", worker=self.name, error=type(error).__name__)
            await asyncio.sleep(_RECONNECT_SECONDS)
