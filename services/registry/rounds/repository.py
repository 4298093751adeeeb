"""What came of the chunks of each round."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.chunks.statements import CHUNKS
from services.registry.estimates.statements import would_pay_now
from services.registry.schemes.document import LaterRounds, SchemeDocument

_ROUNDS = text(
    f"""
    SELECT round.number, round.due_on, round.released_at, round.released_by,
           count(chunk.id) AS chunks_planned,
           count(chunk.id) FILTER (WHERE chunk.status <> 'planned') AS chunks_done,
           count(chunk.id) FILTER (WHERE chunk.status NOT IN ('empty', 'settled', 'refused'))
           + (SELECT count(*) FROM registry.entitlement_chunk AS repairing
              WHERE repairing.activation_id = round.activation_id
                AND repairing.round = round.number AND repairing.home_chunk_id IS NOT NULL
                AND repairing.status NOT IN ('empty', 'settled', 'refused')) AS chunks_open,
           (SELECT count(*) FROM registry.enrolment_run AS run
            WHERE run.activation_id = round.activation_id AND run.round = round.number
              AND run.held_at IS NOT NULL AND run.completed_at IS NULL) AS runs_held,
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
    LEFT JOIN ({CHUNKS} AND chunk.activation_id = :activation_id) AS chunk
        ON chunk.activation_id = round.activation_id AND chunk.round = round.number
    WHERE round.activation_id = :activation_id
    GROUP BY round.activation_id, round.number
    ORDER BY round.number
    """
)


# Whom another scheme paid in round 1 is owed the later ones, unless that pays again.
_WOULD_PAY = text(
    """
    WITH enrolled AS (
        SELECT chunk.*
        FROM registry.entitlement_chunk AS chunk
        JOIN registry.enrolment_run AS run ON run.id = chunk.enrolment_run_id
        WHERE chunk.activation_id = :activation_id AND chunk.round = 1
          AND chunk.home_chunk_id IS NULL AND run.completed_at IS NOT NULL
    )
    SELECT coalesce(sum(payable_count + unpayable_count + excluded_count), 0)::bigint AS households,
           (coalesce(sum(payable_minor + unpayable_minor), 0) + coalesce((
               SELECT sum(entitlement.amount_minor) FROM registry.entitlement
               WHERE entitlement.status = 'excluded'
                 AND entitlement.chunk_id IN (SELECT id FROM enrolled WHERE excluded_count > 0)
           ), 0))::bigint AS amount_minor
    FROM enrolled
    """
)


@dataclass(frozen=True)
class WouldPay:
    """Who is enrolled, and what they get in each round."""

    households: int
    amount_minor: int


async def would_pay(
    session: AsyncSession, activation_id: UUID, document: SchemeDocument, *, as_of: date
) -> WouldPay:
    """What a later round of an activation comes to, were it released now.

    On the day ``as_of``, where it looks at households as they are.
    """
    if document.later_rounds is LaterRounds.AS_THEY_ARE:
        rows = await session.execute(
            would_pay_now(document), {"activation_id": activation_id, "as_of": as_of}
        )
        households, minor = rows.one()
        return WouldPay(households, int(minor))
    row = (await session.execute(_WOULD_PAY, {"activation_id": activation_id})).one()
    return WouldPay(row.households, row.amount_minor)


async def list_rounds(session: AsyncSession, activation_id: UUID) -> Sequence[Row[Any]]:
    """All rounds of an activation, by number, with sums over their chunks."""
    rows = await session.execute(_ROUNDS, {"activation_id": activation_id})
    return rows.all()
