"""Reading instructions, and the row of a new attempt."""

from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.instructions.schemas import (
    Instruction,
    InstructionHistory,
    InstructionMove,
    InstructionTransfer,
)
from services.payments.instructions.states import EXCLUSIVE, Status

_EXCLUSIVE = ", ".join(f"'{status}'" for status in EXCLUSIVE)
_OTHERS = ", ".join(f"'{status}'" for status in Status if status not in EXCLUSIVE)

_SELECT = """
    SELECT instruction.id, instruction.entitlement_id, instruction.household_id,
        payment_round.activation_id, chunk.chunk_id, payment_round.scheme, payment_round.round,
        provider.code AS provider, instruction.amount_minor, chunk.currency,
        instruction.status::text AS status, instruction.attempt, instruction.reason,
        instruction.transaction_reference, instruction.finished_at
    FROM payments.instruction
    JOIN payments.chunk ON chunk.number = instruction.chunk_number
    JOIN payments.payment_round ON payment_round.number = chunk.round_number
    JOIN payments.provider ON provider.number = instruction.provider_number
"""

_FILTERS = {
    "activation_id": "payment_round.activation_id = :activation_id",
    "chunk_id": "chunk.chunk_id = :chunk_id",
    "provider": "provider.code = :provider",
    "status": "instruction.status = CAST(CAST(:status AS text) AS payments.instruction_status)",
    # Two partial indexes share the entitlements between them.
    "entitlement_id": (
        f"(instruction.entitlement_id = :entitlement_id AND instruction.status IN ({_EXCLUSIVE})"
        f" OR instruction.entitlement_id = :entitlement_id AND instruction.status IN ({_OTHERS}))"
    ),
}

_GET = text(_SELECT + " WHERE instruction.id = :id")

_MOVES = text(
    """
    SELECT from_status::text AS from_status, to_status::text AS to_status, moved_at, actor, reason
    FROM payments.instruction_move
    WHERE instruction_id = :id
    ORDER BY position
    """
)

_TRANSFERS = text(
    """
    SELECT transfer.id, transfer.code::text AS code,
        debit.code || ' ' || debit.scope AS debit, credit.code || ' ' || credit.scope AS credit,
        transfer.amount_minor, transfer.currency, transfer.posted_at
    FROM payments.transfer
    JOIN payments.account AS debit ON debit.id = transfer.debit_account
    JOIN payments.account AS credit ON credit.id = transfer.credit_account
    WHERE transfer.payment_instruction_id = :id
    ORDER BY transfer.id
    """
)

_NEW_ATTEMPT = text(
    """
    INSERT INTO payments.instruction (id, entitlement_id, household_id, amount_minor, chunk_number,
        status, provider_number, attempt, account_sealed)
    SELECT :id, entitlement_id, household_id, amount_minor, chunk_number,
        'ready', provider_number, attempt + 1, account_sealed
    FROM payments.instruction
    WHERE id = :of
    """
)

_HAS_LATER_ATTEMPT = text(
    f"""
    SELECT EXISTS (
        SELECT 1
        FROM payments.instruction AS this
        JOIN payments.instruction ON instruction.entitlement_id = this.entitlement_id
            AND instruction.attempt > this.attempt
        WHERE this.id = :id
          AND (instruction.status IN ({_EXCLUSIVE}) OR instruction.status IN ({_OTHERS}))
    )
    """
)

_ROUND_OF = text(
    """
    SELECT payment_round.status::text AS status, chunk.fund, chunk.currency
    FROM payments.instruction
    JOIN payments.chunk ON chunk.number = instruction.chunk_number
    JOIN payments.payment_round ON payment_round.number = chunk.round_number
    WHERE instruction.id = :id
    """
)


async def list_instructions(
    session: AsyncSession, *, after: UUID, limit: int, filters: dict[str, Any]
) -> list[Instruction]:
    """Instructions in the order of their ids; ``filters`` by name, those that are None left out."""
    given = {name: value for name, value in filters.items() if value is not None}
    conditions = " AND ".join(["instruction.id > :after", *(_FILTERS[name] for name in given)])
    rows = await session.execute(
        text(f"{_SELECT} WHERE {conditions} ORDER BY instruction.id LIMIT :limit"),
        {"after": after, "limit": limit, **given},
    )
    return [Instruction.model_validate(row._asdict()) for row in rows]


async def find_history(session: AsyncSession, instruction_id: UUID) -> InstructionHistory | None:
    """An instruction with its moves and transfers."""
    row = (await session.execute(_GET, {"id": instruction_id})).one_or_none()
    if row is None:
        return None
    moves = await session.execute(_MOVES, {"id": instruction_id})
    transfers = await session.execute(_TRANSFERS, {"id": instruction_id})
    return InstructionHistory(
        **row._mapping,
        moves=[InstructionMove.model_validate(move._asdict()) for move in moves],
        transfers=[InstructionTransfer.model_validate(one._asdict()) for one in transfers],
    )


async def insert_attempt(session: AsyncSession, *, instruction_id: UUID, of: UUID) -> None:
    """A ready instruction like the one it follows; raises IntegrityError beside a live one."""
    await session.execute(_NEW_ATTEMPT, {"id": instruction_id, "of": of})


async def has_later_attempt(session: AsyncSession, instruction_id: UUID) -> bool:
    """Whether the entitlement has an attempt after this one."""
    return bool(await session.scalar(_HAS_LATER_ATTEMPT, {"id": instruction_id}))


async def round_of(session: AsyncSession, instruction_id: UUID) -> tuple[str, str, str]:
    """The round's status, its fund and its currency."""
    row = (await session.execute(_ROUND_OF, {"id": instruction_id})).one()
    return row.status, row.fund, row.currency
