"""Activations that wait for what they lack: a scheme that is posted later, an area, a filter.

They are looked at again every few seconds, for the cause of each may go by itself.
"""

from uuid import UUID

import structlog

from services.registry.activations import repository as activations
from services.registry.enrolments.opening import Means, enrol_where_possible
from shared.database import Database, may_pass
from shared.errors import place_in_code

log = structlog.get_logger()

_LOOKED_AT = 100


class WaitingActivations:
    """Enrols for activations that could not be enrolled for before, all of them at each step."""

    def __init__(self, database: Database, *, means: Means) -> None:
        self._database = database
        self._means = means

    async def step(self) -> int:
        """For how many activations an enrolment was planned."""
        async with self._database.transaction() as session:
            waiting = await activations.list_waiting(session, limit=_LOOKED_AT)
        planned = [await self._try_again(activation_id) for activation_id in waiting]
        return sum(planned)

    async def _try_again(self, activation_id: UUID) -> bool:
        try:
            async with self._database.transaction() as session:
                return await enrol_where_possible(session, activation_id, means=self._means)
        except Exception as error:
            if may_pass(error):
                raise
            # The others are not to wait for it.
            log.error(
                "activation_left_waiting",
                activation_id=str(activation_id),
                error=type(error).__name__,
                at=place_in_code(error),
            )
            return False
