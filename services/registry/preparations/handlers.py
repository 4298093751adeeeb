"""What the registry does when triggers says that a trigger became ready, or stands down.

Twice equals once.
"""

from functools import partial

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.preparations.service import prepare, stand_down
from shared.clock import Clock
from shared.contracts.events import TriggerReadied, TriggerStoodDown
from shared.events import Handler, Published, StoredEvent


async def on_trigger_readied(session: AsyncSession, event: StoredEvent, *, clock: Clock) -> None:
    """Count whom its scheme would pay, and whose accounts are missing."""
    await prepare(session, TriggerReadied.of(event), clock=clock)


async def on_trigger_stood_down(session: AsyncSession, event: StoredEvent) -> None:
    """Keep that nothing has to be prepared any more."""
    await stand_down(session, TriggerStoodDown.of(event))


def handlers(*, clock: Clock) -> dict[type[Published], Handler]:
    """Which handler works which fact."""
    return {
        TriggerReadied: partial(on_trigger_readied, clock=clock),
        TriggerStoodDown: on_trigger_stood_down,
    }
