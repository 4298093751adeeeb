"""How many figures are set aside and wait for a person, for whoever watches the service."""

from collections.abc import Iterable
from datetime import datetime

from prometheus_client.metrics_core import Metric
from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.doubtful import repository
from shared.metrics import Measuring, gauge
from shared.metrics.measures import age_seconds


async def _measure(session: AsyncSession, now: datetime) -> Iterable[Metric]:
    waiting = await repository.waiting_by_reason(session)
    return [
        gauge(
            "doubtful_figures",
            "Figures that are set aside until a person releases them.",
            [([reason], count) for reason, count, _ in waiting],
            labels=["reason"],
        ),
        gauge(
            "doubtful_figures_oldest_seconds",
            "Since the oldest of them was set aside.",
            [([reason], age_seconds(since, now)) for reason, _, since in waiting],
            labels=["reason"],
        ),
    ]


DOUBTFUL = Measuring("doubtful", _measure)
