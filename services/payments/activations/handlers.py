"""What payments hears of an activation itself."""

from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.activations.repository import keep_cancelled
from shared.contracts.events import ActivationCancelled
from shared.events import Handler, Published, StoredEvent


async def on_activation_cancelled(session: AsyncSession, event: StoredEvent) -> None:
    """Nothing of it is sent any more: once this commits, nobody claims a payment of it."""
    await keep_cancelled(session, ActivationCancelled.of(event), at=event.time)


def handlers() -> dict[type[Published], Handler]:
    """Which events this slice hears."""
    return {ActivationCancelled: on_activation_cancelled}
