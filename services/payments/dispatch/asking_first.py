"""What may have been sent before the database lost it: asked about before it is sent.

An instruction whose chunk was announced in an earlier epoch of the event log is not known to be
unsent, whatever its row says. It becomes ``unknown``, as if its answer had been lost.
"""

from services.payments.dispatch.lane import Lane
from services.payments.dispatch.repository import pick_ready
from services.payments.instructions.moves import Move
from services.payments.instructions.states import Status
from services.payments.settings import Settings

ACTOR = "asking-first"
MAY_HAVE_BEEN_SENT = "may_have_been_sent"


class AskingFirst:
    """Takes what one provider may have had already for sent without an answer."""

    def __init__(self, lane: Lane, settings: Settings) -> None:
        self._lane = lane
        self._settings = settings

    async def step(self) -> int:
        """Move one set to unknown; returns how many."""
        provider_number = await self._lane.provider_number()
        async with self._lane.database.transaction() as session:
            picked = await pick_ready(
                session,
                provider=self._lane.adapter.code,
                provider_number=provider_number,
                size=self._settings.dispatch_claim_size,
                perhaps_sent=True,
            )
            await self._lane.moves.make(
                session,
                [
                    Move(each.order.instruction_id, Status.UNKNOWN, reason=MAY_HAVE_BEEN_SENT)
                    for each in picked
                ],
                actor=ACTOR,
            )
        return len(picked)
