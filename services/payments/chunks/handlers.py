"""What chunks hear from the registry."""

from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.chunks.repository import keep_announced
from services.payments.rounds.repository import begin_round
from shared.contracts.events import EntitlementsReady
from shared.events import Handler, Published, StoredEvent


async def on_entitlements_ready(session: AsyncSession, event: StoredEvent) -> None:
    """A chunk can be fetched."""
    ready = EntitlementsReady.of(event)
    round_number = await begin_round(session, ready, at=event.time)
    await keep_announced(session, ready, round_number=round_number, at=event.time)


def handlers() -> dict[type[Published], Handler]:
    """Which events this slice hears."""
    return {EntitlementsReady: on_entitlements_ready}
