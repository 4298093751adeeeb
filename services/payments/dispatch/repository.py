"""Which instructions are to be sent, to be given up as unknown, or to be asked about."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.instructions.moves import Waits
from services.payments.instructions.states import Status
from services.payments.providers.protocol import Order
from shared.money import Money

_CLAIM_LOCK = 7_205_011
_LOCK_CLAIMS = text("SELECT pg_try_advisory_xact_lock(:claim, :provider_number)")

# The float falls only by what is claimed, so under the claimer's lock the running sum cannot
# overdraw it; what it does not cover stays ready, unlocked, and is seen in GET /providers.
_PICK_READY = """
    WITH candidate AS MATERIALIZED (
        SELECT ready.*, open.currency
        FROM (
            SELECT chunk.number, chunk.currency
            FROM payments.chunk
            JOIN payments.payment_round ON payment_round.number = chunk.round_number
            WHERE chunk.status = 'raised' AND payment_round.status = 'released'
              AND {of_chunks}
            ORDER BY chunk.number
        ) AS open
        CROSS JOIN LATERAL (
            SELECT id, amount_minor
            FROM payments.instruction
            WHERE chunk_number = open.number
              AND status = 'ready'
              AND provider_number = :provider_number
            LIMIT :size
        ) AS ready
        LIMIT :size
    ),
    covered AS MATERIALIZED (
        SELECT id, currency
        FROM (
            SELECT candidate.*, sum(amount_minor) OVER (ORDER BY id) AS running FROM candidate
        ) AS running
        WHERE running <= (
            SELECT debits_minor - credits_minor
            FROM payments.account
            WHERE code = 'PROVIDER_FLOAT' AND scope = :provider
        )
    )
    SELECT instruction.id, household_id, amount_minor, currency, account_sealed
    FROM covered
    JOIN payments.instruction ON instruction.id = covered.id
    WHERE instruction.status = 'ready'
    ORDER BY instruction.id
    FOR NO KEY UPDATE OF instruction SKIP LOCKED
"""

_NOT_CANCELLED = """
    NOT EXISTS (
        SELECT FROM payments.cancelled_activation AS cancelled
        WHERE cancelled.activation_id = payment_round.activation_id
    )
"""

_PICK_UNSENT = text(
    _PICK_READY.format(
        of_chunks=f"chunk.epoch = (SELECT events.current_epoch()) AND {_NOT_CANCELLED}"
    )
)

# In a later epoch than its chunk was announced in, what is ready may have been sent before: the
# database may have lost that it was.
_PICK_PERHAPS_SENT = text(
    _PICK_READY.format(of_chunks="chunk.epoch < (SELECT events.current_epoch())")
)

_PICK_EXPIRED = text(
    """
    SELECT id FROM payments.instruction
    WHERE status = 'sending' AND next_action_at <= clock_timestamp()
    ORDER BY next_action_at
    LIMIT :size
    FOR NO KEY UPDATE SKIP LOCKED
    """
)

_ORDERS = text(
    f"""
    SELECT instruction.id, household_id, amount_minor, chunk.currency, account_sealed
    FROM payments.instruction
    JOIN payments.chunk ON chunk.number = instruction.chunk_number
    JOIN payments.payment_round ON payment_round.number = chunk.round_number
    WHERE id = ANY(:ids) AND instruction.status = 'unknown'
      AND (instruction.resend_approved_at IS NOT NULL OR {_NOT_CANCELLED})
    ORDER BY instruction.id
    FOR NO KEY UPDATE OF instruction
    """
)


def _pick_due(waits: Waits) -> TextClause:
    after_this = "instruction.inquiries + 1"
    return text(
        f"""
        WITH due AS MATERIALIZED (
            SELECT id FROM payments.instruction
            WHERE status IN ('pending', 'unknown')
              AND provider_number = :provider_number
              AND next_action_at <= clock_timestamp()
            ORDER BY next_action_at
            LIMIT :size
            FOR NO KEY UPDATE SKIP LOCKED
        )
        UPDATE payments.instruction
        SET inquiries = least(instruction.inquiries + 1, 1000),
            next_action_at = clock_timestamp() + make_interval(secs => CASE instruction.status
                WHEN 'pending' THEN {waits.pending.sql(after_this)}
                ELSE {waits.unknown.sql(after_this)}
            END)
        FROM due
        WHERE instruction.id = due.id
        RETURNING instruction.id, instruction.status::text AS status,
            instruction.server_correlation_id,
            instruction.resend_approved_at IS NOT NULL
                OR instruction.sent_at <= clock_timestamp() - make_interval(secs => :grace_seconds)
                AS may_be_resent
        """
    )


@dataclass(frozen=True, slots=True)
class Due:
    """An instruction that the provider is to be asked about."""

    instruction_id: UUID
    status: Status
    server_correlation_id: UUID | None
    may_be_resent: bool
    """The grace period has passed since it was last sent, or two persons want it sent again."""


async def pick_ready(
    session: AsyncSession,
    *,
    provider: str,
    provider_number: int,
    size: int,
    perhaps_sent: bool = False,
) -> list[Order]:
    """Lock ready instructions of released rounds, no more than the provider's float covers.

    Those that were certainly never sent; or, ``perhaps_sent``, the others.
    """
    mine = await session.scalar(
        _LOCK_CLAIMS, {"claim": _CLAIM_LOCK, "provider_number": provider_number}
    )
    if not mine:
        return []
    rows = await session.execute(
        _PICK_PERHAPS_SENT if perhaps_sent else _PICK_UNSENT,
        {"provider": provider, "provider_number": provider_number, "size": size},
    )
    return [_order(row) for row in rows]


async def pick_expired(session: AsyncSession, *, size: int) -> list[UUID]:
    """Lock instructions whose sender did not come back within its lease."""
    return list((await session.execute(_PICK_EXPIRED, {"size": size})).scalars())


async def pick_due(
    session: AsyncSession,
    *,
    provider_number: int,
    size: int,
    waits: Waits,
    resend_grace_seconds: float,
) -> list[Due]:
    """Instructions to ask about now; each is put off already, in case nobody comes back."""
    rows = await session.execute(
        _pick_due(waits),
        {
            "provider_number": provider_number,
            "size": size,
            "grace_seconds": resend_grace_seconds,
        },
    )
    return [
        Due(
            instruction_id=row.id,
            status=Status(row.status),
            server_correlation_id=row.server_correlation_id,
            may_be_resent=bool(row.may_be_resent),
        )
        for row in rows
    ]


async def lock_unknown(session: AsyncSession, ids: list[UUID]) -> list[Order]:
    """Lock those that are still unknown, to send them again.

    Not those whose activation was cancelled, unless two persons want it.
    """
    return [_order(row) for row in await session.execute(_ORDERS, {"ids": ids})]


def _order(row: Row[Any]) -> Order:
    return Order(
        instruction_id=row.id,
        household_id=row.household_id,
        money=Money(row.amount_minor, row.currency),
        account_sealed=row.account_sealed,
    )
