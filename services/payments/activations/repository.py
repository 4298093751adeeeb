"""SQL of cancelled activations: what there is to be stopped, and how an activation stands."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.rounds.states import WAITING
from services.payments.statements import PAUSED, AnyRow, among
from shared.contracts.events import ActivationCancelled

_KEEP = text(
    """
    INSERT INTO payments.cancelled_activation (activation_id, cancelled_on, heard_at)
    VALUES (:activation_id, :cancelled_on, :at)
    ON CONFLICT (activation_id) DO NOTHING
    """
)

_LOCK_ROUNDS = text(
    f"""
    SELECT payment_round.number, cancelled_activation.cancelled_on
    FROM payments.payment_round
    JOIN payments.cancelled_activation USING (activation_id)
    WHERE payment_round.status IN ({among(WAITING)})
    ORDER BY payment_round.number
    FOR NO KEY UPDATE OF payment_round SKIP LOCKED
    """
)

_LOCK_CHUNKS = text(
    """
    SELECT chunk.number, chunk.chunk_id, payment_round.activation_id,
        cancelled_activation.cancelled_on
    FROM payments.chunk
    JOIN payments.payment_round ON payment_round.number = chunk.round_number
    JOIN payments.cancelled_activation USING (activation_id)
    WHERE chunk.status = 'announced'
    ORDER BY chunk.number
    FOR NO KEY UPDATE OF chunk SKIP LOCKED
    """
)

# What may have been sent, before the database lost it, is asked about and not cancelled.
_LOCK_READY = text(
    """
    WITH candidate AS MATERIALIZED (
        SELECT ready.id
        -- The chunks first, then each by itself: a planner that knows of no cancelled activation
        -- would rather look at all that is ready.
        FROM (
            SELECT chunk.number
            FROM payments.cancelled_activation
            JOIN payments.payment_round USING (activation_id)
            JOIN payments.chunk ON chunk.round_number = payment_round.number
            WHERE chunk.status = 'raised'
              AND (payment_round.status = 'refused'
                OR payment_round.status = 'released'
                    AND chunk.epoch = (SELECT events.current_epoch()))
            OFFSET 0
        ) AS stopped
        CROSS JOIN LATERAL (
            SELECT instruction.id
            FROM payments.instruction
            WHERE instruction.chunk_number = stopped.number AND instruction.status = 'ready'
            OFFSET 0
        ) AS ready
        LIMIT :size
    )
    SELECT instruction.id
    FROM candidate
    JOIN payments.instruction ON instruction.id = candidate.id
    WHERE instruction.status = 'ready'
    ORDER BY instruction.id
    FOR NO KEY UPDATE OF instruction SKIP LOCKED
    """
)

_STANDING = text(
    f"""
    WITH whole AS (
        SELECT chunk.number, chunk.currency, chunk.status, chunk.entitlement_count,
            chunk.total_minor, chunk.round_number
        FROM payments.payment_round
        JOIN payments.chunk ON chunk.round_number = payment_round.number
        WHERE payment_round.activation_id = :activation_id
    ),
    announced AS (
        SELECT min(currency) AS currency,
            coalesce(sum(entitlement_count), 0)::bigint AS announced_count,
            coalesce(sum(total_minor), 0)::bigint AS announced_minor,
            coalesce(sum(entitlement_count) FILTER (WHERE status = 'refused'), 0)::bigint
                AS refused_count,
            coalesce(sum(total_minor) FILTER (WHERE status = 'refused'), 0)::bigint
                AS refused_minor,
            count(*) AS chunks
        FROM whole
    ),
    aside AS (
        SELECT count(*) AS unpayable_count,
            coalesce(sum(amount_minor), 0)::bigint AS unpayable_minor
        FROM payments.set_aside
        JOIN whole ON whole.number = set_aside.chunk_number
        WHERE answered_in IS NULL
    ),
    instructed AS (
        SELECT count(*) FILTER (WHERE instruction.status = 'ready') AS waiting_count,
            coalesce(sum(amount_minor) FILTER (WHERE instruction.status = 'ready'), 0)::bigint
                AS waiting_minor,
            count(*) FILTER (WHERE instruction.status = 'ready' AND {PAUSED}) AS paused_count,
            coalesce(
                sum(amount_minor) FILTER (WHERE instruction.status = 'ready' AND {PAUSED}), 0
            )::bigint AS paused_minor,
            count(*) FILTER (WHERE instruction.status = 'ready' AND withheld)
                AS held_by_rule_count,
            coalesce(
                sum(amount_minor) FILTER (WHERE instruction.status = 'ready' AND withheld), 0
            )::bigint AS held_by_rule_minor,
            count(*) FILTER (WHERE instruction.status = 'cancelled') AS cancelled_count,
            coalesce(sum(amount_minor) FILTER (WHERE instruction.status = 'cancelled'), 0)::bigint
                AS cancelled_minor,
            count(*) FILTER (WHERE sent_at IS NOT NULL) AS sent_count,
            coalesce(sum(amount_minor) FILTER (WHERE sent_at IS NOT NULL), 0)::bigint
                AS sent_minor,
            count(*) FILTER (WHERE instruction.status = 'settled') AS paid_count,
            coalesce(sum(amount_minor) FILTER (WHERE instruction.status = 'settled'), 0)::bigint
                AS paid_minor
        FROM payments.instruction
        JOIN whole ON whole.number = instruction.chunk_number
        JOIN payments.payment_round ON payment_round.number = whole.round_number
    )
    SELECT announced.*, aside.*, instructed.*, cancelled.cancelled_on, cancelled.heard_at
    FROM announced
    CROSS JOIN aside
    CROSS JOIN instructed
    LEFT JOIN payments.cancelled_activation AS cancelled
        ON cancelled.activation_id = :activation_id
    """
)


async def keep_cancelled(
    session: AsyncSession, cancelled: ActivationCancelled, *, at: datetime
) -> None:
    """Nothing of an activation is claimed from now on; heard twice, it is kept once."""
    await session.execute(
        _KEEP,
        {
            "activation_id": cancelled.activation_id,
            "cancelled_on": cancelled.cancelled_on,
            "at": at,
        },
    )


async def lock_waiting_rounds(session: AsyncSession) -> Sequence[AnyRow]:
    """Lock rounds of cancelled activations that are not decided on."""
    return (await session.execute(_LOCK_ROUNDS)).all()


async def lock_announced_chunks(session: AsyncSession) -> Sequence[AnyRow]:
    """Lock chunks of cancelled activations that are not raised."""
    return (await session.execute(_LOCK_CHUNKS)).all()


async def lock_ready(session: AsyncSession, *, size: int) -> list[UUID]:
    """Lock instructions of cancelled activations that were not sent."""
    return list((await session.execute(_LOCK_READY, {"size": size})).scalars())


async def find_standing(session: AsyncSession, activation_id: UUID) -> AnyRow:
    """How much of an activation was announced, stopped and sent."""
    return (await session.execute(_STANDING, {"activation_id": activation_id})).one()
