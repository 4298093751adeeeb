"""Fetching an announced chunk from the registry, and raising its instructions.

The rows go from one PostgreSQL to the other as COPY bytes: nothing here makes an object of a row.
The network comes first and the transaction after it, never one inside the other.
"""

import httpx
import structlog
from sqlalchemy.exc import IntegrityError

from services.payments.chunks import repository
from services.payments.chunks.repository import AnnouncedChunk
from services.payments.chunks.states import ChunkStatus
from services.payments.settings import Settings
from shared.clock import Clock
from shared.contracts.entitlements import BINARY
from shared.contracts.events import ChunkRefused
from shared.database import Database
from shared.events import publish

log = structlog.get_logger()


class ChunkTooLarge(Exception):
    """The registry sent more than a chunk may hold."""


class Refusal(Exception):
    """The chunk is not what was announced. Says how, without a value from it."""


class Fetching:
    """Fetches one chunk at a time; several of these run side by side."""

    def __init__(
        self, registry: httpx.AsyncClient, *, database: Database, clock: Clock, settings: Settings
    ) -> None:
        self._registry = registry
        self._database = database
        self._clock = clock
        self._settings = settings

    async def step(self) -> int:
        """Fetch and raise one chunk, or refuse it; returns 1 if there was one."""
        async with self._database.transaction() as session:
            chunk = await repository.claim_announced(
                session, lease_seconds=self._settings.chunk_lease_seconds
            )
        if chunk is None:
            return 0
        try:
            content = await self._fetch(chunk)
        except httpx.HTTPError as error:
            await self._put_off(chunk, error)
            return 1
        except ChunkTooLarge:
            await self._refuse(
                chunk, f"It is larger than {self._settings.chunk_maximum_bytes} bytes."
            )
            return 1
        try:
            await self._raise(chunk, content)
        except Refusal as refusal:
            await self._refuse(chunk, str(refusal))
        return 1

    async def _fetch(self, chunk: AnnouncedChunk) -> bytearray:
        content = bytearray()
        path = f"/entitlement-chunks/{chunk.chunk_id}/entitlements"
        async with self._registry.stream("GET", path, headers={"Accept": BINARY}) as response:
            response.raise_for_status()
            if response.headers.get("Content-Type") != BINARY:
                raise httpx.DecodingError("Not the agreed format.", request=response.request)
            async for part in response.aiter_bytes():
                content += part
                if len(content) > self._settings.chunk_maximum_bytes:
                    raise ChunkTooLarge
        return content

    async def _raise(self, chunk: AnnouncedChunk, content: bytearray) -> None:
        try:
            async with self._database.transaction() as session:
                is_open = await repository.lock_if_announced(session, chunk.number)
                if is_open is None:
                    return
                if not is_open:
                    raise Refusal("Its round was complete without it, and was decided already.")
                await repository.copy_entitlements(session, content)
                if difference := await repository.difference(session, chunk):
                    raise Refusal(difference)
                await repository.raise_instructions(session, chunk, at=self._clock.now())
        except IntegrityError as error:
            if not repository.is_second_instruction(error):
                raise
            raise Refusal(
                "An entitlement is in it twice, or has an instruction from another chunk."
            ) from error
        except repository.UNREADABLE as error:
            raise Refusal(f"Its rows cannot be read ({type(error).__name__}).") from error

    async def _refuse(self, chunk: AnnouncedChunk, reason: str) -> None:
        async with self._database.transaction() as session:
            refused = await repository.move_chunks(
                session,
                [chunk.number],
                ChunkStatus.REFUSED,
                at=self._clock.now(),
                reason=reason,
            )
            if refused:
                await publish(
                    session,
                    ChunkRefused(
                        chunk_id=chunk.chunk_id, activation_id=chunk.activation_id, reason=reason
                    ),
                    clock=self._clock,
                )
        log.error("chunk_refused", chunk_id=str(chunk.chunk_id), reason=reason)

    async def _put_off(self, chunk: AnnouncedChunk, error: httpx.HTTPError) -> None:
        status = error.response.status_code if isinstance(error, httpx.HTTPStatusError) else None
        reason = f"The registry did not give it ({status or type(error).__name__}); asked again."
        async with self._database.transaction() as session:
            await repository.put_off(
                session, chunk.number, reason=reason, retry=self._settings.chunk_retry
            )
        log.warning("chunk_not_fetched", chunk_id=str(chunk.chunk_id), reason=reason)
