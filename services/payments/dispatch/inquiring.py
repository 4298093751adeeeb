"""Instructions without an answer: given up as unknown, asked about, and sent again if need be."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar
from uuid import UUID

from services.payments.dispatch.lane import Lane, waits_from
from services.payments.dispatch.repository import Due, lock_unknown, pick_due, pick_expired
from services.payments.instructions.moves import Move, move
from services.payments.instructions.recording import Heard
from services.payments.instructions.states import Status
from services.payments.providers.answers import Answer, AnswerKind
from services.payments.settings import Settings
from shared.clock import Clock
from shared.database import Database

Asked = TypeVar("Asked")

INQUIRY = "inquiry"
LEASE = "lease"


class Leases:
    """Gives up on senders that did not come back."""

    def __init__(self, *, database: Database, clock: Clock, settings: Settings) -> None:
        self._database = database
        self._clock = clock
        self._size = settings.inquiry_size
        self._waits = waits_from(settings)

    async def step(self) -> int:
        """Move instructions whose lease has ended to unknown."""
        async with self._database.transaction() as session:
            expired = await pick_expired(session, size=self._size)
            await move(
                session,
                [Move(one, Status.UNKNOWN, reason="sender_lost") for one in expired],
                actor=LEASE,
                at=self._clock.now(),
                waits=self._waits,
            )
        return len(expired)


class Inquiring:
    """Asks one provider what became of instructions, and resends those that it never got."""

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._settings = lane.settings

    async def step(self) -> int:
        """Work one set of due instructions; returns how many were asked about."""
        if self._lane.health.paused:
            return 0
        provider_number = await self._lane.provider_number()
        async with self._lane.database.transaction() as session:
            due = await pick_due(
                session,
                provider_number=provider_number,
                size=self._settings.inquiry_size,
                waits=self._lane.waits,
                resend_grace_seconds=self._settings.resend_grace_seconds,
            )
        if not due:
            return 0
        answers = await self._each(due, self._ask)
        told = [
            Heard(one.instruction_id, provider_number, answer)
            for one, answer in zip(due, answers, strict=True)
            if _tells_something_new(one, answer)
        ]
        await self._lane.record(told, actor=INQUIRY)
        await self._resend(
            [
                one.instruction_id
                for one, answer in zip(due, answers, strict=True)
                if answer.kind is AnswerKind.NOT_KNOWN
                and one.status is Status.UNKNOWN
                and one.may_be_resent
            ],
            provider_number,
        )
        return len(due)

    async def _ask(self, due: Due) -> Answer:
        return await self._lane.client.inquire(due.instruction_id, due.server_correlation_id)

    async def _resend(self, ids: list[UUID], provider_number: int) -> None:
        if not ids:
            return
        async with self._lane.database.transaction() as session:
            orders = await lock_unknown(session, ids)
            await self._lane.intend(session, orders, actor=INQUIRY, reason="not_known_to_provider")
        answers = await self._each(orders, self._lane.client.send)
        await self._lane.record(
            [
                Heard(order.instruction_id, provider_number, answer)
                for order, answer in zip(orders, answers, strict=True)
            ],
            actor=INQUIRY,
        )

    async def _each(
        self, things: Sequence[Asked], ask: Callable[[Asked], Awaitable[Answer]]
    ) -> list[Answer]:
        places = asyncio.Semaphore(self._settings.dispatch_concurrency)

        async def one(thing: Asked) -> Answer:
            async with places:
                if self._lane.health.paused:
                    return Answer(AnswerKind.NO_ANSWER, reason="provider_paused")
                answer = await ask(thing)
                self._lane.health.note(answer)
                return answer

        return list(await asyncio.gather(*(one(thing) for thing in things)))


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
