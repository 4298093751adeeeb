"""Which events deliveries are made of: every one that somebody may subscribe to."""

from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.deliveries.repository import make_deliveries
from shared.contracts.catalogue import EXAMPLES
from shared.events import Handler, Published, StoredEvent


async def on_event(session: AsyncSession, event: StoredEvent) -> None:
    """Have it go to whoever wants it."""
    await make_deliveries(session, event.id)


def handlers() -> dict[type[Published], Handler]:
    """Which events this slice hears."""
    return dict.fromkeys(EXAMPLES, on_event)
