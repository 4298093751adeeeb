"""What came of activations: sums over their chunks."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.chunks.statements import CHUNKS
from services.registry.chunks.tables import EntitlementChunk
from services.registry.enrolments.tables import Entitlement

# Sums over chunks, not over entitlements: a few hundred rows for the country.
_SUMS = """
    max(chunk.currency) AS currency,
    count(*) AS chunks_planned,
    count(*) FILTER (WHERE chunk.status <> 'planned') AS chunks_done,
    coalesce(sum(chunk.payable_count + chunk.unpayable_count + chunk.excluded_count)
        FILTER (WHERE chunk.round = 1), 0)::bigint AS households_enrolled,
    coalesce(sum(chunk.payable_count), 0)::bigint AS payable_count,
    coalesce(sum(chunk.payable_minor), 0)::bigint AS payable_minor,
    coalesce(sum(chunk.unpayable_count), 0)::bigint AS unpayable_count,
    coalesce(sum(chunk.unpayable_minor), 0)::bigint AS unpayable_minor,
    coalesce(sum(chunk.excluded_count), 0)::bigint AS excluded_count,
    coalesce(sum(chunk.refused_count), 0)::bigint AS refused_count,
    coalesce(sum(chunk.refused_minor), 0)::bigint AS refused_minor,
    coalesce(sum(chunk.paid_count), 0)::bigint AS paid_count,
    coalesce(sum(chunk.paid_minor), 0)::bigint AS paid_minor,
    coalesce(sum(chunk.failed_count), 0)::bigint AS failed_count,
    coalesce(sum(chunk.failed_minor), 0)::bigint AS failed_minor,
    coalesce(sum(chunk.payable_count - chunk.paid_count - chunk.failed_count
        - chunk.refused_count), 0)::bigint AS waiting_count,
    min(chunk.announced_at) AS first_announced_at,
    min(chunk.first_paid_at) AS first_paid_at,
    max(chunk.last_paid_at) AS last_paid_at
"""
_CHUNKS = f"({CHUNKS} AND chunk.activation_id = :activation_id) AS chunk"
_PROGRESS = text(
    f"""
    SELECT {_SUMS},
           (SELECT count(*) FROM registry.activation_commune
            WHERE activation_id = :activation_id) AS communes
    FROM {_CHUNKS}
    """
)
_BY_PROVINCE = text(
    f"""
    SELECT chunk.province_code, area.name_en AS province_name, reached.communes, {_SUMS}
    FROM {_CHUNKS}
    JOIN registry.area ON area.code = chunk.province_code
    JOIN (SELECT left(area_code, 2) AS province_code, count(*) AS communes
          FROM registry.activation_commune WHERE activation_id = :activation_id
          GROUP BY 1) AS reached ON reached.province_code = chunk.province_code
    GROUP BY chunk.province_code, area.name_en, reached.communes
    ORDER BY chunk.province_code
    """
)


async def progress(session: AsyncSession, activation_id: UUID) -> dict[str, Any]:
    """Sums over all chunks of an activation."""
    rows = await session.execute(_PROGRESS, {"activation_id": activation_id})
    return rows.one()._asdict()


async def by_province(session: AsyncSession, activation_id: UUID) -> Sequence[Row[Any]]:
    """Sums over the chunks of each province."""
    rows = await session.execute(_BY_PROVINCE, {"activation_id": activation_id})
    return rows.all()


async def reasons(session: AsyncSession, activation_id: UUID) -> dict[str, int]:
    """Why entitlements of an activation did not reach a household, and how many."""
    rows = await session.execute(
        select(Entitlement.reason, func.count())
        .join(EntitlementChunk, EntitlementChunk.id == Entitlement.chunk_id)
        .where(EntitlementChunk.activation_id == activation_id, Entitlement.reason.is_not(None))
        .group_by(Entitlement.reason)
        .order_by(func.count().desc(), Entitlement.reason)
    )
    return {reason: count for reason, count in rows.all() if reason is not None}
