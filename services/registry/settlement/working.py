"""How entitlements end: payments settled their chunk, or refused it."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import httpx
import structlog

from services.registry.chunks import repository as chunks
from services.registry.chunks.states import ChunkStatus
from services.registry.chunks.tables import EntitlementChunk
from services.registry.settlement import repository
from shared.database import Database
from shared.errors import Explained, told

log = structlog.get_logger()

_BYTES_PER_OUTCOME = 256
_SPARE_BYTES = 4_096
_FETCH_SECONDS = chunks.LEASE_SECONDS * 2 / 3


class OutcomesUnusable(Explained):
    """Payments' outcomes cannot be applied. They are fetched again, later each time."""


class SettlementWork:
    """Ends chunks that payments settled or refused, one at each step."""

    def __init__(self, database: Database, *, payments: httpx.AsyncClient) -> None:
        self._database = database
        self._payments = payments

    async def step(self) -> int:
        """End one chunk; 0 when none waits."""
        async with self._database.transaction() as session:
            chunk = await chunks.lease_ending(session)
        if chunk is None:
            return 0
        try:
            if chunk.status == ChunkStatus.REFUSING:
                await self._refuse(chunk)
            else:
                await self._settle(chunk)
        except (httpx.HTTPError, TimeoutError, OutcomesUnusable) as error:
            log.warning("settlement_put_off", chunk_id=str(chunk.id), error=told(error))
            async with self._database.transaction() as session:
                await chunks.put_off(session, chunk.id, error=told(error))
        return 1

    async def _refuse(self, chunk: EntitlementChunk) -> None:
        async with self._database.transaction() as session:
            await repository.apply_refusal(session, chunk.id, reason=chunk.refusal)
            await chunks.refuse(session, chunk.id)

    async def _settle(self, chunk: EntitlementChunk) -> None:
        csv = await self._fetch(chunk)
        async with self._database.transaction() as session:
            try:
                await repository.apply_outcomes(session, chunk.id, _pieces(csv))
            except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as error:
                raise OutcomesUnusable(
                    "Payments' outcomes of this chunk are not the CSV that was agreed on. They "
                    "are fetched again; if this stays, run services of one version."
                ) from error
            sums = await repository.sums_of_chunk(session, chunk.id)
            without_end = await chunks.settle(
                session, chunk.id, settlement=chunk.settlements_announced, **sums._asdict()
            )
            if without_end:
                raise OutcomesUnusable(
                    f"Payments' outcomes leave {without_end} entitlements of this chunk without "
                    "an end. They are fetched again; if this stays, compare the chunk's "
                    "instructions in payments with its entitlements here."
                )

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
                    raise OutcomesUnusable(
                        f"Payments' outcomes of this chunk are longer than {longest} bytes, more "
                        "than its entitlements need. They are fetched again; if this stays, see "
                        "what answers under PAYMENTS_URL."
                    )
        return bytes(body)


async def _pieces(whole: bytes) -> AsyncIterator[bytes]:
    yield whole
