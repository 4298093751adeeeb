"""How far enrolment and its settlement are, for whoever watches the service."""

from collections.abc import Iterable
from datetime import datetime

from prometheus_client.metrics_core import Metric
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.chunks import repository
from services.registry.chunks.states import ChunkStatus
from shared.metrics import Measuring, gauge


async def _measure(session: AsyncSession, _: datetime) -> Iterable[Metric]:
    counts = await repository.count_by_status(session)
    return [
        gauge(
            "chunks",
            "Chunks of entitlements, by where they stand: planned ones are not enrolled yet, "
            "announced ones are with payments, refused ones need an officer.",
            [([status], counts.get(status, 0)) for status in ChunkStatus],
            labels=["status"],
        ),
        gauge(
            "chunks_put_off",
            "Chunks that could not be worked when they were tried, and are tried again.",
            [([], await repository.count_put_off(session))],
        ),
    ]


CHUNKS = Measuring("chunks", _measure)
