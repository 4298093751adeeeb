"""Taking a statement's body as it comes in: its digest, and its lines, read in one thread.

A parser of libxml2 keeps names in a table of the thread that feeds it. Fed by whichever thread is
free, it would share that table with others, and the process would abort.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from services.payments.reconciliation.lines import StatementRead, StatementRefused
from shared.errors import TooLarge, Unprocessable

_PART_BYTES = 1024 * 1024


class Reader(Protocol):
    """Reads one format, part by part; raises StatementRefused."""

    def feed(self, part: bytes) -> None: ...

    def end(self) -> StatementRead: ...


@dataclass(frozen=True, slots=True)
class Received:
    """A whole body."""

    read: StatementRead
    digest: bytes
    """SHA-256."""


async def receive(
    body: AsyncIterator[bytes], make_reader: Callable[[], Reader], *, maximum_bytes: int
) -> Received:
    """Read a body to its end; raises TooLarge, Unprocessable.

    Only what was read of it is held: nothing is stored before the end has come, and no
    transaction waits for the sender.
    """
    digest = hashlib.sha256()
    received_bytes = 0
    waiting = bytearray()
    thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="statement")
    loop = asyncio.get_running_loop()
    try:
        reader = await loop.run_in_executor(thread, make_reader)
        async for part in body:
            received_bytes += len(part)
            if received_bytes > maximum_bytes:
                raise TooLarge(
                    f"A statement has {maximum_bytes:,} bytes at most here. Ask the provider for "
                    "one of fewer lines."
                )
            digest.update(part)
            waiting += part
            if len(waiting) >= _PART_BYTES:
                await loop.run_in_executor(thread, reader.feed, bytes(waiting))
                waiting.clear()
        await loop.run_in_executor(thread, reader.feed, bytes(waiting))
        read = await loop.run_in_executor(thread, reader.end)
    except StatementRefused as refused:
        raise Unprocessable(
            f"The statement is not taken, and nothing of it is kept. {refused}"
        ) from None
    finally:
        # What is under way there ends by itself.
        thread.shutdown(wait=False)
    return Received(read=read, digest=digest.digest())
