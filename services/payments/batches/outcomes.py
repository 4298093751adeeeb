"""What becomes of a batch and of its lines, each in a transaction of its own. No network here."""

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.answers.recording import Recording
from services.payments.answers.repository import Heard, Waiting, store_answers
from services.payments.batches import repository
from services.payments.batches.approving.repository import note_approval
from services.payments.batches.repository import DueBatch
from services.payments.batches.states import BatchStatus
from services.payments.instructions.moves import InstructionMoves, Move
from services.payments.instructions.repository import Known
from services.payments.instructions.states import Status
from services.payments.providers.answers import Answer, AnswerKind
from services.payments.providers.batches import BatchAnswer
from services.payments.providers.directory import ProviderDirectory
from shared.database import Database

log = structlog.get_logger()

ACTOR = "batches"


class BatchOutcomes:
    """Moves the batches of one provider, and their lines with them."""

    def __init__(
        self,
        *,
        provider: str,
        directory: ProviderDirectory,
        database: Database,
        moves: InstructionMoves,
        recording: Recording,
    ) -> None:
        self._code = provider
        self._directory = directory
        self._database = database
        self._moves = moves
        self._recording = recording

    async def refuse(self, batch: DueBatch, answer: BatchAnswer) -> None:
        """What was refused whole is paid by other batches, or is a payment that was rejected."""
        reason = answer.reason or "refused_without_reason"
        if answer.passes:
            await self.give_back(batch, BatchStatus.REFUSED, reason=reason)
            return
        stored: list[Waiting] = []
        number = await self._directory.number_of(self._code)
        async with self._database.transaction() as session:
            if not await self._moved(session, batch, BatchStatus.REFUSED, reason=reason):
                return
            lines = await self._lock_open_lines(session, batch)
            if len(lines) == 1:
                [(known, _)] = lines
                rejected = Answer(AnswerKind.REJECTED, reason=reason)
                heard = [Heard(known.instruction_id, number, rejected)]
                stored = await store_answers(session, heard, actor=ACTOR)
            else:
                await repository.split(session, batch, at=self._moves.clock.now())
        await self._recording.apply(stored)

    async def give_back(self, batch: DueBatch, status: BatchStatus, *, reason: str | None) -> None:
        """Nothing of it is paid: its lines are ready again, for another batch."""
        async with self._database.transaction() as session:
            if not await self._moved(session, batch, status, reason=reason):
                return
            lines = await self._lock_open_lines(session, batch)
            await self._moves.make(
                session,
                [
                    Move(
                        known.instruction_id,
                        Status.READY,
                        reason=reason,
                        claimed_at_position=position,
                    )
                    for known, position in lines
                ],
                actor=ACTOR,
            )

    async def close(self, batch: DueBatch, *, reason: str) -> None:
        """Nobody knows what became of the lines that have no result: each is unknown."""
        async with self._database.transaction() as session:
            if not await self._moved(session, batch, BatchStatus.CLOSED, reason=reason):
                return
            lines = await self._lock_open_lines(session, batch)
            await self._moves.make(
                session,
                [Move(known.instruction_id, Status.UNKNOWN, reason=reason) for known, _ in lines],
                actor=ACTOR,
            )
        log.warning("batch_without_results", batch=str(batch.name.batch_id), lines=len(lines))

    async def leave_out(self, batch: DueBatch, answer: BatchAnswer) -> None:
        """Lines whose accounts could not be opened were not in what was sent."""
        if not answer.left_out:
            return
        number = await self._directory.number_of(self._code)
        waiting = {
            line for line, said in answer.left_out.items() if said.kind is AnswerKind.NOT_SENT
        }
        async with self._database.transaction() as session:
            lines = await self._lock_open_lines(session, batch)
            await self._moves.make(
                session,
                [
                    Move(
                        known.instruction_id,
                        Status.READY,
                        reason=answer.left_out[known.instruction_id].reason,
                        claimed_at_position=position,
                    )
                    for known, position in lines
                    if known.instruction_id in waiting
                ],
                actor=ACTOR,
            )
        held = [
            Heard(line, number, said)
            for line, said in answer.left_out.items()
            if line not in waiting
        ]
        await self._recording.take(held, actor=ACTOR)

    async def move(
        self,
        batch: DueBatch,
        target: BatchStatus,
        *,
        answer: BatchAnswer | None = None,
        reason: str | None = None,
        seconds: float = 0,
    ) -> bool:
        """Move a batch by what was answered; whether nobody was faster."""
        async with self._database.transaction() as session:
            return await self._moved(
                session, batch, target, answer=answer, reason=reason, seconds=seconds
            )

    async def _moved(
        self,
        session: AsyncSession,
        batch: DueBatch,
        target: BatchStatus,
        *,
        answer: BatchAnswer | None = None,
        reason: str | None = None,
        seconds: float = 0,
    ) -> bool:
        return await repository.move_batch(
            session,
            batch.number,
            target,
            position=batch.position,
            at=self._moves.clock.now(),
            actor=ACTOR,
            wait_seconds=seconds,
            reason=reason or (answer.reason if answer else None),
            provider_batch_id=answer.provider_batch_id if answer else None,
            server_correlation_id=answer.server_correlation_id if answer else None,
        )

    async def wait(
        self,
        batch: DueBatch,
        seconds: float,
        *,
        answer: BatchAnswer | None = None,
        reason: str | None = None,
        is_new: bool = False,
    ) -> None:
        """Look at a batch again after so long."""
        async with self._database.transaction() as session:
            await repository.wait(
                session,
                batch.number,
                position=batch.position,
                seconds=seconds,
                is_new=is_new,
                reason=reason or (answer.reason if answer else None),
                provider_batch_id=answer.provider_batch_id if answer else None,
                server_correlation_id=answer.server_correlation_id if answer else None,
            )

    async def _lock_open_lines(
        self, session: AsyncSession, batch: DueBatch
    ) -> list[tuple[Known, int]]:
        return await repository.lock_open_lines(
            session, number=batch.number, chunk_number=batch.chunk_number
        )

    async def has_open_lines(self, batch: DueBatch) -> bool:
        """Whether some of its lines have no result."""
        async with self._database.transaction() as session:
            return bool(await self._lock_open_lines(session, batch))

    async def is_cancelled(self, batch: DueBatch) -> bool:
        """Whether the activation that it is for was cancelled."""
        async with self._database.transaction() as session:
            return await repository.is_cancelled(session, batch.chunk_number)

    async def note_approval(self, batch: DueBatch) -> bool:
        """Note that an approval is about to leave; whether it may."""
        async with self._database.transaction() as session:
            return await note_approval(session, batch.number, position=batch.position)

    async def is_paused(self, batch: DueBatch) -> bool:
        """Whether a line of it is paused."""
        async with self._database.transaction() as session:
            return await repository.is_paused(session, batch)
