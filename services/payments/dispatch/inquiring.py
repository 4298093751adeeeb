"""Instructions without an answer: asked about, and sent again if the provider never got them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from services.payments.answers.repository import Heard
from services.payments.dispatch.lane import Lane
from services.payments.dispatch.pipeline import Pipeline
from services.payments.dispatch.repository import Due, pick_due
from services.payments.instructions.states import Status
from services.payments.providers.answers import Answer, AnswerKind
from services.payments.settings import Settings

ACTOR = "inquiry"

_CLOSING_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of asking about an instruction; None: it was not asked about after all."""

    due: Due
    answer: Answer | None


class Inquiring:
    """Asks one provider what became of instructions, and resends those that it never got."""

    def __init__(self, lane: Lane, settings: Settings) -> None:
        self._lane = lane
        self._asking: set[UUID] = set()
        self.asks: Pipeline[Asked] = Pipeline(
            self._record,
            # The other half of the lines stays free for sending, however slow answers are.
            places=max(1, settings.dispatch_concurrency // 2),
            most=settings.inquiry_size,
            set_size=settings.dispatch_outcomes_size,
            wait_seconds=settings.dispatch_outcomes_wait_seconds,
        )

    async def step(self) -> int:
        """Begin to ask about what is due; returns how many instructions that were."""
        lane = self._lane
        size = await lane.room(self.asks)
        if not size:
            return 0
        provider_number = await lane.provider_number()
        async with lane.database.transaction() as session:
            picked = await pick_due(
                session,
                provider_number=provider_number,
                size=size,
                besides=self._asking,
                waits=lane.moves.waits,
            )
        for due in picked:
            self._asking.add(due.instruction_id)
            self.asks.start(partial(self._ask, due))
        return len(picked)

    async def close(self) -> None:
        """Ask nothing more. A question that is cut off is asked again."""
        await self.asks.close(seconds=_CLOSING_SECONDS, cancel=True)

    async def _ask(self, due: Due) -> Asked:
        try:
            if self._lane.pausing.paused or self._lane.stopping.begun:
                return Asked(due, None)
            return Asked(due, await self._lane.ask(due))
        finally:
            self._asking.discard(due.instruction_id)

    async def _record(self, outcomes: Sequence[Asked]) -> None:
        provider_number = await self._lane.provider_number()
        told = [
            Heard(asked.due.instruction_id, provider_number, asked.answer)
            for asked in outcomes
            if asked.answer is not None and _tells_something_new(asked.due, asked.answer)
        ]
        await self._lane.take(told, actor=ACTOR)
        if self._lane.stopping.begun:
            return
        not_known = [
            asked.due
            for asked in outcomes
            if asked.answer is not None
            and asked.answer.kind is AnswerKind.NOT_KNOWN
            and asked.due.status is Status.UNKNOWN
        ]
        self._lane.send_all(await self._lane.claim_again(not_known, actor=ACTOR))


def _tells_something_new(due: Due, answer: Answer) -> bool:
    match answer.kind:
        case AnswerKind.SETTLED | AnswerKind.REJECTED:
            return True
        case AnswerKind.PENDING:
            return due.status is Status.UNKNOWN or answer.reason not in (None, due.reason)
        case AnswerKind.NOT_KNOWN:
            return due.status is Status.PENDING
        case _:
            return False
