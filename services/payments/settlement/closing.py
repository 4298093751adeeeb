"""Closing chunks: when none of its instructions is live any more, the registry is told."""

from services.payments.chunks.repository import move_chunks
from services.payments.chunks.states import ChunkStatus
from services.payments.settlement.repository import SettledChunk, lock_settled, sums_of
from shared.clock import Clock
from shared.contracts.events import PaymentsSettled
from shared.database import Database
from shared.events import publish_all


class Closing:
    """Closes chunks in sets, each with its event."""

    def __init__(self, *, database: Database, clock: Clock, size: int = 50) -> None:
        self._database = database
        self._clock = clock
        self._size = size

    async def step(self) -> int:
        """Close what can be closed; returns how many chunks were."""
        async with self._database.transaction() as session:
            numbers = await lock_settled(session, size=self._size)
            if not numbers:
                return 0
            chunks = await sums_of(session, numbers)
            closed = await move_chunks(
                session,
                [chunk.number for chunk in chunks],
                ChunkStatus.SETTLED,
                at=self._clock.now(),
            )
            await publish_all(
                session,
                [_told(chunk) for chunk in chunks if chunk.number in closed],
                clock=self._clock,
            )
        return len(closed)


def _told(chunk: SettledChunk) -> PaymentsSettled:
    return PaymentsSettled(
        chunk_id=chunk.chunk_id,
        activation_id=chunk.activation_id,
        scheme=chunk.scheme,
        round=chunk.round,
        paid_count=chunk.paid_count,
        paid_minor=chunk.paid_minor,
        failed_count=chunk.failed_count,
        failed_minor=chunk.failed_minor,
    )
