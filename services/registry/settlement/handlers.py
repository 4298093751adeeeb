"""What the registry does when payments says that a chunk was settled, or refused."""

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.chunks import repository
from shared.contracts.events import ChunkRefused, PaymentsSettled
from shared.events import Handler, StoredEvent


class ChunkUnknown(Exception):
    """Payments speaks of a chunk that was never announced here, or that it cannot end so."""


async def on_payments_settled(session: AsyncSession, event: StoredEvent) -> None:
    """Have the chunk's outcomes fetched by the worker: no network in a handler."""
    settled = PaymentsSettled.of(event)
    if not await repository.announce_settlement(session, settled.chunk_id):
        raise ChunkUnknown


async def on_chunk_refused(session: AsyncSession, event: StoredEvent) -> None:
    """Have the chunk's entitlements marked by the worker."""
    refused = ChunkRefused.of(event)
    if not await repository.announce_refusal(session, refused.chunk_id, reason=refused.reason):
        raise ChunkUnknown


def handlers() -> dict[str, Handler]:
    """For the consumer: which handler is for which type of event."""
    return {PaymentsSettled.type: on_payments_settled, ChunkRefused.type: on_chunk_refused}
