"""What may have been sent before the database lost it: asked about before it is sent.

An instruction whose chunk was announced in an earlier epoch of the event log is not known to be
unsent, whatever its row says. It becomes ``unknown``, as if its answer had been lost. Where a
provider takes batches, nobody can ask it about one of which we have lost the id: persons decide, by
its statement.
"""

from services.payments.dispatch.repository import pick_ready
from services.payments.instructions.moves import InstructionMoves, Move
from services.payments.instructions.states import MAY_HAVE_BEEN_SENT, Status
from services.payments.providers.directory import ProviderDirectory
from shared.database import Database

ACTOR = "asking-first"


class AskingFirst:
    """Takes what one provider may have had already for sent without an answer."""

    def __init__(
        self,
        *,
        provider: str,
        directory: ProviderDirectory,
        database: Database,
        moves: InstructionMoves,
        size: int,
        has_stand_ins: bool = False,
    ) -> None:
        self._provider = provider
        self._directory = directory
        self._database = database
        self._moves = moves
        self._size = size
        self._has_stand_ins = has_stand_ins

    async def step(self) -> int:
        """Move one set to unknown; returns how many."""
        provider_number = await self._directory.number_of(self._provider)
        async with self._database.transaction() as session:
            picked = await pick_ready(
                session,
                provider=self._provider,
                provider_number=provider_number,
                size=self._size,
                perhaps_sent=True,
                asked_elsewhere_first=self._has_stand_ins,
            )
            await self._moves.make(
                session,
                [
                    Move(each.order.instruction_id, Status.UNKNOWN, reason=MAY_HAVE_BEEN_SENT)
                    for each in picked
                ],
                actor=ACTOR,
            )
        return len(picked)
