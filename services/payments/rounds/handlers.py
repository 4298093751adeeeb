"""What rounds hear from the registry."""

from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.rounds.repository import keep_total
from shared.contracts.events import EnrolmentCompleted
from shared.events import Handler, Published, StoredEvent


async def on_enrolment_completed(session: AsyncSession, event: StoredEvent) -> None:
    """These were all the chunks of an enrolment's round, and this is their sum."""
    await keep_total(session, EnrolmentCompleted.of(event), at=event.time)


def handlers() -> dict[type[Published], Handler]:
    """Which events this slice hears."""
    return {EnrolmentCompleted: on_enrolment_completed}
