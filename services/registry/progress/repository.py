"""What came of activations: sums over their chunks."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.chunks.statements import CHUNKS
from services.registry.chunks.tables import EntitlementChunk
from services.registry.enrolments.tables import Entitlement
from shared.bounds import Bound, codes_of, within_text

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

# A chunk is of many communes: what is of some areas alone is counted entitlement by entitlement.
_THEIRS = f"""
    SELECT entitlement.*, chunk.currency, chunk.announced_at
    FROM registry.entitlement_chunk AS chunk
    JOIN registry.entitlement ON entitlement.chunk_id = chunk.id
    JOIN registry.household ON household.id = entitlement.household_id
    WHERE chunk.activation_id = :activation_id AND chunk.home_chunk_id IS NULL
      AND EXISTS (SELECT FROM unnest(chunk.area_codes) AS commune WHERE {within_text("commune")})
      AND {within_text("entitlement.area_code")} AND {within_text("household.area_code")}
"""


def _counted(name: str, states: str) -> str:
    return f"""
        count(*) FILTER (WHERE status IN {states}) AS {name}_count,
        coalesce(sum(amount_minor) FILTER (WHERE status IN {states}), 0)::bigint AS {name}_minor,
    """


_SUMS_OF_THEIRS = f"""
    max(currency) AS currency,
    count(*) FILTER (WHERE round = 1) AS households_enrolled,
    {_counted("payable", "('ready', 'paid', 'failed', 'refused')")}
    {_counted("unpayable", "('unpayable')")}
    {_counted("refused", "('refused')")}
    {_counted("paid", "('paid')")}
    {_counted("failed", "('failed')")}
    count(*) FILTER (WHERE status = 'excluded') AS excluded_count,
    count(*) FILTER (WHERE status = 'ready') AS waiting_count,
    min(announced_at) AS first_announced_at,
    min(finished_at) FILTER (WHERE status = 'paid') AS first_paid_at,
    max(finished_at) FILTER (WHERE status = 'paid') AS last_paid_at
"""
_PROGRESS_WITHIN = text(
    f"""
    SELECT {_SUMS_OF_THEIRS}, chunks.planned AS chunks_planned, chunks.done AS chunks_done,
           (SELECT count(*) FROM registry.activation_commune
            WHERE activation_id = :activation_id AND {within_text("area_code")}) AS communes
    FROM (
        SELECT count(*) AS planned, count(*) FILTER (WHERE chunk.status <> 'planned') AS done
        FROM registry.entitlement_chunk AS chunk
        WHERE chunk.activation_id = :activation_id AND chunk.home_chunk_id IS NULL AND EXISTS (
            SELECT FROM unnest(chunk.area_codes) AS commune WHERE {within_text("commune")})
    ) AS chunks
    LEFT JOIN ({_THEIRS}) AS theirs ON true
    GROUP BY chunks.planned, chunks.done
    """
)
_BY_PROVINCE_WITHIN = text(
    f"""
    SELECT reached.province_code, area.name_en AS province_name, reached.communes,
           {_SUMS_OF_THEIRS}
    FROM (
        SELECT left(area_code, 2) AS province_code, count(*) AS communes
        FROM registry.activation_commune
        WHERE activation_id = :activation_id AND {within_text("area_code")}
        GROUP BY 1
    ) AS reached
    JOIN registry.area ON area.code = reached.province_code
    JOIN ({_THEIRS}) AS theirs ON left(theirs.area_code, 2) = reached.province_code
    GROUP BY reached.province_code, area.name_en, reached.communes
    ORDER BY reached.province_code
    """
)
_REASONS_WITHIN = text(
    f"""
    SELECT reason, count(*) FROM ({_THEIRS}) AS theirs WHERE reason IS NOT NULL
    GROUP BY reason ORDER BY count(*) DESC, reason
    """
)
_REACHES = text(
    f"""
    SELECT EXISTS (
        SELECT FROM registry.activation_commune
        WHERE activation_id = :activation_id AND {within_text("area_code")})
    """
)


def _given(activation_id: UUID, bound: Bound) -> dict[str, Any]:
    given: dict[str, Any] = {"activation_id": activation_id}
    return given if bound is None else given | {"bound": list(bound)}


async def reaches(session: AsyncSession, activation_id: UUID, *, bound: Bound) -> bool:
    """Whether an activation reaches a commune in a caller's areas."""
    given = {"activation_id": activation_id, "bound": codes_of(bound)}
    return bound is None or bool(await session.scalar(_REACHES, given))


async def progress(session: AsyncSession, activation_id: UUID, *, bound: Bound) -> dict[str, Any]:
    """Sums over all chunks of an activation; or over what lies in a caller's areas."""
    statement = _PROGRESS if bound is None else _PROGRESS_WITHIN
    rows = await session.execute(statement, _given(activation_id, bound))
    return rows.one()._asdict()


async def by_province(
    session: AsyncSession, activation_id: UUID, *, bound: Bound
) -> Sequence[Row[Any]]:
    """The same province by province."""
    statement = _BY_PROVINCE if bound is None else _BY_PROVINCE_WITHIN
    rows = await session.execute(statement, _given(activation_id, bound))
    return rows.all()


async def reasons(session: AsyncSession, activation_id: UUID, *, bound: Bound) -> dict[str, int]:
    """Why entitlements of an activation did not reach a household, and how many."""
    if bound is not None:
        found = await session.execute(_REASONS_WITHIN, _given(activation_id, bound))
        return dict(found.all())
    rows = await session.execute(
        select(Entitlement.reason, func.count())
        .join(EntitlementChunk, EntitlementChunk.id == Entitlement.chunk_id)
        .where(EntitlementChunk.activation_id == activation_id, Entitlement.reason.is_not(None))
        .group_by(Entitlement.reason)
        .order_by(func.count().desc(), Entitlement.reason)
    )
    return {reason: count for reason, count in rows.all() if reason is not None}
