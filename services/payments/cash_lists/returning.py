"""What nobody claimed goes back to its fund, by itself, and lists that are overdue are told of."""

import structlog

from services.payments.cash_lists import repository
from shared.clock import Clock
from shared.database import Database

log = structlog.get_logger()


class Returning:
    """Looks after lists whose days are over."""

    def __init__(self, *, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def step(self) -> int:
        """Have what one list has left unclaimed end so; returns 1, or 0 where there is none.

        The lane that reads the list rejects these payments, and with that their money is back.
        """
        now, today = self._clock.now(), self._clock.today()
        async with self._database.transaction() as session:
            row = await repository.lock_to_return(session, today=today, now=now)
            if row is not None:
                lines = await repository.return_unclaimed(session, row.id, now=now)
                log.info("cash_list_returned", list=str(row.id), lines=lines)
        async with self._database.transaction() as session:
            await repository.tell_overdue(session, today=today, now=now)
            await repository.wake_brought(session)
        return int(row is not None)
