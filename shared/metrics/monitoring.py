"""All metrics of one process of an API: its own, and what its service measures in the database."""

import asyncio
import time
from collections.abc import Iterable, Sequence

import structlog
from prometheus_client import CollectorRegistry, Info, ProcessCollector, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from sqlalchemy import text

from shared.clock import Clock
from shared.database import Database
from shared.metrics.answers import Answers
from shared.metrics.measures import NAMESPACE, Measuring, gauge
from shared.version import VERSION

log = structlog.get_logger()

_BOUND = text("SELECT set_config('statement_timeout', :longest, true)")


class Monitoring:
    """Counts what the process answers, and measures when it is asked.

    What was measured is told again for ``kept_seconds``: several who watch cost no more than one.
    A subject for which PostgreSQL takes longer than ``longest_seconds`` is told to be unmeasured.
    """

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock,
        measurings: Sequence[Measuring],
        kept_seconds: float,
        longest_seconds: float,
    ) -> None:
        self._database = database
        self._clock = clock
        self._measurings = measurings
        self._kept_seconds = kept_seconds
        self._longest = f"{round(longest_seconds * 1000)}ms"
        self._registry = CollectorRegistry(auto_describe=False)
        self._measured = _Measured()
        self._measured_at = float("-inf")
        self._measuring = asyncio.Lock()
        self.answers = Answers(self._registry)
        Info(NAMESPACE, "The version that runs.", registry=self._registry).info(
            {"version": VERSION}
        )
        ProcessCollector(registry=self._registry)
        self._registry.register(self._measured)

    async def exposition(self) -> bytes:
        """Everything in the text format of Prometheus, version 0.0.4.

        What cannot be measured is said to be so, and never told as it was before.
        """
        async with self._measuring:
            if time.monotonic() - self._measured_at > self._kept_seconds:
                self._measured.metrics = await self._measure()
                self._measured_at = time.monotonic()
        # Some hundred series take milliseconds, in which the loop answers others.
        return await asyncio.to_thread(generate_latest, self._registry)

    async def _measure(self) -> list[Metric]:
        metrics: list[Metric] = []
        failed: dict[str, bool] = {}
        for measuring in self._measurings:
            try:
                async with self._database.reading() as session:
                    await session.execute(_BOUND, {"longest": self._longest})
                    metrics += await measuring.measure(session, self._clock.now())
            except Exception as error:
                # Whatever it is: who watches is told that it fails, which is what they watch for.
                log.warning("not_measured", of=measuring.of, error=type(error).__name__)
                failed[measuring.of] = True
            else:
                failed[measuring.of] = False
        pool = self._database.connections()
        return [
            *metrics,
            gauge(
                "measured",
                "Whether what waits in the database could be measured: 1, or 0 where the metrics "
                "of that subject are missing.",
                [([of], float(not has_failed)) for of, has_failed in failed.items()],
                labels=["of"],
            ),
            gauge(
                "database_connections",
                "Connections to PostgreSQL that this process has for its requests.",
                [(["in_use"], pool.in_use), (["most"], pool.most)],
                labels=["which"],
            ),
        ]


class _Measured(Collector):
    """What was measured last, for the registry to write with the process's own."""

    def __init__(self) -> None:
        self.metrics: Sequence[Metric] = ()

    def collect(self) -> Iterable[Metric]:
        return self.metrics
