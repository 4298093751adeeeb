"""Callbacks whose id came again with another body: a person is told, and the provider is asked.

Which of the two is true, nobody can tell from them. The first was taken, the second was not.
"""

import structlog

from services.payments.alarms.repository import NewAlarm, raise_alarms
from services.payments.alarms.tables import AlarmKind
from services.payments.answers.repository import inquire_now
from services.payments.instructions.repository import lock_known
from services.payments.webhooks.repository import difference_told, pick_differed
from shared.clock import Clock
from shared.database import Database

log = structlog.get_logger()


class Repeating:
    """Tells of callbacks that were repeated with another body."""

    def __init__(self, *, database: Database, clock: Clock, size: int) -> None:
        self._database = database
        self._clock = clock
        self._size = size

    async def step(self) -> int:
        """Tell of a set of them; returns how many."""
        async with self._database.transaction() as session:
            differed = await pick_differed(session, size=self._size)
            about = {row.instruction_id: row for row in differed if row.instruction_id}
            known = await lock_known(session, list(about))
            await raise_alarms(
                session,
                [
                    NewAlarm(
                        instruction_id,
                        AlarmKind.CALLBACK_DIFFERS,
                        f"Callback {row.webhook_id} of {row.provider} came again with another "
                        "body. The first was taken, the second was not. Ask the provider which is "
                        "true; GET /v1/webhooks?only_differing=true lists it.",
                    )
                    for instruction_id, row in about.items()
                    if instruction_id in known
                ],
                at=self._clock.now(),
            )
            if known:
                await inquire_now(session, list(known))
            await difference_told(session, [row.id for row in differed])
        for row in differed:
            log.error("callback_differs", provider=row.provider, webhook_id=row.webhook_id)
        return len(differed)
