"""Looking for whom a blind index has in common, among what was stored since the last look."""

import structlog

from services.registry.duplicates import repository
from shared.clock import Clock
from shared.database import Database

log = structlog.get_logger()

_KIND = "exact"


class DuplicateLooks:
    """Looks at households that were added or changed, one look at each step. It opens nobody."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def step(self) -> int:
        """Look once; how many suspicions came, changed or went."""
        async with self._database.transaction() as session:
            if not await repository.look_alone(session):
                return 0
            now = self._clock.now()
            begins, age = await repository.since(session, _KIND)
            await repository.find_exact(session, age=age)
            # What holds from now on, whoever makes entitlements has to see.
            await repository.have_fence(session)
            changed = await repository.keep_exact(session, at=now)
            await repository.looked(session, _KIND, begins, at=now)
        if changed:
            log.info("duplicates_suspected", changed=changed)
        return changed
