"""Sealing the blocks of long files in a process of its own, beside the one that stores them.

What an import computes is more than PostgreSQL does for it, and one process computes on one
processor. The process is given the keys through a pipe when it starts, and blocks through another;
it has no database, and ends with the process that started it.
"""

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from typing import Protocol, TypeVar

import structlog

from services.registry.households.persons import PersonalData, personal_data_from
from services.registry.imports.sealing import ToSeal
from services.registry.settings import ApiSettings
from shared.errors import account_of
from shared.garbage import AFTER_WHERE_MANY, look_seldom

log = structlog.get_logger()

T = TypeVar("T")

LONG_FILE_PIECES = 32
"""Of a file of less than 4 MB, some forty thousand rows, the process would only just have begun."""
_KEPT_SECONDS = 60.0
"""For the next file; then it gives its memory back."""

_personal_data: PersonalData


class Compute(Protocol):
    """Computes something of a block, away from the event loop."""

    async def __call__(self, function: Callable[[ToSeal, PersonalData], T], block: ToSeal) -> T:
        """What ``function`` makes of the block with the keys."""


class Apart:
    """The process, once there is a long file. Until it has begun, a thread of this one computes."""

    def __init__(self, settings: ApiSettings, personal_data: PersonalData) -> None:
        self._settings = settings
        self._personal_data = personal_data
        self._pool: ProcessPoolExecutor | None = None
        self._begun: Future[None] | None = None
        self._used_at = time.monotonic()

    def begin(self) -> None:
        """Start the process, if it does not run."""
        self._used_at = time.monotonic()
        if self._pool is not None:
            return
        try:
            self._pool = ProcessPoolExecutor(
                1,
                mp_context=get_context("spawn"),
                initializer=_begin,
                initargs=(self._settings,),
            )
            self._begun = self._pool.submit(_nothing)
        except OSError as error:
            # No room for another process, or for what the two wait on each other by.
            log.warning("sealing_process_not_started", **account_of(error))
            self.end()

    def end(self) -> None:
        """End the process, once it has done what it was given."""
        if self._pool is not None:
            self._pool.shutdown(wait=False)
        self._pool = self._begun = None

    def end_if_idle(self) -> None:
        """End it where no file has needed it for a while."""
        if time.monotonic() - self._used_at > _KEPT_SECONDS:
            self.end()

    async def here(self, function: Callable[[ToSeal, PersonalData], T], block: ToSeal) -> T:
        """What a thread of this process computes."""
        return await asyncio.to_thread(function, block, self._personal_data)

    async def there(self, function: Callable[[ToSeal, PersonalData], T], block: ToSeal) -> T:
        """What the process computes, or a thread of this one where that has not begun, or died."""
        self._used_at = time.monotonic()
        pool = self._pool
        if pool is not None and self._begun is not None and self._begun.done():
            loop = asyncio.get_running_loop()
            try:
                return await loop.run_in_executor(pool, _compute, function, block)
            except BrokenProcessPool:
                log.warning("sealing_process_died")
                if pool is self._pool:
                    self.end()
        return await self.here(function, block)


def _begin(settings: ApiSettings) -> None:
    """What the process does first."""
    global _personal_data
    # Whoever stops both by the keyboard stops the other, and that ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_the_other, daemon=True).start()
    _personal_data = personal_data_from(settings)
    look_seldom(after=AFTER_WHERE_MANY)


def _end_with_the_other() -> None:
    other = parent_process()
    assert other is not None
    other.join()
    os._exit(0)


def _nothing() -> None:
    """Is done once the process has begun."""


def _compute(function: Callable[[ToSeal, PersonalData], T], block: ToSeal) -> T:
    return function(block, _personal_data)
