"""Recording what providers answered, in sets: whoever heard it, and however late or often."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.alarms.repository import Alarm, raise_alarms
from services.payments.alarms.tables import AlarmKind
from services.payments.chunks.reopening import reopen_chunks
from services.payments.instructions.decisions import Decision, Known, decide
from services.payments.instructions.moves import Move, Waits, move
from services.payments.instructions.states import Status
from services.payments.ledger.repository import is_overdraft
from services.payments.providers.answers import Answer

_LOCK = text(
    """
    SELECT instruction.id, instruction.status::text AS status, instruction.amount_minor,
           chunk.currency, instruction.chunk_number, instruction.provider_number,
           instruction.transaction_reference
    FROM payments.instruction
    JOIN payments.chunk ON chunk.number = instruction.chunk_number
    WHERE instruction.id = ANY(:ids)
    ORDER BY instruction.id
    FOR NO KEY UPDATE OF instruction
    """
)

_INQUIRE_NOW = text(
    """
    UPDATE payments.instruction SET next_action_at = clock_timestamp()
    WHERE id = ANY(:ids) AND status IN ('pending', 'unknown')
    """
)


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


async def lock_known(session: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, Known]:
    """Lock instructions, in the order of their ids, and read what is known of them."""
    rows = await session.execute(_LOCK, {"ids": list(ids)})
    return {
        row.id: Known(
            instruction_id=row.id,
            status=Status(row.status),
            amount_minor=row.amount_minor,
            currency=row.currency,
            chunk_number=row.chunk_number,
            provider_number=row.provider_number,
            transaction_reference=row.transaction_reference,
        )
        for row in rows
    }


async def record_answers(
    session: AsyncSession,
    answers: Sequence[Heard],
    *,
    actor: str,
    at: datetime,
    waits: Waits,
) -> list[Recorded]:
    """Record answers, in order where several speak of one instruction; one result for each."""
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
        blocked = await _carry_out(session, decisions, actor=actor, at=at, waits=waits)
        for instruction_id in blocked:
            results[first[instruction_id]] = Recorded.BLOCKED
        taken = set(first.values())
        waiting = [index for index in waiting if index not in taken]
    return results


async def _carry_out(
    session: AsyncSession,
    decisions: Sequence[tuple[Known, Answer, Decision]],
    *,
    actor: str,
    at: datetime,
    waits: Waits,
) -> set[UUID]:
    moves: list[Move] = []
    late: list[tuple[Known, Move]] = []
    alarms: list[Alarm] = []
    inquiries: list[UUID] = []
    for known, answer, decision in decisions:
        if decision.alarm:
            alarms.append(Alarm(known.instruction_id, decision.alarm, decision.alarm_detail))
        if decision.inquire:
            inquiries.append(known.instruction_id)
        if decision.target is None:
            continue
        one = Move(
            known.instruction_id,
            decision.target,
            reason=decision.reason,
            transaction_reference=answer.transaction_reference,
            server_correlation_id=answer.server_correlation_id,
        )
        if known.status is Status.REJECTED:
            late.append((known, one))
        else:
            moves.append(one)
    await move(session, moves, actor=actor, at=at, waits=waits)
    blocked = {
        known.instruction_id
        for known, one in late
        if not await _hold_late_success(session, known, one, actor=actor, at=at, waits=waits)
    }
    alarms += [
        Alarm(
            instruction_id,
            AlarmKind.CANNOT_POST,
            "The provider paid it after rejecting it, and the float or the fund is too low to "
            "record that. Top them up; it is tried again by itself.",
        )
        for instruction_id in blocked
    ]
    await raise_alarms(session, alarms, at=at)
    if inquiries:
        await session.execute(_INQUIRE_NOW, {"ids": inquiries})
    return blocked


async def _hold_late_success(
    session: AsyncSession, known: Known, late: Move, *, actor: str, at: datetime, waits: Waits
) -> bool:
    # The one move from an answer that takes money from accounts which others may have emptied.
    try:
        async with session.begin_nested():
            await reopen_chunks(session, [known.chunk_number])
            await move(session, [late], actor=actor, at=at, waits=waits)
    except IntegrityError as error:
        if not is_overdraft(error):
            raise
        return False
    return True
