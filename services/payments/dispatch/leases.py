"""Senders that did not come back: what they were about to send is given up as unknown."""

from services.payments.dispatch.repository import pick_expired
from services.payments.instructions.moves import InstructionMoves, Move
from services.payments.instructions.states import Status
from shared.database import Database

ACTOR = "lease"


class Leases:
    """Gives up on senders whose lease has ended."""

    def __init__(self, *, database: Database, moves: InstructionMoves, size: int) -> None:
        self._database = database
        self._moves = moves
        self._size = size

    async def step(self) -> int:
        """Move instructions whose lease has ended to unknown; returns how many."""
        async with self._database.transaction() as session:
            expired = await pick_expired(session, size=self._size)
            await self._moves.make(
                session,
                [
                    Move(instruction_id, Status.UNKNOWN, reason="sender_lost")
                    for instruction_id in expired
                ],
                actor=ACTOR,
            )
        return len(expired)
