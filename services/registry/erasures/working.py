"""Carrying out erasures that two persons wanted: some hundreds of households at each step."""

from services.registry.acts.repository import erase
from services.registry.acts.service import Act
from services.registry.areas.repository import have_fence
from services.registry.changes.repository import Said, say
from services.registry.changes.tables import ChangeKind
from services.registry.erasures import repository
from services.registry.erasures.repository import Rule
from shared.clock import Clock
from shared.contracts.events import HouseholdChanged
from shared.database import Database
from shared.events import publish_all

HOUSEHOLDS_PER_STEP = 500
"""Imports and enrolment wait meanwhile, as for any erasure."""


class ErasureWork:
    """Carries out approved erasures, some households of one at each step. It needs no key: who they
    were is overwritten, and what they are sealed with destroyed."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def step(self) -> int:
        """How many households were looked at; 0: none waits."""
        async with self._database.transaction() as session:
            claimed = await repository.claim_batch(session)
            if claimed is None:
                return 0
            batch, proposal = claimed
            now = self._clock.now()
            planned = await repository.next_planned(
                session, batch.id, after=batch.done_up_to, limit=HOUSEHOLDS_PER_STEP
            )
            rule = Rule(
                archived_before=batch.archived_before, paid_before=batch.paid_before, now=now
            )
            await have_fence(session)
            due = await repository.lock_still_due(session, planned, rule)
            if due:
                await say(
                    session,
                    Said(
                        kind=ChangeKind.ERASED,
                        by=proposal.proposed_by,
                        at=now,
                        approval_id=proposal.id,
                        reason=proposal.reason,
                    ),
                )
                await erase(session, [row.id for row in due], now=now, today=self._clock.today())
                await publish_all(
                    session,
                    [
                        HouseholdChanged(
                            household_id=row.id, changes=[Act.ERASURE], areas=[row.area_code]
                        )
                        for row in due
                    ],
                    clock=self._clock,
                )
            await repository.keep_progress(
                session,
                batch.id,
                erased=batch.erased + len(due),
                passed_over=batch.passed_over + len(planned) - len(due),
                done_up_to=planned[-1] if planned else batch.done_up_to,
                finished_at=now if len(planned) < HOUSEHOLDS_PER_STEP else None,
            )
            return len(planned) or 1
