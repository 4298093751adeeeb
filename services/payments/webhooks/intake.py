"""Storing callbacks before they are answered: many in one commit.

Each request hands over its sealed body and waits. One writer takes all that wait, stores them in
one statement, commits, and then lets their replies leave. Under load the commits grow larger
instead of more numerous; without load a callback waits for nobody.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import asyncpg
import structlog

from services.payments.webhooks.repository import STORE
from shared.database import Database
from shared.errors import account_of

log = structlog.get_logger()

_STORE_SECONDS = 10
_RECONNECT_SECONDS = 0.2


class NotStored(Exception):
    """The database did not take a callback: the provider has to send it again."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    provider_number: int
    webhook_id: str
    body_sealed: bytes
    body_fingerprint: bytes
    stored: asyncio.Future[None]


class WebhookIntake:
    """Stores callbacks in groups. ``running()`` keeps its writer alive."""

    def __init__(self, database: Database, *, batch_size: int) -> None:
        self._database = database
        self._batch_size = batch_size
        self._waiting: list[_Waiting] = []
        self._arrived = asyncio.Event()

    async def store(
        self,
        *,
        provider_number: int,
        webhook_id: str,
        body_sealed: bytes,
        body_fingerprint: bytes,
    ) -> None:
        """Returns once the callback is committed; a second one of the same id changes nothing.

        Where its body is another, that is kept of the first.

        Raises NotStored where the database did not take it.
        """
        stored = asyncio.get_running_loop().create_future()
        self._waiting.append(
            _Waiting(provider_number, webhook_id, body_sealed, body_fingerprint, stored)
        )
        self._arrived.set()
        await stored

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the writer for as long as the context."""
        writer = asyncio.create_task(self._keep_writing())
        try:
            yield
        finally:
            writer.cancel()
            with suppress(asyncio.CancelledError):
                await writer

    async def _keep_writing(self) -> None:
        while True:
            try:
                async with self._database.connection() as connection:
                    await self._write(connection)
            except Exception as error:
                # Whatever it is, the writer lives on: without it every callback waits for ever.
                log.error("webhooks_not_stored", **account_of(error))
                _answer(self._take(len(self._waiting)), stored=False)
            await asyncio.sleep(_RECONNECT_SECONDS)

    async def _write(self, connection: asyncpg.Connection) -> None:
        while True:
            await self._arrived.wait()
            group = self._take(self._without_repeats())
            try:
                await connection.execute(
                    STORE,
                    [waiting.provider_number for waiting in group],
                    [waiting.webhook_id for waiting in group],
                    [waiting.body_sealed for waiting in group],
                    [waiting.body_fingerprint for waiting in group],
                    timeout=_STORE_SECONDS,
                )
            except BaseException:
                _answer(group, stored=False)
                raise
            _answer(group, stored=True)

    def _without_repeats(self) -> int:
        """How many of those that wait have ids of their own: a repeat waits for the next group."""
        seen: set[tuple[int, str]] = set()
        for waiting in self._waiting[: self._batch_size]:
            key = (waiting.provider_number, waiting.webhook_id)
            if key in seen:
                break
            seen.add(key)
        return len(seen)

    def _take(self, size: int) -> list[_Waiting]:
        group, self._waiting = self._waiting[:size], self._waiting[size:]
        if not self._waiting:
            self._arrived.clear()
        return group


def _answer(group: list[_Waiting], *, stored: bool) -> None:
    for waiting in group:
        # A request whose client went away no longer waits.
        if waiting.stored.done():
            continue
        if stored:
            waiting.stored.set_result(None)
        else:
            waiting.stored.set_exception(NotStored())
