"""Hearing of pauses: what was claimed before one, and has not left, does not leave."""

from services.payments.dispatch.permits import KnownPauses
from services.payments.dispatch.repository import count_pauses
from shared.database import Database


class HearingOfPauses:
    """Looks how many pauses there are."""

    def __init__(self, *, database: Database, known: KnownPauses) -> None:
        self._database = database
        self._known = known

    async def step(self) -> int:
        """Look once; returns how many are new."""
        async with self._database.reading() as session:
            count = await count_pauses(session)
        new = count - (self._known.count or 0)
        self._known.count = count
        return new
