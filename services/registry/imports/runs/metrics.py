"""How many files wait to be read or are read, for whoever watches the service."""

from collections.abc import Iterable
from datetime import datetime

from prometheus_client.metrics_core import Metric
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.imports.runs import repository
from services.registry.imports.tables import RunStatus
from shared.metrics import Measuring, gauge
from shared.metrics.measures import age_seconds

_UNDER_WAY = (RunStatus.WAITING, RunStatus.RUNNING)


async def _measure(session: AsyncSession, now: datetime) -> Iterable[Metric]:
    under_way = await repository.under_way_by_status(session)
    return [
        gauge(
            "import_runs",
            "Readings of files of households that have no end yet.",
            [
                ([status], under_way[status][0] if status in under_way else 0)
                for status in _UNDER_WAY
            ],
            labels=["status"],
        ),
        gauge(
            "import_runs_oldest_seconds",
            "Since the oldest of them was asked for.",
            [([status], age_seconds(since, now)) for status, (_, since) in under_way.items()],
            labels=["status"],
        ),
    ]


IMPORT_RUNS = Measuring("imports", _measure)
