"""What sending to one provider and asking it share: whom to speak to, and where answers go."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.instructions.moves import Move, Waits, move
from services.payments.instructions.recording import Heard, record_answers
from services.payments.instructions.states import Status
from services.payments.providers.client import Order, ProviderClient
from services.payments.providers.directory import ProviderDirectory
from services.payments.providers.health import ProviderHealth
from services.payments.settings import Settings
from shared.clock import Clock
from shared.database import Database


def waits_from(settings: Settings) -> Waits:
    """The waiting times of the settings."""
    return Waits(
        lease_seconds=settings.dispatch_lease_seconds,
        unknown_seconds=settings.unknown_inquiry_seconds,
        pending_seconds=settings.pending_inquiry_seconds,
        longest_seconds=settings.inquiry_longest_seconds,
    )


@dataclass(frozen=True, slots=True)
class Lane:
    """One provider, as a worker deals with it."""

    client: ProviderClient
    directory: ProviderDirectory
    health: ProviderHealth
    database: Database
    clock: Clock
    settings: Settings

    @property
    def waits(self) -> Waits:
        return waits_from(self.settings)

    async def provider_number(self) -> int:
        return await self.directory.number_of(self.client.code)

    async def intend(
        self,
        session: AsyncSession,
        orders: Sequence[Order],
        *,
        actor: str,
        reason: str | None = None,
    ) -> None:
        """Move orders to ``sending``; they may be sent once the session's transaction commits."""
        await move(
            session,
            [Move(order.instruction_id, Status.SENDING, reason=reason) for order in orders],
            actor=actor,
            at=self.clock.now(),
            waits=self.waits,
        )

    async def record(self, answers: Sequence[Heard], *, actor: str) -> None:
        """Record what the provider answered, in one transaction."""
        if not answers:
            return
        async with self.database.transaction() as session:
            await record_answers(
                session, answers, actor=actor, at=self.clock.now(), waits=self.waits
            )
