"""What the registry does when triggers says that an activation opened, or was widened.

Twice equals once.
"""

from functools import partial

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.enrolments.opening import open_activation, widen_activation
from services.registry.settings import Settings
from shared.clock import Clock
from shared.contracts.events import ActivationOpened, ActivationWidened
from shared.events import Handler, Published, StoredEvent


async def on_activation_opened(
    session: AsyncSession, event: StoredEvent, *, clock: Clock, settings: Settings
) -> None:
    """Keep the activation, and plan the enrolment of everybody whom it reaches."""
    await open_activation(session, ActivationOpened.of(event), clock=clock, settings=settings)


async def on_activation_widened(
    session: AsyncSession, event: StoredEvent, *, clock: Clock, settings: Settings
) -> None:
    """Plan the enrolment of those whom the activation did not reach before."""
    await widen_activation(session, ActivationWidened.of(event), clock=clock, settings=settings)


def handlers(*, clock: Clock, settings: Settings) -> dict[type[Published], Handler]:
    """Which handler works which fact."""
    return {
        ActivationOpened: partial(on_activation_opened, clock=clock, settings=settings),
        ActivationWidened: partial(on_activation_widened, clock=clock, settings=settings),
    }
