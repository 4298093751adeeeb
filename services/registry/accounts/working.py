"""Making the account changes of imports that two persons wanted: some thousands at each step."""

from services.registry.accounts import repository
from services.registry.accounts.service import tell_of_import
from shared.clock import Clock
from shared.database import Database

HOUSEHOLDS_PER_STEP = 5_000
"""A tenth of a second or two; a long transaction would hold back every reader of the log."""


class AccountWork:
    """Makes approved changes, some of one batch at each step."""

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
            made = await repository.make_changes(
                session,
                batch.id,
                by=proposal.proposed_by,
                approval_id=proposal.id,
                after=batch.done_up_to,
                limit=HOUSEHOLDS_PER_STEP,
                now=now,
            )
            await tell_of_import(session, batch.import_id, made, clock=self._clock)
            await repository.keep_progress(
                session,
                batch.id,
                changed=batch.changed + made.changed,
                done_up_to=made.last or batch.done_up_to,
                finished_at=now if made.looked_at < HOUSEHOLDS_PER_STEP else None,
            )
            return made.looked_at or 1
