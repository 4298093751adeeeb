"""Looking for whom a blind index has in common, among what was stored since the last look."""

from uuid import UUID

import structlog

from services.registry.duplicates import repository
from services.registry.duplicates.statements import FIND_EXACT
from shared.clock import Clock
from shared.database import Database

log = structlog.get_logger()

_KIND = "exact"
_KEPT_AT_ONCE = 5_000
"""Suspicions of one transaction: some tenths of a second, for which chunks wait."""
_BEFORE_ALL = UUID(int=0)


class DuplicateLooks:
    """Looks at households that were added or changed, one look at each step. It opens nobody.

    A look is many transactions, and begins anew where it does not come to its end: whoever makes
    entitlements waits for some of what it found at a time, and whoever reads events for none of the
    rest.
    """

    def __init__(
        self, database: Database, *, clock: Clock, kept_at_once: int = _KEPT_AT_ONCE
    ) -> None:
        self._database = database
        self._clock = clock
        self._kept_at_once = kept_at_once

    async def step(self) -> int:
        """Look once; how many suspicions came, changed or went."""
        async with self._database.staying() as session:
            async with session.begin():
                if not await repository.look_alone(session):
                    return 0
                now = self._clock.now()
                begins, seen = await repository.since(session, _KIND)
                if not await repository.find_fresh(session, seen=seen):
                    await repository.looked(session, _KIND, begins, at=now)
                    await repository.look_no_more(session)
                    return 0
            for statement in FIND_EXACT:
                async with session.begin():
                    await repository.find(session, statement)
            changed = 0
            after: UUID | None = _BEFORE_ALL
            while after is not None:
                async with session.begin():
                    # What holds from now on, whoever makes entitlements has to see.
                    await repository.have_fence(session)
                    kept, after = await repository.keep_exact(
                        session, after=after, most=self._kept_at_once, at=now
                    )
                    changed += kept
                    if after is None:
                        changed += await repository.withdraw_exact(session, at=now)
                        await repository.looked(session, _KIND, begins, at=now)
            async with session.begin():
                await repository.look_no_more(session)
        if changed:
            log.info("duplicates_suspected", changed=changed)
        return changed
