"""Gauges that are asked of the database: what waits, since when, and what is wrong."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from sqlalchemy.ext.asyncio import AsyncSession

NAMESPACE = "sangkroh"
"""What the name of every metric begins with."""


@dataclass(frozen=True, slots=True)
class Measuring:
    """One subject that is measured by itself: where it cannot be, the others are told."""

    of: str
    """The subject, a noun: ``alarms``."""
    measure: Callable[[AsyncSession, datetime], Awaitable[Iterable[Metric]]]
    """Called with a read-only transaction, and the time by the service's clock."""


def gauge(
    name: str,
    tells: str,
    rows: Iterable[tuple[Sequence[str], float | None]],
    *,
    labels: Sequence[str] = (),
) -> Metric:
    """A gauge of the rows, each the values of ``labels`` and a figure; None is left out.

    ``name`` ends with its unit, and stands without the namespace. Labels are codes and kinds that
    are few, never ids nor whatever somebody typed.
    """
    family = GaugeMetricFamily(f"{NAMESPACE}_{name}", tells, labels=labels)
    for values, figure in rows:
        if figure is not None:
            family.add_metric(values, figure)
    return family


def age_seconds(since: datetime | None, now: datetime) -> float | None:
    """How long ago it was; None: it never was."""
    return None if since is None else max((now - since).total_seconds(), 0)
