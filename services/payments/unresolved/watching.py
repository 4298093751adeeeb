"""Alarms by the clock: raised when a payment has had no end for too long, cleared when it has."""

import structlog

from services.payments.unresolved.limits import Limits
from services.payments.unresolved.repository import clear_gone, raise_for_time
from services.payments.unresolved.subscribers.repository import raise_and_clear
from shared.clock import Clock
from shared.database import Database

log = structlog.get_logger()


class Watching:
    """Raises and clears alarms in sets."""

    def __init__(self, *, database: Database, clock: Clock, limits: Limits, size: int) -> None:
        self._database = database
        self._clock = clock
        self._limits = limits
        self._size = size

    async def step(self) -> int:
        """Raise and clear a set of alarms; returns how many of both."""
        now = self._clock.now()
        async with self._database.transaction() as session:
            cleared = await clear_gone(session, self._limits, now=now, size=self._size)
            raised = await raise_for_time(session, self._limits, now=now, size=self._size)
            raised |= await raise_and_clear(session, now=now)
        for kind, count in raised.items():
            if count:
                log.error("alarms", kind=kind, count=count)
        return cleared + sum(raised.values())
