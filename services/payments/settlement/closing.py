"""Closing chunks: when none of its instructions is live any more, the registry is told."""

from services.payments.chunks.repository import move_chunks
from services.payments.chunks.states import ChunkStatus
from services.payments.settlement.repository import lock_settled, settled_by_number
from shared.clock import Clock
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
            settled = await settled_by_number(session, numbers)
            closed = await move_chunks(
                session, list(settled), ChunkStatus.SETTLED, at=self._clock.now()
            )
            await publish_all(
                session, [settled[number] for number in sorted(closed)], clock=self._clock
            )
        return len(closed)
