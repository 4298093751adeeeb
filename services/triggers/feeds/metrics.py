"""Which feeds are in alarm, for whoever watches the service."""

from collections.abc import Iterable
from datetime import datetime

from prometheus_client.metrics_core import Metric
from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.feeds import repository
from services.triggers.feeds.outcomes import Alarm
from shared.metrics import Measuring, gauge
from shared.metrics.measures import age_seconds


async def _measure(session: AsyncSession, now: datetime) -> Iterable[Metric]:
    feeds = await repository.pulled(session)
    return [
        gauge(
            "feed_alarm",
            "1 where a feed is in this alarm: GET /v1/feeds says since when.",
            [([feed.code, alarm], float(feed.alarm is alarm)) for feed in feeds for alarm in Alarm],
            labels=["feed", "alarm"],
        ),
        gauge(
            "feed_answered_seconds",
            "Since a feed last answered with what could be read; none: it never did.",
            [([feed.code], age_seconds(feed.answered_at, now)) for feed in feeds],
            labels=["feed"],
        ),
    ]


FEEDS = Measuring("feeds", _measure)
