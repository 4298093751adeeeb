"""How far the consumers of a service are behind the event log, for whoever watches it."""

from collections.abc import Iterable
from datetime import datetime

from prometheus_client.metrics_core import Metric
from sqlalchemy.ext.asyncio import AsyncSession

from shared.events import repository
from shared.events.progress import WaitsBesides, progress_of
from shared.metrics.measures import Measuring, age_seconds, gauge


def events_measuring(service: str, *, besides: WaitsBesides) -> Measuring:
    """Everything that a service has to work, as `GET /v1/events/progress` tells it."""

    async def measure(session: AsyncSession, now: datetime) -> Iterable[Metric]:
        consumers = await progress_of(session, service, besides=besides, now=now)
        return [
            gauge(
                "events_waiting",
                f"Events that a consumer has not read, counted to {repository.MOST_COUNTED}; of "
                "judging, indicators that are due.",
                [([each.consumer], each.waiting) for each in consumers],
                labels=["consumer"],
            ),
            gauge(
                "events_oldest_waiting_seconds",
                "Since the oldest of them was told, or due; 0: none waits.",
                [
                    ([each.consumer], age_seconds(each.oldest_waiting_at, now) or 0)
                    for each in consumers
                ],
                labels=["consumer"],
            ),
            gauge(
                "events_failed",
                "Events that a consumer parked: GET /v1/dead-letters.",
                [([each.consumer], each.failed) for each in consumers],
                labels=["consumer"],
            ),
        ]

    return Measuring("events", measure)
