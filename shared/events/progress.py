"""How far a service has worked what was told to it: by its consumers of events, and besides."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncSession

from shared.events import repository


class ConsumerProgress(BaseModel):
    """How far one consumer of this service has read the log."""

    model_config = ConfigDict(from_attributes=True)

    consumer: str = Field(examples=["activations"])
    waiting: int = Field(
        description=f"Events that it has not read yet, counted to {repository.MOST_COUNTED}; of "
        "`judging`, indicators that are due to be judged, or cannot be.",
        examples=[0],
    )
    oldest_waiting_at: datetime | None = Field(
        description="When the first of them was told, or due; null: none waits.", examples=[None]
    )
    failed: int = Field(
        description="Events that it parked: see /v1/dead-letters; of `judging`, indicators that "
        "cannot be judged: `failing_since` of /v1/indicators.",
        examples=[0],
    )


WaitsBesides = Callable[[AsyncSession, datetime], Awaitable[Sequence[ConsumerProgress]]]
"""What of a service waits that no consumer of events has, at an instant of its clock."""


async def nothing_besides(_: AsyncSession, __: datetime) -> Sequence[ConsumerProgress]:
    """Of a service whose work is all told by events."""
    return ()


async def progress_of(
    session: AsyncSession, service: str, *, besides: WaitsBesides, now: datetime
) -> list[ConsumerProgress]:
    """Everything that a service has to work."""
    consumers = await repository.consumers_progress(session, service)
    return [
        *map(ConsumerProgress.model_validate, consumers),
        *await besides(session, now),
    ]
