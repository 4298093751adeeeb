"""What sending to one provider and asking it share: whom to speak to, and where answers go."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.answers.recording import Recording
from services.payments.answers.repository import Heard, keep_reasons
from services.payments.dispatch.permits import (
    KnownPauses,
    LeasePermit,
    Stopping,
    seconds_since_boot,
)
from services.payments.dispatch.pipeline import Pipeline
from services.payments.dispatch.repository import Due, Picked, lock_not_known, pick_ready
from services.payments.instructions.moves import InstructionMoves, Move
from services.payments.instructions.repository import lock_known
from services.payments.instructions.states import Status
from services.payments.providers.answers import Answer, AnswerKind
from services.payments.providers.directory import ProviderDirectory
from services.payments.providers.health.noting import Noting
from services.payments.providers.pace.pacing import Pace
from services.payments.providers.pausing import Pausing
from services.payments.providers.protocol import Order, SingleAdapter
from services.payments.settings import ProviderSettings, Settings
from shared.database import Database
from shared.errors import told
from shared.retry import Backoff

log = structlog.get_logger()

Result = TypeVar("Result")

_KEEP_TRYING_SECONDS = 20.0
_TRY_AGAIN = Backoff(first_seconds=0.1, longest_seconds=2)
_CLOSING_SECONDS = 3.0
"""What ending takes beyond the requests that are under way: recording what they brought."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """An order that may be sent, under a lease, by whoever claimed it."""

    order: Order
    position: int
    """Which of the instruction's moves claimed it."""
    permit: LeasePermit
    sent_before: bool
    """Something of it may have left at an earlier time."""
    actor: str


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of a claim: an answer, or that nothing left."""

    claimed: Claimed
    answer: Answer


class Lane:
    """One provider, as a worker deals with it."""

    def __init__(
        self,
        *,
        adapter: SingleAdapter,
        provider: ProviderSettings,
        settings: Settings,
        directory: ProviderDirectory,
        database: Database,
        moves: InstructionMoves,
        recording: Recording,
        noting: Noting,
        pauses: KnownPauses,
        pace: Pace,
        now: Callable[[], float] = seconds_since_boot,
    ) -> None:
        self.adapter = adapter
        self.pace = pace
        self.pausing = Pausing(settings.provider_pause, pace=pace)
        self.stopping = Stopping()
        self.database = database
        self.moves = moves
        self.recording = recording
        self._noting = noting
        self.now = now
        self._provider = provider
        self._settings = settings
        self._directory = directory
        self._pauses = pauses
        self.sends: Pipeline[Sent] = Pipeline(
            self._record,
            places=settings.dispatch_concurrency,
            most=2 * settings.dispatch_claim_size,
            set_size=settings.dispatch_outcomes_size,
            wait_seconds=settings.dispatch_outcomes_wait_seconds,
        )
        """First sendings and resends."""

    async def room(self, pipeline: Pipeline[Any]) -> int:
        """How many more jobs of a pipeline may begin now; 0 while it is left alone, or has to wait.

        Raises what kept outcomes from being recorded since it was last asked.
        """
        if self.pausing.paused:
            return 0
        most = await self.pace.most_ahead()
        if most == 0:
            return 0
        return await pipeline.room(probing=self.pausing.probing, most=most)

    async def provider_number(self) -> int:
        return await self._directory.number_of(self.adapter.code)

    async def claim(self, *, size: int, actor: str) -> list[Claimed]:
        """Move ready instructions to ``sending``; once this returns, they may be sent."""
        permit = self._permit()
        provider_number = await self.provider_number()
        async with self.database.transaction() as session:
            picked = await pick_ready(
                session, provider=self.adapter.code, provider_number=provider_number, size=size
            )
            return await self._intend(session, picked, permit, actor=actor, sent_before=False)

    async def claim_again(self, due: Sequence[Due], *, actor: str) -> list[Claimed]:
        """Move to ``sending`` what the provider does not know, as far as it may be sent again.

        What may not stays unknown, with the reason.
        """
        if not due:
            return []
        permit = self._permit()
        async with self.database.transaction() as session:
            found = await lock_not_known(
                session,
                due,
                recognises_repeats_seconds=self._provider.recognises_repeats_seconds,
                not_known_untrue_seconds=self._provider.not_known_untrue_seconds,
                lease_seconds=self._settings.dispatch_lease_seconds,
            )
            await keep_reasons(
                session,
                {picked.order.instruction_id: kept for picked, kept in found if kept is not None},
            )
            return await self._intend(
                session,
                [picked for picked, kept in found if kept is None],
                permit,
                actor=actor,
                sent_before=True,
                reason="not_known_to_provider",
            )

    def send_all(self, claimed: Sequence[Claimed]) -> None:
        """Have them sent, and what comes of it recorded."""
        for claim in claimed:
            self.sends.start(partial(self.send, claim))

    async def send(self, claimed: Claimed) -> Sent:
        """Send one, unless that is not permitted any more. Never raises."""
        refusal = claimed.permit.refusal()
        if refusal is not None:
            return Sent(claimed, Answer(AnswerKind.NOT_SENT, reason=refusal))
        return Sent(
            claimed,
            await self._heard(
                self.adapter.send(claimed.order, claimed.permit), about=claimed.order.instruction_id
            ),
        )

    async def ask(self, due: Due) -> Answer:
        """Ask about one. Never raises."""
        return await self._heard(
            self.adapter.inquire(due.instruction_id, due.server_correlation_id),
            about=due.instruction_id,
        )

    def note(self, answer: Answer) -> None:
        """Take into account how the provider answered."""
        self.pausing.note(answer)
        self._noting.note(answer)

    async def take(self, answers: Sequence[Heard], *, actor: str) -> None:
        """Store answers, whatever it takes, and apply them."""
        stored = await _insistently(partial(self.recording.store, answers, actor=actor))
        await self.recording.apply(stored)

    async def close(self) -> None:
        """Let no request leave any more, and what is under way end."""
        self.stopping.begun = True
        seconds = self._settings.provider_timeout_seconds + _CLOSING_SECONDS
        await self.sends.close(seconds=seconds, cancel=False)

    def _permit(self) -> LeasePermit:
        may_take_seconds = (
            self._settings.dispatch_lease_seconds - self._settings.provider_timeout_seconds
        )
        return LeasePermit(
            send_before=self.now() + may_take_seconds,
            now=self.now,
            pausing=self.pausing,
            stopping=self.stopping,
            pauses=self._pauses,
            pauses_before=self._pauses.count,
        )

    async def _intend(
        self,
        session: AsyncSession,
        picked: Sequence[Picked],
        permit: LeasePermit,
        *,
        actor: str,
        sent_before: bool,
        reason: str | None = None,
    ) -> list[Claimed]:
        moved = await self.moves.make(
            session,
            [Move(each.order.instruction_id, Status.SENDING, reason=reason) for each in picked],
            actor=actor,
        )
        if not sent_before:
            self._noting.note_sent(
                sum(
                    each.order.money.amount_minor
                    for each in picked
                    if each.order.instruction_id in moved
                )
            )
        return [
            Claimed(each.order, each.moves + 1, permit, sent_before=sent_before, actor=actor)
            for each in picked
            if each.order.instruction_id in moved
        ]

    async def _heard(self, asking: Awaitable[Answer], *, about: object) -> Answer:
        try:
            answer = await asking
        except Exception as error:
            log.error(
                "adapter_failed",
                provider=self.adapter.code,
                instruction_id=str(about),
                error=told(error),
            )
            answer = Answer(AnswerKind.NO_ANSWER, reason="adapter_failed")
        self.note(answer)
        return answer

    async def _record(self, outcomes: Sequence[Sent]) -> None:
        unsent = [sent for sent in outcomes if _has_never_left(sent)]
        if unsent:
            await _insistently(partial(self._give_back, unsent))
        provider_number = await self.provider_number()
        for actor in sorted({sent.claimed.actor for sent in outcomes}):
            answers = [
                Heard(sent.claimed.order.instruction_id, provider_number, sent.answer)
                for sent in outcomes
                if sent.claimed.actor == actor and not _has_never_left(sent)
            ]
            await self.take(answers, actor=actor)

    async def _give_back(self, unsent: Sequence[Sent]) -> None:
        async with self.database.transaction() as session:
            await lock_known(session, [sent.claimed.order.instruction_id for sent in unsent])
            await self.moves.make(
                session,
                [
                    Move(
                        sent.claimed.order.instruction_id,
                        Status.READY,
                        reason=sent.answer.reason,
                        claimed_at_position=sent.claimed.position,
                    )
                    for sent in unsent
                ],
                actor=unsent[0].claimed.actor,
            )


def _has_never_left(sent: Sent) -> bool:
    """Whether it is certain that no request for the instruction ever left."""
    return sent.answer.kind is AnswerKind.NOT_SENT and not sent.claimed.sent_before


async def _insistently(work: Callable[[], Awaitable[Result]]) -> Result:
    """Try again while the database is away or busy: what was heard is nowhere else."""
    began = asyncio.get_running_loop().time()
    failures = 0
    while True:
        try:
            return await work()
        except Exception as error:
            again_in_seconds = _TRY_AGAIN.seconds(failures)
            passed_seconds = asyncio.get_running_loop().time() - began
            if passed_seconds + again_in_seconds > _KEEP_TRYING_SECONDS:
                raise
            log.warning("outcomes_wait_for_the_database", error=told(error))
            failures += 1
            await asyncio.sleep(again_in_seconds)
