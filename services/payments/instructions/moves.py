"""The only writer of an instruction's state.

One statement for a whole set: the state, its history and its postings change together or not at
all. What is not a legal move from the state that the row is in does not move, and is not returned.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.instructions.states import ENDS, MOVES, Status
from services.payments.ledger.accounts import ACCOUNT_KINDS, AccountCode


@dataclass(frozen=True, slots=True)
class Move:
    """Where an instruction is to go, and what was learnt."""

    instruction_id: UUID
    target: Status
    reason: str | None = None
    transaction_reference: str | None = None
    server_correlation_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Waits:
    """How long, in seconds of the database's clock, until something is done about it again."""

    lease_seconds: float
    unknown_seconds: float
    pending_seconds: float
    longest_seconds: float


def _scope(code: AccountCode) -> str:
    return ACCOUNT_KINDS[code].scope.value


_STATUS = "payments.instruction_status"
_LEGAL = ", ".join(
    f"(CAST('{before}' AS {_STATUS}), CAST('{after}' AS {_STATUS}))" for before, after in MOVES
)
_POSTINGS = ",\n        ".join(
    f"('{before}', '{after}', '{posting.code}', "
    f"'{posting.debit}', '{_scope(posting.debit)}', '{posting.credit}', '{_scope(posting.credit)}')"
    for (before, after), postings in MOVES.items()
    for posting in postings
)
_ENDS = ", ".join(f"'{status}'" for status in ENDS)

_MOVE = text(
    f"""
    WITH input AS MATERIALIZED (
        SELECT id, CAST(target AS {_STATUS}) AS target, reason, transaction_reference,
            server_correlation_id
        FROM unnest(
            CAST(:ids AS uuid[]), CAST(:targets AS text[]),
            CAST(:reasons AS text[]), CAST(:references AS text[]), CAST(:correlations AS uuid[])
        ) AS input (id, target, reason, transaction_reference, server_correlation_id)
    ),
    moved AS (
        UPDATE payments.instruction
        SET status = input.target,
            moves = instruction.moves + 1,
            inquiries = CASE WHEN input.target = 'pending' THEN 0 ELSE instruction.inquiries END,
            next_action_at = clock_timestamp() + make_interval(secs => CASE input.target
                WHEN 'sending' THEN :lease_seconds
                WHEN 'unknown' THEN
                    least(:unknown_seconds * 2 ^ least(instruction.inquiries, 20), :longest_seconds)
                WHEN 'pending' THEN CAST(:pending_seconds AS float8)
            END),
            sent_at = CASE WHEN input.target = 'sending' THEN clock_timestamp()
                ELSE instruction.sent_at END,
            finished_at = CASE WHEN input.target IN ({_ENDS}) THEN CAST(:at AS timestamptz) END,
            reason = CASE WHEN input.target IN ('rejected', 'held', 'returned', 'cancelled')
                THEN input.reason END,
            transaction_reference =
                coalesce(input.transaction_reference, instruction.transaction_reference),
            server_correlation_id =
                coalesce(input.server_correlation_id, instruction.server_correlation_id)
        FROM input
        WHERE instruction.id = input.id
          AND (instruction.status, input.target) IN (VALUES {_LEGAL})
        RETURNING instruction.id, instruction.amount_minor, instruction.chunk_number,
            instruction.provider_number, old.status AS from_status, new.status AS to_status,
            new.moves AS position, input.reason
    ),
    remembered AS (
        INSERT INTO payments.instruction_move
            (instruction_id, position, from_status, to_status, moved_at, actor, reason)
        SELECT id, position, from_status, to_status, :at, :actor, reason
        FROM moved
    ),
    posting (from_status, to_status, code, debit, debit_scope, credit, credit_scope) AS (VALUES
        {_POSTINGS}
    ),
    posted AS (
        INSERT INTO payments.transfer (payment_instruction_id, debit_account, credit_account,
            amount_minor, currency, code, posted_at)
        SELECT moved.id, debit.id, credit.id, moved.amount_minor, chunk.currency,
            CAST(posting.code AS payments.transfer_code), :at
        FROM moved
        JOIN payments.chunk ON chunk.number = moved.chunk_number
        JOIN payments.provider ON provider.number = moved.provider_number
        JOIN posting ON CAST(posting.from_status AS payments.instruction_status) = moved.from_status
            AND CAST(posting.to_status AS payments.instruction_status) = moved.to_status
        -- An account that is missing makes a null here, and the whole statement fails.
        LEFT JOIN payments.account AS debit
            ON debit.code = CAST(posting.debit AS payments.account_code)
            AND debit.scope =
                CASE posting.debit_scope WHEN 'fund' THEN chunk.fund ELSE provider.code END
        LEFT JOIN payments.account AS credit
            ON credit.code = CAST(posting.credit AS payments.account_code)
            AND credit.scope =
                CASE posting.credit_scope WHEN 'fund' THEN chunk.fund ELSE provider.code END
    )
    SELECT id FROM moved
    """
)


async def move(
    session: AsyncSession, moves: Sequence[Move], *, actor: str, at: datetime, waits: Waits
) -> set[UUID]:
    """Make every legal one of ``moves``, with its history and postings; returns which moved.

    ``moves`` names each instruction once, and the caller holds their row locks (taken in the order
    of the ids), so that two sets never wait for each other in a circle. Raises IntegrityError
    where an account would be overdrawn: then nothing has moved.
    """
    if not moves:
        return set()
    rows = await session.execute(
        _MOVE,
        {
            "ids": [one.instruction_id for one in moves],
            "targets": [one.target.value for one in moves],
            "reasons": [one.reason for one in moves],
            "references": [one.transaction_reference for one in moves],
            "correlations": [one.server_correlation_id for one in moves],
            "actor": actor,
            "at": at,
            "lease_seconds": waits.lease_seconds,
            "unknown_seconds": waits.unknown_seconds,
            "pending_seconds": waits.pending_seconds,
            "longest_seconds": waits.longest_seconds,
        },
    )
    return set(rows.scalars())
