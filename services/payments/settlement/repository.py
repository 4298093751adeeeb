"""SQL of settlement: which chunks have come to rest, what they add up to, how each row ended."""

import io
from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.instructions.states import LIVE
from services.payments.statements import among
from shared.contracts.events import PaymentsSettled
from shared.database import driver_connection

# What was set aside for another chunk's instruction waits for that.
_NONE_LIVE = f"""
    NOT EXISTS (
        SELECT 1 FROM payments.instruction
        WHERE instruction.chunk_number = chunk.number AND instruction.status IN ({among(LIVE)})
    )
    AND (chunk.set_aside_count = 0 OR NOT EXISTS (
        SELECT 1
        FROM payments.set_aside
        JOIN payments.instruction ON instruction.entitlement_id = set_aside.entitlement_id
            AND instruction.chunk_number = set_aside.answered_in
        WHERE set_aside.chunk_number = chunk.number AND instruction.status IN ({among(LIVE)})
    ))
"""

# Each entitlement of a chunk has one first attempt there, and one that is settled at most; or it
# was set aside, for good or for the end of another chunk's instruction.
_ENDS = """
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
    CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE answered_in IS NULL) AS unpayable_count,
            coalesce(sum(amount_minor) FILTER (WHERE answered_in IS NULL), 0)::bigint
                AS unpayable_minor,
            count(*) FILTER (WHERE answered_in IS NOT NULL) AS count,
            coalesce(sum(amount_minor) FILTER (WHERE answered_in IS NOT NULL), 0)::bigint AS minor,
            count(*) FILTER (WHERE is_paid) AS paid_count,
            coalesce(sum(amount_minor) FILTER (WHERE is_paid), 0)::bigint AS paid_minor
        FROM (
            SELECT set_aside.amount_minor, set_aside.answered_in,
                EXISTS (
                    SELECT FROM payments.instruction
                    WHERE instruction.entitlement_id = set_aside.entitlement_id
                      AND instruction.chunk_number = set_aside.answered_in
                      AND instruction.status = 'settled'
                ) AS is_paid
            FROM payments.set_aside
            WHERE set_aside.chunk_number = chunk.number AND chunk.set_aside_count > 0
        ) AS answered
    ) AS aside
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
        payment_round.round, aside.unpayable_count, aside.unpayable_minor,
        paid.count + aside.paid_count AS paid_count, paid.minor + aside.paid_minor AS paid_minor,
        whole.count - paid.count + aside.count - aside.paid_count AS failed_count,
        whole.minor - paid.minor + aside.minor - aside.paid_minor AS failed_minor
    FROM payments.chunk
    JOIN payments.payment_round ON payment_round.number = chunk.round_number
    {_ENDS}
    WHERE chunk.number = ANY(:numbers) AND {_NONE_LIVE}
    ORDER BY chunk.number
    """
)

# Of several attempts for an entitlement the last one counts; one without an end is left out.
_OUTCOMES = """
    WITH latest AS (
        SELECT DISTINCT ON (entitlement_id) entitlement_id, status, reason, finished_at
        FROM payments.instruction
        WHERE chunk_number = $1
        ORDER BY entitlement_id, (status = 'settled') DESC, announcement DESC, attempt DESC
    ),
    elsewhere AS (
        SELECT latest.*
        FROM payments.set_aside
        CROSS JOIN LATERAL (
            SELECT entitlement_id, status, reason, finished_at
            FROM payments.instruction
            WHERE instruction.entitlement_id = set_aside.entitlement_id
              AND instruction.chunk_number = set_aside.answered_in
            ORDER BY (status = 'settled') DESC, announcement DESC, attempt DESC
            LIMIT 1
        ) AS latest
        WHERE set_aside.chunk_number = $1
    ),
    outcome AS (
        SELECT entitlement_id,
            CASE status WHEN 'settled' THEN 'paid' ELSE 'failed' END AS outcome,
            CASE status WHEN 'settled' THEN '' ELSE coalesce(reason, status::text) END AS reason,
            finished_at
        FROM (SELECT * FROM latest UNION ALL SELECT * FROM elsewhere) AS ended
        WHERE status IN ('settled', 'rejected', 'returned', 'cancelled')
        UNION ALL
        SELECT entitlement_id, 'unpayable', reason::text, set_aside_at
        FROM payments.set_aside
        WHERE chunk_number = $1 AND answered_in IS NULL
    )
    SELECT entitlement_id, outcome, reason,
        to_char(finished_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
    FROM outcome
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
