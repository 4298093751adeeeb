"""Instructions without an answer: asked about, and sent again if the provider never got them."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar
from uuid import UUID

from services.payments.answers.recording import Heard
from services.payments.dispatch.lane import Lane
from services.payments.dispatch.repository import Due, lock_unknown, pick_due
from services.payments.instructions.states import Status
from services.payments.providers.answers import Answer, AnswerKind
from services.payments.settings import Settings

Asked = TypeVar("Asked")

ACTOR = "inquiry"


class Inquiring:
    """Asks one provider what became of instructions, and resends those that it never got."""

    def __init__(self, lane: Lane, settings: Settings) -> None:
        self._lane = lane
        self._settings = settings

    async def step(self) -> int:
        """Work one set of due instructions; returns how many were asked about."""
        if self._lane.pausing.paused:
            return 0
        provider_number = await self._lane.provider_number()
        async with self._lane.database.transaction() as session:
            due = await pick_due(
                session,
                provider_number=provider_number,
                size=self._settings.inquiry_size,
                waits=self._lane.moves.waits,
                resend_grace_seconds=self._settings.resend_grace_seconds,
            )
        if not due:
            return 0
        answers = await self._each(due, self._ask)
        told = [
            Heard(asked.instruction_id, provider_number, answer)
            for asked, answer in zip(due, answers, strict=True)
            if _tells_something_new(asked, answer)
        ]
        await self._lane.record(told, actor=ACTOR)
        await self._resend(
            [
                asked.instruction_id
                for asked, answer in zip(due, answers, strict=True)
                if answer.kind is AnswerKind.NOT_KNOWN
                and asked.status is Status.UNKNOWN
                and asked.may_be_resent
            ],
            provider_number,
        )
        return len(due)

    async def _ask(self, due: Due) -> Answer:
        return await self._lane.adapter.inquire(due.instruction_id, due.server_correlation_id)

    async def _resend(self, ids: list[UUID], provider_number: int) -> None:
        if not ids:
            return
        async with self._lane.database.transaction() as session:
            orders = await lock_unknown(session, ids)
            await self._lane.intend(session, orders, actor=ACTOR, reason="not_known_to_provider")
        answers = await self._each(orders, self._lane.adapter.send)
        await self._lane.record(
            [
                Heard(order.instruction_id, provider_number, answer)
                for order, answer in zip(orders, answers, strict=True)
            ],
            actor=ACTOR,
        )

    async def _each(
        self, things: Sequence[Asked], ask: Callable[[Asked], Awaitable[Answer]]
    ) -> list[Answer]:
        places = asyncio.Semaphore(self._settings.dispatch_concurrency)

        async def answer_to(thing: Asked) -> Answer:
            async with places:
                if self._lane.pausing.paused:
                    return Answer(AnswerKind.NO_ANSWER, reason="provider_paused")
                answer = await ask(thing)
                self._lane.pausing.note(answer)
                return answer

        return list(await asyncio.gather(*(answer_to(thing) for thing in things)))


def _tells_something_new(due: Due, answer: Answer) -> bool:
    match answer.kind:
        case AnswerKind.SETTLED | AnswerKind.REJECTED:
            return True
        case AnswerKind.PENDING:
            return due.status is Status.UNKNOWN
        case AnswerKind.NOT_KNOWN:
            return due.status is Status.PENDING
        case _:
            return False
