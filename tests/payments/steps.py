"""The service's steps one at a time, as its worker wires them: for tests that choose the order."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

from services.payments.chunks.closing import Closing
from services.payments.chunks.fetching import Fetching
from services.payments.database import SCHEMA
from services.payments.dispatch.inquiring import Leases
from services.payments.dispatch.lane import waits_from
from services.payments.dispatch.repository import pick_ready
from services.payments.instructions.moves import Move, move
from services.payments.instructions.recording import Heard, Recorded, record_answers
from services.payments.instructions.states import Status
from services.payments.proofs.schemas import Proofs
from services.payments.proofs.service import prove
from services.payments.providers.answers import Answer, AnswerKind
from services.payments.providers.client import Order
from services.payments.providers.directory import ProviderDirectory
from services.payments.rounds.announcements import HANDLERS
from services.payments.rounds.release import Releasing
from services.payments.settings import Settings
from services.payments.webhooks.application import Applying
from services.payments.webhooks.secrets import WEBHOOK_CONTEXT
from shared.clock import clock_from
from shared.database import Database
from shared.events import Consumer
from shared.http import service_client
from shared.personal_data import cipher_from


class Steps:
    """One worker's steps, on the service's own role."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.database = Database(settings.database_url, application_name="test-steps")
        self.clock = clock_from(settings.clock_file)
        self.waits = waits_from(settings)
        self.directory = ProviderDirectory(self.database, settings.providers)
        self._registry = service_client(
            settings, settings.registry_url, scopes=("entitlements:read",)
        )
        self.consumer = Consumer(self.database, name="payments", schema=SCHEMA, handlers=HANDLERS)
        self.fetching = Fetching(
            self._registry, database=self.database, clock=self.clock, settings=settings
        )
        self.releasing = Releasing(database=self.database, clock=self.clock)
        self.closing = Closing(database=self.database, clock=self.clock)
        self.leases = Leases(database=self.database, clock=self.clock, settings=settings)
        self.applying = Applying(
            database=self.database,
            clock=self.clock,
            cipher=cipher_from(settings.webhook_keys, context=WEBHOOK_CONTEXT),
            waits=self.waits,
            batch_size=settings.webhook_batch_size,
        )

    async def raise_announced(self) -> None:
        """Consume, fetch and release all that there is."""
        # The first run of a consumer makes its cursor, and the log's fence may trail a little.
        for _ in range(2):
            while await self.consumer.run_once():
                pass
        while await self.fetching.step():
            pass
        while await self.releasing.step():
            pass

    async def claim(self, provider: str = "mekong", *, size: int = 100) -> list[Order]:
        """Move ready instructions to sending, as the dispatcher does before it sends."""
        number = await self.directory.number_of(provider)
        async with self.database.transaction() as session:
            orders = await pick_ready(session, provider=provider, provider_number=number, size=size)
            await move(
                session,
                [Move(order.instruction_id, Status.SENDING) for order in orders],
                actor="test",
                at=self.clock.now(),
                waits=self.waits,
            )
        return orders

    async def hear(
        self, answers: Sequence[tuple[UUID, Answer]], *, provider: str = "mekong"
    ) -> list[Recorded]:
        """Record answers from a provider."""
        number = await self.directory.number_of(provider)
        async with self.database.transaction() as session:
            return await record_answers(
                session,
                [Heard(instruction_id, number, answer) for instruction_id, answer in answers],
                actor="test",
                at=self.clock.now(),
                waits=self.waits,
            )

    async def resend(self, instruction_id: UUID) -> bool:
        """Move an unknown instruction to sending; whether it was unknown."""
        async with self.database.transaction() as session:
            moved = await move(
                session,
                [Move(instruction_id, Status.SENDING)],
                actor="test",
                at=self.clock.now(),
                waits=self.waits,
            )
        return bool(moved)

    async def prove(self) -> Proofs:
        async with self.database.transaction() as session:
            return await prove(session)

    async def close(self) -> None:
        await self._registry.aclose()
        await self.database.dispose()


@asynccontextmanager
async def running_steps(settings: Settings) -> AsyncIterator[Steps]:
    steps = Steps(settings)
    try:
        yield steps
    finally:
        await steps.close()


def paid(
    instruction_id: UUID,
    *,
    amount_minor: int = 96_000,
    currency: str = "KHR",
    reference: str | None = None,
) -> Answer:
    """The provider says that it paid the instruction."""
    return Answer(
        AnswerKind.SETTLED,
        amount_minor=amount_minor,
        currency=currency,
        our_reference=instruction_id,
        transaction_reference=reference or f"reference-of-{instruction_id}",
    )


REJECTED = Answer(AnswerKind.REJECTED, reason="incorrectState")
PENDING = Answer(AnswerKind.PENDING)
SILENCE = Answer(AnswerKind.NO_ANSWER, reason="timeout")
NOT_KNOWN = Answer(AnswerKind.NOT_KNOWN, reason="not_known_to_provider")
