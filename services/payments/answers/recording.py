"""Recording what providers answered, in sets: whoever heard it, and however late or often."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.alarms.repository import NewAlarm, raise_alarms
from services.payments.alarms.tables import AlarmKind
from services.payments.answers.decisions import Decision, decide, other_amount
from services.payments.answers.repository import inquire_now
from services.payments.instructions.moves import InstructionMoves, Move
from services.payments.instructions.repository import Known, lock_known
from services.payments.instructions.states import Status
from services.payments.ledger.repository import is_overdraft
from services.payments.providers.answers import Answer
from services.payments.settlement.reopening import reopen_chunks


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer about an instruction, and the provider that gave it."""

    instruction_id: UUID
    provider_number: int
    answer: Answer


class Recorded(StrEnum):
    """What became of an answer."""

    APPLIED = "applied"
    UNMATCHED = "unmatched"
    """There is no such instruction here, or it is at another provider."""
    BLOCKED = "blocked"
    """True, but an account would be overdrawn by it: to be tried again."""


class Recording:
    """Applies answers to the instructions that they speak of."""

    def __init__(self, moves: InstructionMoves) -> None:
        self._moves = moves

    async def record(
        self, session: AsyncSession, answers: Sequence[Heard], *, actor: str
    ) -> list[Recorded]:
        """Record answers, in order where several speak of one instruction; a result for each."""
        results = [Recorded.APPLIED] * len(answers)
        waiting = list(range(len(answers)))
        while waiting:
            first: dict[UUID, int] = {}
            for index in waiting:
                first.setdefault(answers[index].instruction_id, index)
            locked = await lock_known(session, list(first))
            decisions: list[tuple[Known, Answer, Decision]] = []
            for instruction_id, index in first.items():
                heard, known = answers[index], locked.get(instruction_id)
                # A provider speaks for its own payments only.
                if known is None or known.provider_number != heard.provider_number:
                    results[index] = Recorded.UNMATCHED
                else:
                    decisions.append((known, heard.answer, decide(known, heard.answer)))
            for instruction_id in await self._carry_out(session, decisions, actor=actor):
                results[first[instruction_id]] = Recorded.BLOCKED
            taken = set(first.values())
            waiting = [index for index in waiting if index not in taken]
        return results

    async def _carry_out(
        self,
        session: AsyncSession,
        decisions: Sequence[tuple[Known, Answer, Decision]],
        *,
        actor: str,
    ) -> set[UUID]:
        moves: list[Move] = []
        late: list[tuple[Known, Move]] = []
        alarms: list[NewAlarm] = []
        inquiries: list[UUID] = []
        for known, answer, decision in decisions:
            if decision.alarm:
                alarms.append(NewAlarm(known.instruction_id, decision.alarm, decision.alarm_detail))
            if decision.inquire:
                inquiries.append(known.instruction_id)
            if decision.target is None:
                continue
            move = Move(
                known.instruction_id,
                decision.target,
                reason=decision.reason,
                transaction_reference=answer.transaction_reference,
                server_correlation_id=answer.server_correlation_id,
                paid_minor=other_amount(known, answer) if decision.target is Status.HELD else None,
            )
            if known.status is Status.REJECTED:
                late.append((known, move))
            else:
                moves.append(move)
        await self._moves.make(session, moves, actor=actor)
        blocked = {
            known.instruction_id
            for known, move in late
            if not await self._hold_late_success(session, known, move, actor=actor)
        }
        alarms += [
            NewAlarm(
                instruction_id,
                AlarmKind.CANNOT_POST,
                "The provider paid it after rejecting it, and the float or the fund is too low to "
                "record that. Top them up; it is tried again by itself.",
            )
            for instruction_id in blocked
        ]
        await raise_alarms(session, alarms, at=self._moves.clock.now())
        if inquiries:
            await inquire_now(session, inquiries)
        return blocked

    async def _hold_late_success(
        self, session: AsyncSession, known: Known, late: Move, *, actor: str
    ) -> bool:
        # The one move from an answer that takes money from accounts which others may have emptied.
        try:
            async with session.begin_nested():
                await reopen_chunks(session, [known.chunk_number], at=self._moves.clock.now())
                await self._moves.make(session, [late], actor=actor)
        except IntegrityError as error:
            if not is_overdraft(error):
                raise
            return False
        return True
