"""What follows from statements by itself: answers are given on, and what agrees by now is ended."""

from services.payments.answers.recording import Recording
from services.payments.answers.repository import store_answers
from services.payments.differences.repository import (
    explain,
    find_to_suspend,
    follow_taken_back,
    pick_answers,
)
from services.payments.reconciliation.comparing import Compared, suspend
from services.payments.reconciliation.repository import lock_provider
from services.payments.reconciliation.service import bounds_of
from shared.clock import Clock
from shared.database import Database

ACTOR = "statement"


class Following:
    """Looks after open differences, a set at a time."""

    def __init__(
        self, *, database: Database, recording: Recording, clock: Clock, size: int
    ) -> None:
        self._database = database
        self._recording = recording
        self._clock = clock
        self._size = size

    async def step(self) -> int:
        """Give answers on, end what agrees, and suspend what the float covers by now; how much."""
        at = self._clock.now()
        async with self._database.transaction() as session:
            heard = await pick_answers(session, size=self._size, at=at)
            waiting = await store_answers(session, heard, actor=ACTOR) if heard else []
        # Stored first: what is not applied now is applied by whoever takes stored answers up.
        await self._recording.apply(waiting)
        async with self._database.transaction() as session:
            explained = await explain(session, size=self._size, at=at)
            explained += await follow_taken_back(session, at=at)
        return len(waiting) + explained + await self._suspend()

    async def _suspend(self) -> int:
        async with self._database.transaction() as session:
            row = await find_to_suspend(session)
            if row is None:
                return 0
            # As whoever takes a statement does: it may be superseded at this moment.
            await lock_provider(session, row.provider)
            begins_at, ends_at = bounds_of(row.day)
            statement = Compared(
                number=row.number,
                statement_id=row.id,
                provider=row.provider,
                provider_number=row.provider_number,
                currency=row.currency,
                day=row.day,
                begins_at=begins_at,
                ends_at=ends_at,
            )
            return int(await suspend(session, statement, at=self._clock.now()))
