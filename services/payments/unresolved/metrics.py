"""How much has no end or not a good one, for whoever watches the service."""

from collections.abc import Iterable
from datetime import datetime

from prometheus_client.metrics_core import Metric
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.unresolved import repository
from services.payments.unresolved.kinds import UnresolvedKind
from services.payments.unresolved.limits import Limits
from shared.metrics import Measuring, gauge


def unresolved_measuring(limits: Limits) -> Measuring:
    """Each kind with how many there are, how much money, and how old the oldest is."""

    async def measure(session: AsyncSession, now: datetime) -> Iterable[Metric]:
        counts: dict[str, int] = dict.fromkeys(UnresolvedKind, 0)
        oldest: dict[str, float] = {}
        amounts: dict[tuple[str, str], int] = {}
        for row in await repository.summary(session, limits, now=now):
            counts[row.kind] += row.rows
            oldest[row.kind] = max(oldest.get(row.kind, 0), row.oldest_age_seconds)
            if row.currency is not None:
                of = (row.kind, row.currency)
                amounts[of] = amounts.get(of, 0) + row.amount_minor
        return [
            gauge(
                "unresolved",
                "What has no end, or not a good one: GET /v1/unresolved says what to do.",
                [([kind], count) for kind, count in counts.items()],
                labels=["kind"],
            ),
            gauge(
                "unresolved_oldest_seconds",
                "Since when the oldest of the kind is so.",
                [([kind], age) for kind, age in oldest.items()],
                labels=["kind"],
            ),
            gauge(
                "unresolved_amount_minor",
                "How much money that is, in minor units.",
                amounts.items(),
                labels=["kind", "currency"],
            ),
        ]

    return Measuring("unresolved", measure)
