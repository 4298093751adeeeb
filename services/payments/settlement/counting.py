"""Adding up what changed of the counts, and telling the registry how many payments have ended."""

from services.payments.counts.repository import add_up
from services.payments.settlement.repository import counted_of
from shared.clock import Clock
from shared.database import Database
from shared.events import publish_all

CHANGES_AT_ONCE = 20_000


class Counting:
    """Adds changes to the counts, and tells what they come to of the chunks where some ended."""

    def __init__(self, *, database: Database, clock: Clock, size: int = CHANGES_AT_ONCE) -> None:
        self._database = database
        self._clock = clock
        self._size = size

    async def step(self) -> int:
        """Add some changes; returns of how many chunks it was told."""
        async with self._database.transaction() as session:
            numbers = await add_up(session, size=self._size)
            if not numbers:
                return 0
            counted = await counted_of(session, numbers)
            await publish_all(session, counted, clock=self._clock)
        return len(counted)
