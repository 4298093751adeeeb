"""How entitlements end: payments settles their chunk, or refuses it."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import httpx
import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.entitlements import repository
from services.registry.entitlements.attempts import put_off
from services.registry.entitlements.states import ChunkStatus
from services.registry.entitlements.tables import EntitlementChunk
from shared.contracts.events import ChunkRefused, PaymentsSettled
from shared.database import Database
from shared.errors import innermost_place
from shared.events import Handler, StoredEvent

log = structlog.get_logger()

_BYTES_PER_OUTCOME = 256
_SPARE_BYTES = 4_096
_FETCH_SECONDS = repository.LEASE_SECONDS * 2 / 3


class ChunkUnknown(Exception):
    """Payments speaks of a chunk that was never announced here, or that it cannot end so."""


class OutcomesUnusable(Exception):
    """Payments' outcomes are no such CSV, too long, or leave an entitlement without an end."""


async def on_payments_settled(session: AsyncSession, event: StoredEvent) -> None:
    """Have the chunk's outcomes fetched by the worker: no network in a handler."""
    settled = PaymentsSettled.model_validate(event.data)
    if not await repository.announce_settlement(session, settled.chunk_id):
        raise ChunkUnknown


async def on_chunk_refused(session: AsyncSession, event: StoredEvent) -> None:
    """Have the chunk's entitlements marked by the worker."""
    refused = ChunkRefused.model_validate(event.data)
    if not await repository.announce_refusal(session, refused.chunk_id, reason=refused.reason):
        raise ChunkUnknown


HANDLERS: dict[str, Handler] = {
    PaymentsSettled.type: on_payments_settled,
    ChunkRefused.type: on_chunk_refused,
}


class SettlementWork:
    """Ends chunks that payments settled or refused, one at each step."""

    def __init__(self, database: Database, *, payments: httpx.AsyncClient) -> None:
        self._database = database
        self._payments = payments

    async def step(self) -> int:
        """End one chunk; 0 when none waits."""
        async with self._database.transaction() as session:
            chunk = await repository.lease_ending_chunk(session)
        if chunk is None:
            return 0
        try:
            if chunk.status == ChunkStatus.REFUSING:
                async with self._database.transaction() as session:
                    await repository.apply_refusal(session, chunk.id, reason=chunk.refusal)
            else:
                await self._settle(chunk)
        except (httpx.HTTPError, TimeoutError, OutcomesUnusable) as error:
            kind = f"{type(error).__name__} at {innermost_place(error)}"
            log.warning("settlement_put_off", chunk_id=str(chunk.id), error=kind)
            async with self._database.transaction() as session:
                await put_off(session, chunk.id, error=kind)
        return 1

    async def _settle(self, chunk: EntitlementChunk) -> None:
        csv = await self._fetch(chunk)
        async with self._database.transaction() as session:
            try:
                without_end = await repository.apply_outcomes(
                    session, chunk.id, _pieces(csv), settlement=chunk.settlements_announced
                )
            except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as error:
                raise OutcomesUnusable from error
            if without_end:
                raise OutcomesUnusable

    async def _fetch(self, chunk: EntitlementChunk) -> bytes:
        """The outcomes, whole before any transaction begins: a few hundred kilobytes."""
        longest = chunk.payable_count * _BYTES_PER_OUTCOME + _SPARE_BYTES
        body = bytearray()
        async with (
            asyncio.timeout(_FETCH_SECONDS),
            self._payments.stream("GET", f"/chunks/{chunk.id}/outcomes") as answer,
        ):
            answer.raise_for_status()
            async for piece in answer.aiter_bytes():
                body += piece
                if len(body) > longest:
                    raise OutcomesUnusable
        return bytes(body)


async def _pieces(whole: bytes) -> AsyncIterator[bytes]:
    yield whole
