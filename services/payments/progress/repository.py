"""SQL of progress: counts of an activation, never its payments one by one."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.counts.repository import SPAN_SECONDS
from services.payments.instructions.states import ENDS
from services.payments.proofs.repository import begin_snapshot
from services.payments.statements import AnyRow, among

_CHUNKS = """
    SELECT chunk.number, chunk.currency, chunk.status, chunk.entitlement_count, chunk.total_minor,
        chunk.set_aside_count, chunk.set_aside_minor, chunk.settled_at,
        payment_round.number AS round_number, payment_round.round, payment_round.scheme,
        payment_round.status AS round_status
    FROM payments.payment_round
    JOIN payments.chunk ON chunk.round_number = payment_round.number
    WHERE payment_round.activation_id = :activation_id
"""

_ANNOUNCED = text(
    f"""
    SELECT currency,
        sum(entitlement_count)::bigint AS announced_count, sum(total_minor)::bigint
            AS announced_minor,
        coalesce(sum(entitlement_count) FILTER (WHERE status = 'announced'), 0)::bigint
            AS not_raised_count,
        coalesce(sum(total_minor) FILTER (WHERE status = 'announced'), 0)::bigint
            AS not_raised_minor,
        coalesce(sum(entitlement_count) FILTER (WHERE status = 'refused'), 0)::bigint
            AS refused_count,
        coalesce(sum(total_minor) FILTER (WHERE status = 'refused'), 0)::bigint AS refused_minor,
        sum(set_aside_count)::bigint AS set_aside_count,
        sum(set_aside_minor)::bigint AS set_aside_minor,
        count(*) FILTER (WHERE status IN ('announced', 'raised')) AS open_chunks
    FROM ({_CHUNKS}) AS whole
    GROUP BY currency
    ORDER BY currency
    """
)

_COUNTS = text(
    f"""
    SELECT whole.round, whole.scheme, whole.round_status::text AS round_status, whole.currency,
        counted.district_code, provider.code AS provider, counted.status::text AS status,
        counted.withheld, sum(counted.count)::bigint AS count,
        sum(counted.amount_minor)::bigint AS amount_minor, max(counted.changed_at) AS changed_at
    FROM ({_CHUNKS}) AS whole
    JOIN (
        SELECT chunk_number, district_code, provider_number, status, withheld, count, amount_minor,
            changed_at
        FROM payments.instruction_count
        UNION ALL
        SELECT chunk_number, district_code, provider_number, status, withheld, count, amount_minor,
            changed_at
        FROM payments.count_change
    ) AS counted ON counted.chunk_number = whole.number
    JOIN payments.provider ON provider.number = counted.provider_number
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
    HAVING sum(counted.count) <> 0 OR sum(counted.amount_minor) <> 0
    """
)

_PACE = text(
    f"""
    SELECT clock_timestamp() AS now, coalesce(sum(count), 0)::bigint AS ended_count,
        extract(epoch FROM clock_timestamp() - min(begun_at))::float8 AS seconds
    FROM (
        SELECT span.begun_at, span.count
        FROM payments.ended_span AS span
        JOIN ({_CHUNKS}) AS whole ON whole.number = span.chunk_number
        UNION ALL
        SELECT date_bin('{SPAN_SECONDS} seconds', change.changed_at, 'epoch'), change.count
        FROM payments.count_change AS change
        JOIN ({_CHUNKS}) AS whole ON whole.number = change.chunk_number
        WHERE change.status IN ({among(ENDS)})
    ) AS ended
    WHERE begun_at > clock_timestamp() - make_interval(secs => :seconds)
    """
)

_PAUSES = text(
    """
    SELECT provider.code AS provider, pause.scheme, nullif(pause.area_code, 'KH') AS area_code
    FROM payments.pause
    LEFT JOIN payments.provider ON provider.number = pause.provider_number
    WHERE pause.resumed_at IS NULL
      AND (pause.activation_id IS NULL OR pause.activation_id = :activation_id)
    """
)


async def begin(session: AsyncSession) -> None:
    """Have all that follows come from one moment."""
    await begin_snapshot(session)


async def announced_of(session: AsyncSession, activation_id: UUID) -> Sequence[AnyRow]:
    """What was announced of an activation, by currency; none: nothing was."""
    return (await session.execute(_ANNOUNCED, {"activation_id": activation_id})).all()


async def counts_of(session: AsyncSession, activation_id: UUID) -> Sequence[AnyRow]:
    """How many payments stand where: by round, district, provider and state."""
    return (await session.execute(_COUNTS, {"activation_id": activation_id})).all()


async def pace_of(session: AsyncSession, activation_id: UUID, *, seconds: float) -> AnyRow:
    """How many payments came to an end in the last seconds; ``seconds`` since the first of them."""
    given = {"activation_id": activation_id, "seconds": seconds}
    return (await session.execute(_PACE, given)).one()


async def pauses_of(session: AsyncSession, activation_id: UUID) -> Sequence[AnyRow]:
    """Pauses in force that may concern the activation; what is null does not narrow."""
    return (await session.execute(_PAUSES, {"activation_id": activation_id})).all()
