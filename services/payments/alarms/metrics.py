"""How many alarms are up, for whoever watches the service."""

from collections.abc import Iterable
from datetime import datetime

from prometheus_client.metrics_core import Metric
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.alarms import repository
from services.payments.alarms.tables import AlarmKind
from shared.metrics import Measuring, gauge


async def _measure(session: AsyncSession, _: datetime) -> Iterable[Metric]:
    raised = await repository.open_by_kind(session)
    return [
        gauge(
            "alarms",
            "Alarms that are up: GET /v1/alarms?status=open.",
            [([kind], raised.get(kind, 0)) for kind in AlarmKind],
            labels=["kind"],
        )
    ]


ALARMS = Measuring("alarms", _measure)
