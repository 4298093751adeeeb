"""What the registry does when payments says how far a chunk is, that it is settled, or refused.

Of a chunk that is still planned nothing is kept: the registry has lost what it had announced, and
works it anew. Payments knows it when it is announced again, and says once more how it ended.
"""

from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.chunks import repository
from services.registry.chunks.states import ChunkStatus
from shared.contracts.events import (
    ChunkRefused,
    PaymentsCounted,
    PaymentsProgressed,
    PaymentsSettled,
)
from shared.errors import Explained
from shared.events import Handler, Published, StoredEvent

log = structlog.get_logger()


_REFUSED_ALREADY = (ChunkStatus.REFUSING, ChunkStatus.REFUSED)


class ChunkUnknown(Explained):
    """Payments speaks of a chunk that was never announced here, or that it cannot end so."""

    def __init__(self, chunk_id: UUID, *, ended: str) -> None:
        super().__init__(
            f"Payments says that chunk {chunk_id} is {ended}, but no chunk was announced here that "
            "can be. See the chunks of its activation; once the chunk is as payments takes it, "
            "replay this event."
        )


async def on_payments_settled(session: AsyncSession, event: StoredEvent) -> None:
    """Have the chunk's outcomes fetched by the worker: no network in a handler."""
    settled = PaymentsSettled.of(event)
    if not await repository.announce_settlement(session, settled.chunk_id):
        await _require(session, settled.chunk_id, ended="settled")


async def on_payments_progressed(session: AsyncSession, event: StoredEvent) -> None:
    """Have the outcomes that there are fetched; the chunk goes on waiting for the others."""
    progressed = PaymentsProgressed.of(event)
    if not await repository.announce_progress(session, progressed.chunk_id):
        await _require(session, progressed.chunk_id, ended="settled in part")


async def on_payments_counted(session: AsyncSession, event: StoredEvent) -> None:
    """Keep how many have their end; what came of each is fetched when payments says so."""
    await repository.keep_count(session, PaymentsCounted.of(event))


async def on_chunk_refused(session: AsyncSession, event: StoredEvent) -> None:
    """Have the chunk's entitlements marked by the worker."""
    refused = ChunkRefused.of(event)
    if not await repository.announce_refusal(session, refused.chunk_id, reason=refused.reason):
        await _require(session, refused.chunk_id, *_REFUSED_ALREADY, ended="refused")


async def _require(
    session: AsyncSession, chunk_id: UUID, *statuses: ChunkStatus, ended: str
) -> None:
    """Raises ChunkUnknown unless the chunk is planned, or in one of these states."""
    chunk = await repository.find_chunk(session, chunk_id)
    if chunk is None or chunk.status not in (ChunkStatus.PLANNED, *statuses):
        raise ChunkUnknown(chunk_id, ended=ended)
    log.info("chunk_told_of_early", chunk_id=str(chunk_id), status=chunk.status, told=ended)


def handlers() -> dict[type[Published], Handler]:
    """Which handler works which fact."""
    return {
        PaymentsSettled: on_payments_settled,
        PaymentsProgressed: on_payments_progressed,
        PaymentsCounted: on_payments_counted,
        ChunkRefused: on_chunk_refused,
    }
