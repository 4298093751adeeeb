"""SQL of one entitlement's payments with all their moves."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.instructions.states import EXCLUSIVE, NOT_EXCLUSIVE
from services.payments.statements import AnyRow, among
from shared.bounds import Bound, codes_of, within_text

# Two partial indexes share the entitlements between them.
_ATTEMPTS = text(
    f"""
    SELECT * FROM (
    SELECT instruction.id, instruction.household_id, payment_round.activation_id,
        payment_round.scheme, payment_round.round, payment_round.status AS round_status,
        chunk.currency, chunk.announced_at, chunk.raised_at, provider.code AS provider,
        provider.name AS provider_name, instruction.amount_minor, instruction.paid_minor,
        instruction.status, instruction.reason, instruction.transaction_reference,
        instruction.finished_at, cash_list.claim_by, instruction.announcement,
        instruction.attempt,
        bool_and({within_text("instruction.area_code")}) OVER () AS is_theirs
    FROM payments.instruction
    JOIN payments.chunk ON chunk.number = instruction.chunk_number
    JOIN payments.payment_round ON payment_round.number = chunk.round_number
    JOIN payments.provider ON provider.number = instruction.provider_number
    -- What is to be fetched by hand, until a day.
    LEFT JOIN payments.cash_line ON cash_line.instruction_id = instruction.id
        AND cash_line.outcome IS NULL AND instruction.status = 'sending'
    LEFT JOIN payments.cash_list ON cash_list.id = cash_line.list_id
    WHERE instruction.entitlement_id = :entitlement_id
      AND (instruction.status IN ({among(EXCLUSIVE)})
        OR instruction.status IN ({among(NOT_EXCLUSIVE)}))
    ) AS attempts
    -- Whoever is bound to areas is told of it where all of it was in them.
    WHERE is_theirs
    ORDER BY announcement, attempt
    """
)

_MOVES = text(
    """
    SELECT move.instruction_id, move.from_status, move.to_status, move.reason, entry.posted_at
    FROM payments.instruction_move AS move
    JOIN payments.journal_entry AS entry ON entry.number = move.entry_number
    WHERE move.instruction_id = ANY(:ids)
    ORDER BY move.instruction_id, move.position
    """
)


async def attempts_of(
    session: AsyncSession, entitlement_id: UUID, *, bound: Bound
) -> Sequence[AnyRow]:
    """Every attempt to pay an entitlement, in order."""
    rows = await session.execute(
        _ATTEMPTS, {"entitlement_id": entitlement_id, "bound": codes_of(bound)}
    )
    return rows.all()


async def moves_of(session: AsyncSession, ids: Sequence[UUID]) -> Sequence[AnyRow]:
    """The moves of these instructions, each's in order."""
    return (await session.execute(_MOVES, {"ids": list(ids)})).all()
