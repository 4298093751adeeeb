"""What came of the chunks of each round."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

_ROUNDS = text(
    """
    SELECT round.number, round.due_on, round.released_at, round.released_by,
           count(chunk.id) AS chunks_planned,
           count(chunk.id) FILTER (WHERE chunk.status <> 'planned') AS chunks_done,
           count(chunk.id) FILTER (WHERE chunk.status NOT IN ('empty', 'settled', 'refused'))
           + (SELECT count(*) FROM registry.entitlement_chunk AS repairing
              WHERE repairing.activation_id = round.activation_id
                AND repairing.round = round.number AND repairing.home_chunk_id IS NOT NULL
                AND repairing.status NOT IN ('empty', 'settled', 'refused')) AS chunks_open,
           coalesce(sum(chunk.payable_count), 0)::bigint AS payable_count,
           coalesce(sum(chunk.payable_minor), 0)::bigint AS payable_minor,
           coalesce(sum(chunk.unpayable_count), 0)::bigint AS unpayable_count,
           coalesce(sum(chunk.excluded_count), 0)::bigint AS excluded_count,
           coalesce(sum(chunk.paid_count), 0)::bigint AS paid_count,
           coalesce(sum(chunk.paid_minor), 0)::bigint AS paid_minor,
           coalesce(sum(chunk.failed_count), 0)::bigint AS failed_count,
           coalesce(sum(chunk.failed_minor), 0)::bigint AS failed_minor,
           coalesce(sum(chunk.refused_count), 0)::bigint AS refused_count
    FROM registry.payment_round AS round
    LEFT JOIN registry.entitlement_chunk AS chunk
        ON chunk.activation_id = round.activation_id AND chunk.round = round.number
        AND chunk.home_chunk_id IS NULL
    WHERE round.activation_id = :activation_id
    GROUP BY round.activation_id, round.number
    ORDER BY round.number
    """
)


async def list_rounds(session: AsyncSession, activation_id: UUID) -> Sequence[Row[Any]]:
    """All rounds of an activation, by number, with sums over their chunks."""
    rows = await session.execute(_ROUNDS, {"activation_id": activation_id})
    return rows.all()
