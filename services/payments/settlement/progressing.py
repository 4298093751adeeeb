"""Telling the registry how far a chunk is: one payment that stays open does not hide the others."""

from services.payments.settlement.repository import keep_told, lock_open, progressed_by_number
from shared.clock import Clock
from shared.database import Database
from shared.events import publish_all


class Progressing:
    """Looks at open chunks in sets, at each once in a while, and tells what is new of them."""

    def __init__(
        self, *, database: Database, clock: Clock, every_seconds: float, size: int = 5
    ) -> None:
        self._database = database
        self._clock = clock
        self._every_seconds = every_seconds
        self._size = size

    async def step(self) -> int:
        """Look at some chunks; returns how many."""
        async with self._database.transaction() as session:
            chunks = await lock_open(session, size=self._size)
            if not chunks:
                return 0
            # Of what was released just now no payment takes long: it is looked at the next time.
            known = [number for number, is_new in chunks.items() if not is_new]
            told = (
                await progressed_by_number(session, known, seconds=self._every_seconds)
                if known
                else {}
            )
            await keep_told(session, list(chunks), told, seconds=self._every_seconds)
            await publish_all(session, list(told.values()), clock=self._clock)
        return len(chunks)
