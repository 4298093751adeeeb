"""How many appeals are open, and overdue, for whoever watches the service."""

from collections.abc import Iterable
from datetime import datetime

from prometheus_client.metrics_core import Metric
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.appeals import repository
from shared.clock import COUNTRY_ZONE
from shared.metrics import Measuring, gauge


async def _measure(session: AsyncSession, now: datetime) -> Iterable[Metric]:
    count, overdue = await repository.count_open(session, today=now.astimezone(COUNTRY_ZONE).date())
    return [
        gauge("appeals_open", "Appeals of households without a decision.", [([], count)]),
        gauge("appeals_overdue", "Of them, those whose day has passed.", [([], overdue)]),
    ]


APPEALS = Measuring("appeals", _measure)
