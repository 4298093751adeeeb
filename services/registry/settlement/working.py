"""How entitlements end: payments settled their chunk, or some of it, or refused it."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from uuid import UUID

import asyncpg
import httpx
import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.chunks import repository as chunks
from services.registry.chunks.states import ChunkStatus
from services.registry.chunks.tables import EntitlementChunk
from services.registry.enrolments import repository as enrolments
from services.registry.enrolments.working import connection_is_gone
from services.registry.settlement import repository
from shared.database import Database
from shared.errors import Explained, told

log = structlog.get_logger()

_BYTES_PER_OUTCOME = 256
_SPARE_BYTES = 4_096
_FETCH_SECONDS = chunks.LEASE_SECONDS * 2 / 3


class OutcomesUnusable(Explained):
    """Payments' outcomes cannot be applied. They are fetched again, later each time."""


class _Busy(Exception):
    """Others are at the chunk, or at its home."""


class SettlementWork:
    """Applies what payments says of chunks, one chunk at each step."""

    def __init__(self, database: Database, *, payments: httpx.AsyncClient) -> None:
        self._database = database
        self._payments = payments

    async def step(self) -> int:
        """Work one chunk; 0 when none waits."""
        async with self._database.transaction() as session:
            chunk = await chunks.lease_ending(session)
        if chunk is None:
            return 0
        try:
            if chunk.status == ChunkStatus.REFUSING:
                await self._refuse(chunk)
            else:
                await self._settle(chunk)
        except _Busy:
            async with self._database.transaction() as session:
                await chunks.put_off_shortly(session, chunk.id)
        except (httpx.HTTPError, TimeoutError, OutcomesUnusable) as error:
            await self._put_off(chunk, error)
        except Exception as error:
            if connection_is_gone(error):
                raise
            # Whatever is wrong is this chunk's: it says so, and the others go on.
            await self._put_off(chunk, error)
        return 1

    async def _put_off(self, chunk: EntitlementChunk, error: Exception) -> None:
        log.warning("settlement_put_off", chunk_id=str(chunk.id), error=told(error))
        async with self._database.transaction() as session:
            await chunks.put_off(session, chunk.id, error=told(error))

    async def _refuse(self, chunk: EntitlementChunk) -> None:
        async with self._database.transaction() as session:
            held = await _hold(session, chunk)
            if held[chunk.id].status != ChunkStatus.REFUSING:
                return
            await repository.apply_refusal(session, chunk.id, reason=chunk.refusal)
            await self._keep_sums(session, held.values())
            await chunks.refuse(session, chunk.id)

    async def _settle(self, chunk: EntitlementChunk) -> None:
        csv = await self._fetch(chunk)
        async with self._database.transaction() as session:
            held = await _hold(session, chunk)
            settlement = chunk.settlements_announced
            if held[chunk.id].settlements_applied > settlement:
                return
            try:
                await repository.apply_outcomes(session, chunk.id, _pieces(csv))
            except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as error:
                raise OutcomesUnusable(
                    "Payments' outcomes of this chunk are not the CSV that was agreed on. They "
                    "are fetched again; if this stays, run services of one version."
                ) from error
            await self._keep_sums(session, held.values())
            await chunks.apply_settlement(session, chunk.id, settlement=settlement)
            without_end = await enrolments.without_end(session, chunk.id)
            if without_end and held[chunk.id].status == ChunkStatus.SETTLING:
                # Those that came are kept; the others stay to be seen.
                left_out = (
                    "Payments says that every payment of this chunk has its end, and tells none "
                    f"of {without_end} of its entitlements. They are asked for again; if this "
                    "stays, have them announced again by a repair: nobody is paid twice."
                )
                await chunks.put_off(session, chunk.id, error=left_out)
            else:
                await chunks.settle(session, chunk.id)

    async def _keep_sums(self, session: AsyncSession, held: Iterable[EntitlementChunk]) -> None:
        for chunk in held:
            sums = await enrolments.sums_of_chunk(session, chunk)
            await chunks.keep_sums(session, chunk.id, sums)

    async def _fetch(self, chunk: EntitlementChunk) -> bytes:
        """The outcomes, whole before any transaction begins: a few hundred kilobytes."""
        longest = chunk.announced_count * _BYTES_PER_OUTCOME + _SPARE_BYTES
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


async def _hold(session: AsyncSession, chunk: EntitlementChunk) -> dict[UUID, EntitlementChunk]:
    """The chunk, and the home of what it announced, as they stand, for this transaction alone.

    Raises _Busy where others are at them.
    """
    held = await chunks.lock_chunks(session, {chunk.id, chunk.home_chunk_id or chunk.id})
    if held is None:
        raise _Busy
    return held


async def _pieces(whole: bytes) -> AsyncIterator[bytes]:
    yield whole
