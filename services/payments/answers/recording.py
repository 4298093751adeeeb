"""Recording what providers answered: stored first, then applied, in sets.

What was heard is committed before anything follows from it, and applied until it is. Every
transaction that applies moves instructions once, so that accounts are always locked in one order.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

import structlog
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.alarms.repository import NewAlarm, raise_alarms
from services.payments.alarms.tables import AlarmKind
from services.payments.answers.decisions import Decision, decide, other_amount
from services.payments.answers.repository import (
    Heard,
    Waiting,
    inquire_now,
    keep_reasons,
    mark_applied,
    pick_answers,
    put_off,
    settled_by_reference,
    store_answers,
)
from services.payments.instructions.moves import InstructionMoves, Move
from services.payments.instructions.repository import Known, lock_known
from services.payments.instructions.states import Status
from services.payments.ledger.repository import is_overdraft
from services.payments.providers.answers import AnswerKind
from services.payments.providers.directory import ProviderDirectory
from services.payments.settlement.reopening import reopen_chunks
from shared.database import Database, is_away, may_pass
from shared.errors import told

log = structlog.get_logger()

_CANNOT_POST = (
    "The provider says that it paid it, and the float or the fund is too low to record that. "
    "Top them up; it is tried again by itself."
)
_UNMATCHED = "There is no such instruction here, or it is at another provider."


class Recorded(StrEnum):
    """What became of an answer."""

    APPLIED = "applied"
    UNMATCHED = "unmatched"
    """There is no such instruction here, or it is at another provider: to be tried again."""
    BLOCKED = "blocked"
    """It cannot be applied now, such as for an account that would be overdrawn: as well."""


@dataclass(slots=True)
class _Set:
    """What one transaction makes of answers."""

    decided: list[tuple[Waiting, Known, Decision]] = field(default_factory=list)
    unmatched: list[Waiting] = field(default_factory=list)
    too_early: list[Waiting] = field(default_factory=list)
    alone: list[Waiting] = field(default_factory=list)
    """Each of these needs a transaction of its own."""
    later: list[Waiting] = field(default_factory=list)
    """Another answer about the same instruction, or another part of the service, comes first."""

    def set_apart_late_successes(self) -> None:
        """Each takes money from accounts that others may have emptied, and opens its chunk."""
        together = []
        for answer, known, decision in self.decided:
            if _is_late(known, decision):
                self.alone.append(answer)
            else:
                together.append((answer, known, decision))
        self.decided = together


class _AppliedAlready(Exception):
    """Somebody else took one of the answers up again, and was faster."""


class Recording:
    """Stores answers, and applies them to the instructions that they speak of."""

    def __init__(
        self, *, database: Database, moves: InstructionMoves, directory: ProviderDirectory
    ) -> None:
        self._database = database
        self._moves = moves
        self._directory = directory

    async def take(self, answers: Sequence[Heard], *, actor: str) -> list[Recorded]:
        """Store answers and apply them; what became of each. Those not applied are kept."""
        return await self.apply(await self.store(answers, actor=actor))

    async def store(self, answers: Sequence[Heard], *, actor: str) -> list[Waiting]:
        """Keep answers; returns once that is committed."""
        if not answers:
            return []
        async with self._database.transaction() as session:
            return await store_answers(session, answers, actor=actor)

    async def pick(self, *, size: int) -> list[Waiting]:
        """Stored answers that nobody has applied."""
        async with self._database.transaction() as session:
            return await pick_answers(session, size=size)

    async def apply(self, answers: Sequence[Waiting]) -> list[Recorded]:
        """Apply stored answers; what became of each. Raises where the database is away."""
        results = dict.fromkeys((answer.number for answer in answers), Recorded.APPLIED)
        waiting = list(answers)
        while waiting:
            try:
                done = await self._apply_set(waiting)
            except Exception as error:
                if is_away(error):
                    raise
                log.warning("answers_applied_singly", answers=len(waiting), error=told(error))
                done = _Set(alone=waiting)
            for answer in done.unmatched:
                results[answer.number] = Recorded.UNMATCHED
            for answer in done.too_early:
                results[answer.number] = Recorded.BLOCKED
            for answer in done.alone:
                results[answer.number] = await self._apply_singly(answer)
            waiting = done.later
        return list(results.values())

    async def _apply_singly(self, answer: Waiting) -> Recorded:
        try:
            done = await self._apply_set([answer], alone=True)
        except _AppliedAlready:
            return Recorded.APPLIED
        except Exception as error:
            if is_away(error):
                raise
            await self._keep(answer, error)
            return Recorded.BLOCKED
        if done.too_early:
            return Recorded.BLOCKED
        return Recorded.UNMATCHED if done.unmatched else Recorded.APPLIED

    async def _apply_set(self, answers: Sequence[Waiting], *, alone: bool = False) -> _Set:
        await self._directory.numbers()
        async with self._database.transaction() as session:
            work = await self._decide(session, answers)
            if not alone:
                work.set_apart_late_successes()
            await self._carry_out(session, work)
        return work

    async def _decide(self, session: AsyncSession, answers: Sequence[Waiting]) -> _Set:
        work = _Set()
        first: dict[UUID, Waiting] = {}
        for answer in answers:
            same_actor = answer.actor == answers[0].actor
            if not same_actor or answer.heard.instruction_id in first:
                work.later.append(answer)
            else:
                first[answer.heard.instruction_id] = answer
        locked = await lock_known(session, list(first))
        owners = await settled_by_reference(session, _references(first.values()))
        for instruction_id, answer in first.items():
            known, heard = locked.get(instruction_id), answer.heard
            # A provider speaks for its own payments only.
            if known is None or known.provider_number != heard.provider_number:
                work.unmatched.append(answer)
                continue
            settings = self._directory.settings_of(known.provider_number)
            reference = (known.provider_number, heard.answer.transaction_reference or "")
            decision = decide(
                known,
                heard.answer,
                returns_our_reference=settings is None or settings.returns_our_reference,
                reference_is_taken=owners.get(reference, instruction_id) != instruction_id,
            )
            if decision.target is Status.SETTLED and heard.answer.transaction_reference:
                owners[reference] = instruction_id
            if decision.wait:
                work.too_early.append(answer)
            else:
                work.decided.append((answer, known, decision))
        return work

    async def _carry_out(self, session: AsyncSession, work: _Set) -> None:
        at = self._moves.clock.now()
        late = [
            known.chunk_number for _, known, decided in work.decided if _is_late(known, decided)
        ]
        if late:
            await reopen_chunks(session, late, at=at)
        moves = [
            _move(answer.heard, known, decision, decision.target)
            for answer, known, decision in work.decided
            if decision.target is not None
        ]
        if moves:
            await self._moves.make(session, moves, actor=work.decided[0][0].actor)
        alarms = [
            NewAlarm(known.instruction_id, decision.alarm, decision.alarm_detail)
            for _, known, decision in work.decided
            if decision.alarm
        ]
        alarms += [
            NewAlarm(answer.heard.instruction_id, AlarmKind.ANSWER_NOT_APPLIED, _UNMATCHED)
            for answer in work.unmatched
        ]
        await raise_alarms(session, alarms, at=at)
        inquiries = [
            known.instruction_id for _, known, decision in work.decided if decision.inquire
        ]
        if inquiries:
            await inquire_now(session, inquiries)
        await keep_reasons(
            session,
            {
                known.instruction_id: decision.reason
                for _, known, decision in work.decided
                if decision.target is None and decision.reason
            },
        )
        applied = [answer.number for answer, _, _ in work.decided]
        # The instructions are locked: whoever applied one of these before has committed.
        if applied and not await mark_applied(session, applied):
            raise _AppliedAlready
        if later := [*work.unmatched, *work.too_early]:
            await put_off(session, [answer.number for answer in later])

    async def _keep(self, answer: Waiting, error: Exception) -> None:
        """An answer that could not be applied waits, with an alarm where it may not pass."""
        instruction_id = answer.heard.instruction_id
        log.error(
            "answer_not_applied",
            number=answer.number,
            instruction_id=str(instruction_id),
            error=told(error),
        )
        async with self._database.transaction() as session:
            alarms: list[NewAlarm] = []
            if isinstance(error, IntegrityError) and is_overdraft(error):
                alarms = [
                    NewAlarm(known.instruction_id, decision.alarm, decision.alarm_detail)
                    for _, known, decision in (await self._decide(session, [answer])).decided
                    if decision.alarm
                ]
                alarms.append(NewAlarm(instruction_id, AlarmKind.CANNOT_POST, _CANNOT_POST))
            elif not may_pass(error):
                detail = f"It is kept and tried again by itself: {told(error)}."
                alarms = [NewAlarm(instruction_id, AlarmKind.ANSWER_NOT_APPLIED, detail)]
            await raise_alarms(session, alarms, at=self._moves.clock.now())
            await put_off(session, [answer.number])


def _is_late(known: Known, decision: Decision) -> bool:
    return known.status is Status.REJECTED and decision.target is not None


def _references(answers: Iterable[Waiting]) -> set[tuple[int, str]]:
    return {
        (answer.heard.provider_number, answer.heard.answer.transaction_reference)
        for answer in answers
        if answer.heard.answer.kind is AnswerKind.SETTLED
        and answer.heard.answer.transaction_reference
    }


def _move(heard: Heard, known: Known, decision: Decision, target: Status) -> Move:
    return Move(
        known.instruction_id,
        target,
        reason=decision.reason,
        transaction_reference=(
            None if decision.reference_is_anothers else heard.answer.transaction_reference
        ),
        server_correlation_id=heard.answer.server_correlation_id,
        paid_minor=other_amount(known, heard.answer) if target is Status.HELD else None,
    )
