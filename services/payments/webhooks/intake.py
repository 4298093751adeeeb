"""Storing callbacks before they are answered: many in one commit.

Each request hands over its sealed body and waits. One writer takes all that wait, stores them in
one statement, commits, and then lets their replies leave. Under load the commits grow larger
instead of more numerous; without load a callback waits for nobody.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import structlog
from sqlalchemy import text

from shared.database import Database

log = structlog.get_logger()

_STORE = text(
    """
    INSERT INTO payments.webhook (provider_number, webhook_id, body_sealed, status)
    SELECT provider_number, webhook_id, body_sealed, 'received'
    FROM unnest(
        CAST(:provider_numbers AS smallint[]), CAST(:webhook_ids AS text[]),
        CAST(:bodies AS bytea[])
    ) AS given (provider_number, webhook_id, body_sealed)
    ON CONFLICT (provider_number, webhook_id) DO NOTHING
    """
)


@dataclass(frozen=True, slots=True)
class _Waiting:
    provider_number: int
    webhook_id: str
    body_sealed: bytes
    stored: asyncio.Future[None]


class WebhookIntake:
    """Stores callbacks in groups. ``running()`` keeps its writer alive."""

    def __init__(self, database: Database, *, batch_size: int) -> None:
        self._database = database
        self._batch_size = batch_size
        self._waiting: list[_Waiting] = []
        self._arrived = asyncio.Event()

    async def store(self, *, provider_number: int, webhook_id: str, body_sealed: bytes) -> None:
        """Returns once the callback is committed; a second one of the same id changes nothing.

        Raises whatever the database raised: then nothing is stored, and the provider sends again.
        """
        stored = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(provider_number, webhook_id, body_sealed, stored))
        self._arrived.set()
        await stored

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the writer for as long as the context."""
        writer = asyncio.create_task(self._write())
        try:
            yield
        finally:
            writer.cancel()
            with suppress(asyncio.CancelledError):
                await writer

    async def _write(self) -> None:
        while True:
            await self._arrived.wait()
            group = self._waiting[: self._batch_size]
            del self._waiting[: self._batch_size]
            if not self._waiting:
                self._arrived.clear()
            await self._store(group)

    async def _store(self, group: list[_Waiting]) -> None:
        try:
            async with self._database.transaction() as session:
                await session.execute(
                    _STORE,
                    {
                        "provider_numbers": [one.provider_number for one in group],
                        "webhook_ids": [one.webhook_id for one in group],
                        "bodies": [one.body_sealed for one in group],
                    },
                )
        except Exception as error:
            # Each request answers for itself; the writer lives on for the next ones.
            log.error("webhooks_not_stored", count=len(group), error=type(error).__name__)
            for one in group:
                if not one.stored.done():
                    one.stored.set_exception(error)
            return
        for one in group:
            if not one.stored.done():
                one.stored.set_result(None)
