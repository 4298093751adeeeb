"""What the registry does when triggers says that an activation opened, widened, or is cancelled.

Twice equals once.
"""

from functools import partial

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.enrolments.opening import (
    Means,
    cancel_activation,
    open_activation,
    widen_activation,
)
from shared.contracts.events import ActivationCancelled, ActivationOpened, ActivationWidened
from shared.events import Handler, Published, StoredEvent


async def on_activation_opened(session: AsyncSession, event: StoredEvent, *, means: Means) -> None:
    """Keep the activation, and plan the enrolment of everybody whom it reaches."""
    await open_activation(session, ActivationOpened.of(event), means=means)


async def on_activation_widened(session: AsyncSession, event: StoredEvent, *, means: Means) -> None:
    """Plan the enrolment of those whom the activation did not reach before."""
    await widen_activation(session, ActivationWidened.of(event), means=means)


async def on_activation_cancelled(session: AsyncSession, event: StoredEvent) -> None:
    """Work no chunk of the activation any more."""
    await cancel_activation(session, ActivationCancelled.of(event))


def handlers(*, means: Means) -> dict[type[Published], Handler]:
    """Which handler works which fact."""
    return {
        ActivationOpened: partial(on_activation_opened, means=means),
        ActivationWidened: partial(on_activation_widened, means=means),
        ActivationCancelled: on_activation_cancelled,
    }
