"""Stopping what was not sent of an activation that was cancelled, whenever it was announced."""

from datetime import date

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.activations.repository import (
    lock_announced_chunks,
    lock_ready,
    lock_waiting_rounds,
)
from services.payments.chunks.repository import move_chunks
from services.payments.chunks.states import ChunkStatus
from services.payments.instructions.moves import InstructionMoves, Move
from services.payments.instructions.states import Status
from services.payments.rounds.repository import move_round
from services.payments.rounds.states import RoundStatus
from shared.contracts.events import ChunkRefused
from shared.database import Database
from shared.events import publish_all

log = structlog.get_logger()

ACTOR = "cancellation"
ACTIVATION_CANCELLED = "activation_cancelled"
"""By what such payments are counted."""


class Cancelling:
    """Refuses rounds and chunks of cancelled activations, and cancels what is ready, in sets."""

    def __init__(self, *, database: Database, moves: InstructionMoves, size: int = 2_000) -> None:
        self._database = database
        self._moves = moves
        self._size = size

    async def step(self) -> int:
        """Stop some of what there is to be stopped; returns how many things that were."""
        async with self._database.transaction() as session:
            rounds = await self._refuse_rounds(session)
            chunks = await self._refuse_chunks(session)
            ready = await lock_ready(session, size=self._size)
            moved = await self._moves.make(
                session,
                [
                    Move(instruction_id, Status.CANCELLED, reason=ACTIVATION_CANCELLED)
                    for instruction_id in ready
                ],
                actor=ACTOR,
            )
        stopped = rounds + chunks + len(moved)
        if stopped:
            log.info("activation_stopped", rounds=rounds, chunks=chunks, instructions=len(moved))
        return stopped

    async def _refuse_rounds(self, session: AsyncSession) -> int:
        waiting = await lock_waiting_rounds(session)
        for row in waiting:
            await move_round(
                session,
                row.number,
                RoundStatus.REFUSED,
                at=self._moves.clock.now(),
                reason=_reason(row.cancelled_on),
            )
        return len(waiting)

    async def _refuse_chunks(self, session: AsyncSession) -> int:
        announced = await lock_announced_chunks(session)
        for row in announced:
            await move_chunks(
                session,
                [row.number],
                ChunkStatus.REFUSED,
                at=self._moves.clock.now(),
                reason=_reason(row.cancelled_on),
            )
        await publish_all(
            session,
            [
                ChunkRefused(
                    chunk_id=row.chunk_id,
                    activation_id=row.activation_id,
                    reason=_reason(row.cancelled_on),
                )
                for row in announced
            ],
            clock=self._moves.clock,
        )
        return len(announced)


def _reason(cancelled_on: date) -> str:
    return f"Its activation was cancelled on {cancelled_on}: nothing of it is sent any more."
