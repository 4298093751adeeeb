"""SQL of the counts: adding up what changed."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.instructions.states import ENDS
from services.payments.statements import among

SPAN_SECONDS = 10
"""How long a span of ``ended_span`` is."""

_KEPT = "interval '1 hour'"

# Whoever adds up is alone at it: the counts of two never wait for each other.
_LOCK = text("SELECT pg_try_advisory_xact_lock(7205018)")

_ADD_UP = text(
    f"""
    WITH taken AS (
        DELETE FROM payments.count_change
        WHERE number IN (SELECT number FROM payments.count_change ORDER BY number LIMIT :size)
        RETURNING *
    ),
    counted AS (
        INSERT INTO payments.instruction_count AS known (chunk_number, district_code,
            provider_number, status, withheld, count, amount_minor, changed_at)
        SELECT chunk_number, district_code, provider_number, status, withheld, sum(count),
            sum(amount_minor), max(changed_at)
        FROM taken
        GROUP BY 1, 2, 3, 4, 5
        ON CONFLICT (chunk_number, district_code, provider_number, status, withheld) DO UPDATE
        SET count = known.count + excluded.count,
            amount_minor = known.amount_minor + excluded.amount_minor,
            changed_at = greatest(known.changed_at, excluded.changed_at)
    ),
    ended AS (
        INSERT INTO payments.ended_span AS known (chunk_number, begun_at, count)
        SELECT chunk_number, date_bin('{SPAN_SECONDS} seconds', changed_at, 'epoch'), sum(count)
        FROM taken
        WHERE status IN ({among(ENDS)}) AND changed_at > clock_timestamp() - {_KEPT}
        GROUP BY 1, 2
        HAVING sum(count) <> 0
        ON CONFLICT (chunk_number, begun_at) DO UPDATE SET count = known.count + excluded.count
    ),
    forgotten AS (
        DELETE FROM payments.ended_span WHERE begun_at < clock_timestamp() - {_KEPT} - {_KEPT}
    )
    SELECT DISTINCT chunk_number FROM taken WHERE status IN ({among(ENDS)}) ORDER BY chunk_number
    """
)


async def add_up(session: AsyncSession, *, size: int) -> list[int]:
    """Add so many changes to the counts, unless another worker is at it.

    The numbers of the chunks of which payments came to an end, or were opened again. Until the
    commit nobody else adds up: what is read of the counts meanwhile is later than at any other's.
    """
    if not await session.scalar(_LOCK):
        return []
    return list((await session.execute(_ADD_UP, {"size": size})).scalars())
