"""What the registry does when payments says that a chunk was settled, or refused."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.chunks import repository
from shared.contracts.events import ChunkRefused, PaymentsSettled
from shared.errors import Explained
from shared.events import Handler, Published, StoredEvent


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
        raise ChunkUnknown(settled.chunk_id, ended="settled")


async def on_chunk_refused(session: AsyncSession, event: StoredEvent) -> None:
    """Have the chunk's entitlements marked by the worker."""
    refused = ChunkRefused.of(event)
    if not await repository.announce_refusal(session, refused.chunk_id, reason=refused.reason):
        raise ChunkUnknown(refused.chunk_id, ended="refused")


def handlers() -> dict[type[Published], Handler]:
    """Which handler works which fact."""
    return {PaymentsSettled: on_payments_settled, ChunkRefused: on_chunk_refused}
