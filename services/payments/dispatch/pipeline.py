"""Requests under way at a provider: begun one by one, and their outcomes recorded as they come."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Generic, TypeVar

import structlog

from shared.errors import told

log = structlog.get_logger()

Outcome = TypeVar("Outcome")

_ROOM_SECONDS = 1.0
"""How long whoever has more to do waits for room, at most."""
_AHEAD_SECONDS = 2.0
"""As much is begun ahead as goes out in so long."""
_PACE_SECONDS = 0.5
"""How long outcomes are counted before they say how fast the provider is."""


class Pipeline(Generic[Outcome]):
    """At most ``places`` jobs at a time, and as many more waiting as soon get a place.

    No job waits for another, or ends because another failed. Outcomes are recorded in sets of at
    most ``set_size``, a moment after they came.
    """

    def __init__(
        self,
        record: Callable[[Sequence[Outcome]], Awaitable[None]],
        *,
        places: int,
        most: int,
        set_size: int,
        wait_seconds: float,
    ) -> None:
        self._record = record
        self._count = places
        self._places = asyncio.Semaphore(places)
        self._most = most
        self._set_size = set_size
        self._wait_seconds = wait_seconds
        self._jobs: set[asyncio.Task[None]] = set()
        self._recorder: asyncio.Task[None] | None = None
        self._outcomes: list[Outcome] = []
        self._enough = 0
        self._fewer = asyncio.Event()
        self._failure: Exception | None = None
        self._per_second = 0.0
        self._ended = 0
        self._counted_since = time.monotonic()

    def start(self, job: Callable[[], Awaitable[Outcome]]) -> None:
        """Have a job done as soon as there is a place for it."""
        task = asyncio.create_task(self._do(job))
        self._jobs.add(task)
        task.add_done_callback(self._end)

    async def room(self, *, probing: bool = False, most: int | None = None) -> int:
        """How many more jobs to begin now, ``most`` with those that are under way; waits a moment
        for room, and says 0 where there is none.

        Raises what kept outcomes from being recorded since it was last asked.
        """
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure
        wanted = 1 if probing else self._wanted()
        if most is not None:
            wanted = min(wanted, most)
        self._enough = wanted // 2
        if len(self._jobs) > self._enough:
            self._fewer.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(_ROOM_SECONDS):
                    await self._fewer.wait()
        return wanted - len(self._jobs) if len(self._jobs) <= self._enough else 0

    async def settle(self) -> None:
        """Wait until every job has ended and every outcome was recorded, or failed to be."""
        while self._jobs or self._recorder is not None:
            await asyncio.wait([*self._jobs, *([self._recorder] if self._recorder else [])])

    async def close(self, *, seconds: float, cancel: bool) -> None:
        """Let jobs end, for so long at most, or ``cancel`` them; what they brought is recorded."""
        if cancel:
            self._cancel()
        try:
            async with asyncio.timeout(seconds):
                await self.settle()
        except TimeoutError:
            log.warning("requests_given_up", requests=len(self._jobs))
            self._cancel()
            if self._recorder is not None:
                self._recorder.cancel()
            await self.settle()

    def _cancel(self) -> None:
        for job in self._jobs:
            job.cancel()

    def _wanted(self) -> int:
        passed_seconds = time.monotonic() - self._counted_since
        if passed_seconds >= _PACE_SECONDS:
            self._per_second = self._ended / passed_seconds
            self._ended, self._counted_since = 0, time.monotonic()
        ahead = int(self._per_second * _AHEAD_SECONDS)
        return min(self._most, max(2 * self._count, ahead))

    def _end(self, task: asyncio.Task[None]) -> None:
        self._jobs.discard(task)
        self._ended += 1
        if len(self._jobs) <= self._enough:
            self._fewer.set()

    async def _do(self, job: Callable[[], Awaitable[Outcome]]) -> None:
        try:
            async with self._places:
                outcome = await job()
            self._outcomes.append(outcome)
        except Exception as error:
            log.error("request_failed", error=told(error))
        if self._outcomes and self._recorder is None:
            self._recorder = asyncio.create_task(self._keep_recording())

    async def _keep_recording(self) -> None:
        try:
            while self._outcomes:
                if self._jobs and len(self._outcomes) < self._set_size:
                    await asyncio.sleep(self._wait_seconds)
                outcomes = self._outcomes[: self._set_size]
                self._outcomes = self._outcomes[self._set_size :]
                try:
                    await self._record(outcomes)
                except Exception as error:
                    log.error("outcomes_not_recorded", outcomes=len(outcomes), error=told(error))
                    self._failure = error
        finally:
            self._recorder = None
