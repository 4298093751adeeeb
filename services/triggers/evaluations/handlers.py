"""What triggers does when observations were recorded."""

from functools import partial

from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.evaluations import service
from shared.clock import Clock
from shared.contracts.events import ObservationsRecorded
from shared.events import Handler, Published, StoredEvent


async def on_observations_recorded(
    session: AsyncSession, event: StoredEvent, *, clock: Clock
) -> None:
    await service.evaluate(session, ObservationsRecorded.of(event), event_id=event.id, clock=clock)


def handlers(*, clock: Clock) -> dict[type[Published], Handler]:
    """Handlers of the service's own events. Twice equals once."""
    return {ObservationsRecorded: partial(on_observations_recorded, clock=clock)}
