"""How many steps wait for a second person, for whoever watches the service."""

from collections.abc import Iterable
from datetime import datetime

from prometheus_client.metrics_core import Metric
from sqlalchemy.ext.asyncio import AsyncSession

from shared.approvals import repository
from shared.approvals.tables import Approval
from shared.metrics.measures import Measuring, age_seconds, gauge


def approvals_measuring(table: type[Approval]) -> Measuring:
    """The steps of the service that has the table."""

    async def measure(session: AsyncSession, now: datetime) -> Iterable[Metric]:
        waiting = await repository.waiting_by_kind(session, table, now=now)
        return [
            gauge(
                "approvals_waiting",
                "Proposals that wait for a second person.",
                [([kind], count) for kind, count, _ in waiting],
                labels=["kind"],
            ),
            gauge(
                "approvals_oldest_waiting_seconds",
                "Since the oldest of them was proposed.",
                [([kind], age_seconds(oldest_at, now)) for kind, _, oldest_at in waiting],
                labels=["kind"],
            ),
        ]

    return Measuring("approvals", measure)
