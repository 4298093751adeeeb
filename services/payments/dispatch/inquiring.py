"""Instructions without an answer: given up as unknown, asked about, and sent again if need be."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar
from uuid import UUID

from services.payments.dispatch.repository import Due, lock_unknown, pick_due, pick_expired
from services.payments.dispatch.sending import waits_from
from services.payments.instructions.moves import Move, move
from services.payments.instructions.recording import Heard, record_answers
from services.payments.instructions.states import Status
from services.payments.providers.answers import Answer, AnswerKind
from services.payments.providers.client import Order, ProviderClient
from services.payments.providers.directory import ProviderDirectory
from services.payments.providers.health import ProviderHealth
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

    def __init__(
        self,
        client: ProviderClient,
        *,
        directory: ProviderDirectory,
        health: ProviderHealth,
        database: Database,
        clock: Clock,
        settings: Settings,
    ) -> None:
        self._client = client
        self._directory = directory
        self._health = health
        self._database = database
        self._clock = clock
        self._settings = settings
        self._waits = waits_from(settings)

    async def step(self) -> int:
        """Work one set of due instructions; returns how many were asked about."""
        if self._health.paused:
            return 0
        provider_number = await self._directory.number_of(self._client.code)
        async with self._database.transaction() as session:
            due = await pick_due(
                session,
                provider_number=provider_number,
                size=self._settings.inquiry_size,
                waits=self._waits,
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
        await self._save(told)
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
        return await self._client.inquire(due.instruction_id, due.server_correlation_id)

    async def _resend(self, ids: list[UUID], provider_number: int) -> None:
        if not ids:
            return
        async with self._database.transaction() as session:
            orders = await lock_unknown(session, ids)
            await move(
                session,
                [
                    Move(order.instruction_id, Status.SENDING, reason="not_known_to_provider")
                    for order in orders
                ],
                actor=INQUIRY,
                at=self._clock.now(),
                waits=self._waits,
            )
        answers = await self._each(orders, self._send)
        await self._save(
            [
                Heard(order.instruction_id, provider_number, answer)
                for order, answer in zip(orders, answers, strict=True)
            ]
        )

    async def _send(self, order: Order) -> Answer:
        return await self._client.send(order)

    async def _each(
        self, things: Sequence[Asked], ask: Callable[[Asked], Awaitable[Answer]]
    ) -> list[Answer]:
        places = asyncio.Semaphore(self._settings.dispatch_concurrency)

        async def one(thing: Asked) -> Answer:
            async with places:
                if self._health.paused:
                    return Answer(AnswerKind.NO_ANSWER, reason="provider_paused")
                answer = await ask(thing)
                self._health.note(answer)
                return answer

        return list(await asyncio.gather(*(one(thing) for thing in things)))

    async def _save(self, answers: Sequence[Heard]) -> None:
        if not answers:
            return
        async with self._database.transaction() as session:
            await record_answers(
                session, answers, actor=INQUIRY, at=self._clock.now(), waits=self._waits
            )


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
