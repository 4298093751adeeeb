"""SQL of settlement: which chunks have come to rest, what they add up to, how each row ended."""

import io
from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.instructions.states import LIVE
from services.payments.statements import among
from shared.contracts.events import PaymentsSettled
from shared.database import driver_connection

_NONE_LIVE = f"""
    NOT EXISTS (
        SELECT 1 FROM payments.instruction
        WHERE instruction.chunk_number = chunk.number AND instruction.status IN ({among(LIVE)})
    )
"""

_LOCK = text(
    f"""
    SELECT chunk.number
    FROM payments.chunk
    WHERE chunk.status = 'raised' AND {_NONE_LIVE}
    ORDER BY chunk.number
    LIMIT :size
    FOR UPDATE SKIP LOCKED
    """
)

# Looked at once more, by whoever holds the lock: a correction may have come in between.
_SUMS = text(
    f"""
    SELECT chunk.number, chunk.chunk_id, payment_round.activation_id, payment_round.scheme,
        payment_round.round, paid.count AS paid_count, paid.minor AS paid_minor,
        whole.count - paid.count AS failed_count, whole.minor - paid.minor AS failed_minor
    FROM payments.chunk
    JOIN payments.payment_round ON payment_round.number = chunk.round_number
    -- Each entitlement has one first attempt, and one that is settled at most.
    CROSS JOIN LATERAL (
        SELECT count(*) AS count, coalesce(sum(amount_minor), 0)::bigint AS minor
        FROM payments.instruction
        WHERE chunk_number = chunk.number AND attempt = 1
    ) AS whole
    CROSS JOIN LATERAL (
        SELECT count(*) AS count, coalesce(sum(amount_minor), 0)::bigint AS minor
        FROM payments.instruction
        WHERE chunk_number = chunk.number AND status = 'settled'
    ) AS paid
    WHERE chunk.number = ANY(:numbers) AND {_NONE_LIVE}
    ORDER BY chunk.number
    """
)

# Of several attempts for an entitlement the last one counts; one without an end is left out.
_OUTCOMES = """
    SELECT entitlement_id,
        CASE status WHEN 'settled' THEN 'paid' ELSE 'failed' END,
        CASE status WHEN 'settled' THEN '' ELSE coalesce(reason, status::text) END,
        to_char(finished_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
    FROM (
        SELECT DISTINCT ON (entitlement_id) entitlement_id, status, reason, finished_at
        FROM payments.instruction
        WHERE chunk_number = $1
        ORDER BY entitlement_id, (status = 'settled') DESC, attempt DESC
    ) AS latest
    WHERE status IN ('settled', 'rejected', 'returned', 'cancelled')
"""


async def lock_settled(session: AsyncSession, *, size: int) -> list[int]:
    """Lock raised chunks none of whose instructions is live; their numbers."""
    return list((await session.execute(_LOCK, {"size": size})).scalars())


async def settled_by_number(
    session: AsyncSession, numbers: Sequence[int]
) -> dict[int, PaymentsSettled]:
    """How the payments of locked chunks ended, without chunks that are live after all."""
    rows = await session.execute(_SUMS, {"numbers": list(numbers)})
    return {row.number: PaymentsSettled.model_validate(row._asdict()) for row in rows}


async def read_outcomes(session: AsyncSession, chunk_number: int) -> bytes:
    """The rows of ``shared.contracts.outcomes``; a chunk is small enough to be held."""
    content = io.BytesIO()
    connection = await driver_connection(session)
    await connection.copy_from_query(_OUTCOMES, chunk_number, output=content, format="csv")
    return content.getvalue()
