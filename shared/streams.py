"""Places for what takes long: streams out of the database and into it, apart from all requests.

A stream holds a connection for as long as its reader or sender likes. So there are few, nobody
has more than a part of them, and an ordinary request never waits for one.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from shared.errors import Busy


class Places:
    """So many streams at once, so many of them to each caller."""

    def __init__(self, size: int, *, per_caller: int, wait_seconds: float) -> None:
        self._size = size
        self._per_caller = per_caller
        self._wait_seconds = wait_seconds
        self._held: Counter[str] = Counter()
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def held(self, caller: str) -> AsyncIterator[None]:
        """Hold a place; raises Busy where none comes free shortly."""
        async with self._changed:
            try:
                async with asyncio.timeout(self._wait_seconds):
                    await self._changed.wait_for(lambda: self._has_place(caller))
            except TimeoutError:
                raise Busy(
                    f"{self._size} streams are under way, or {self._per_caller} of yours: as many "
                    "as there may be. Wait for the end of one, and send the request again."
                ) from None
            self._held[caller] += 1
        try:
            yield
        finally:
            self._held[caller] -= 1
            if not self._held[caller]:
                del self._held[caller]
            await asyncio.shield(self._tell())

    def _has_place(self, caller: str) -> bool:
        return self._held.total() < self._size and self._held[caller] < self._per_caller

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()


class HeldStream(StreamingResponse):
    """An answer whose pieces need something held: it is had before the answer begins, so that
    there can still be another, and given back whatever becomes of the reader."""

    def __init__(
        self,
        pieces: AbstractAsyncContextManager[AsyncIterator[bytes]],
        *,
        media_type: str,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__((), media_type=media_type, headers=headers)
        self._pieces = pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._pieces as pieces:
            self.body_iterator = pieces
            await super().__call__(scope, receive, send)
