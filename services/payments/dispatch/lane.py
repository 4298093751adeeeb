"""What sending to one provider and asking it share: whom to speak to, and where answers go."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.answers.recording import Heard, Recording
from services.payments.dispatch.repository import pick_ready
from services.payments.instructions.moves import InstructionMoves, Move
from services.payments.instructions.states import Status
from services.payments.providers.directory import ProviderDirectory
from services.payments.providers.pausing import Pausing
from services.payments.providers.protocol import Adapter, Order
from shared.database import Database


@dataclass(frozen=True, slots=True)
class Lane:
    """One provider, as a worker deals with it."""

    adapter: Adapter
    directory: ProviderDirectory
    pausing: Pausing
    database: Database
    moves: InstructionMoves
    recording: Recording

    async def provider_number(self) -> int:
        return await self.directory.number_of(self.adapter.code)

    async def claim(self, *, size: int, actor: str) -> list[Order]:
        """Move ready instructions to ``sending``; once this returns, they may be sent."""
        provider_number = await self.provider_number()
        async with self.database.transaction() as session:
            orders = await pick_ready(
                session, provider=self.adapter.code, provider_number=provider_number, size=size
            )
            await self.intend(session, orders, actor=actor)
        return orders

    async def intend(
        self,
        session: AsyncSession,
        orders: Sequence[Order],
        *,
        actor: str,
        reason: str | None = None,
    ) -> None:
        """Move orders to ``sending``; they may be sent once the session's transaction commits."""
        await self.moves.make(
            session,
            [Move(order.instruction_id, Status.SENDING, reason=reason) for order in orders],
            actor=actor,
        )

    async def record(self, answers: Sequence[Heard], *, actor: str) -> None:
        """Record what the provider answered, in one transaction."""
        if not answers:
            return
        async with self.database.transaction() as session:
            await self.recording.record(session, answers, actor=actor)
