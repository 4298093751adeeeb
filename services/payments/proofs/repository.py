"""The proofs' SQL. Each compares two things that were written separately."""

from collections.abc import Sequence
from typing import TypeAlias
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.instructions.states import DIFFERENCES, EXCLUSIVE, LIVE
from services.payments.ledger.accounts import TransferCode
from services.payments.proofs.legal_postings import legal_postings
from services.payments.statements import AnyRow, among

Statement: TypeAlias = TextClause
"""What a proof reads: two things that were written separately, side by side."""

_BITS = {code: 1 << position for position, code in enumerate(TransferCode)}
_CODE_BITS = ", ".join(
    f"(CAST('{code}' AS payments.transfer_code), {bit})" for code, bit in _BITS.items()
)
_LEGAL = ", ".join(
    f"(CAST('{status}' AS payments.instruction_status), {sum(_BITS[code] for code in codes)})"
    for status, codes in sorted(
        legal_postings(), key=lambda reached: (reached[0], sorted(reached[1]))
    )
)
_DIFFERENCES = among(sorted(DIFFERENCES))
_OTHER_AMOUNTS = among(sorted({*DIFFERENCES, TransferCode.RETURNED}))
"""What carries another amount than the one ordered, where another one was paid."""

BOOKS = text(
    """
    SELECT book::text AS book, currency,
        sum(debits_minor)::bigint AS debits_minor, sum(credits_minor)::bigint AS credits_minor
    FROM payments.account
    GROUP BY book, currency
    ORDER BY book, currency
    """
)

BALANCES = text(
    """
    SELECT count(*) AS accounts,
        count(*) FILTER (
            WHERE account.debits_minor <> coalesce(debit.minor, 0)
               OR account.credits_minor <> coalesce(credit.minor, 0)
        ) AS different
    FROM payments.account
    LEFT JOIN (
        SELECT debit_account AS id, sum(amount_minor) AS minor
        FROM payments.transfer GROUP BY debit_account
    ) AS debit USING (id)
    LEFT JOIN (
        SELECT credit_account AS id, sum(amount_minor) AS minor
        FROM payments.transfer GROUP BY credit_account
    ) AS credit USING (id)
    """
)

COMMITMENTS = text(
    f"""
    WITH posted AS (
        SELECT account.scope AS fund,
            sum(amount_minor) FILTER (WHERE account.id = transfer.debit_account) AS committed,
            sum(amount_minor) FILTER (WHERE transfer.code = 'commitment_spent') AS paid,
            sum(amount_minor) FILTER (
                WHERE transfer.code IN ('commitment_released', 'held_released')
            ) AS released
        FROM payments.account
        JOIN payments.transfer ON account.id IN (transfer.debit_account, transfer.credit_account)
        WHERE account.code = 'COMMITTED'
        GROUP BY account.scope
    ),
    instructed AS (
        SELECT chunk.fund,
            sum(instruction.amount_minor) FILTER (WHERE instruction.status IN ({among(LIVE)}))
                AS in_flight
        FROM payments.payment_round
        JOIN payments.chunk ON chunk.round_number = payment_round.number
        JOIN payments.instruction ON instruction.chunk_number = chunk.number
        WHERE payment_round.status = 'released'
        GROUP BY chunk.fund
    )
    SELECT fund.code AS fund, fund.currency,
        coalesce(posted.committed, 0)::bigint AS committed_minor,
        coalesce(posted.paid, 0)::bigint AS paid_minor,
        coalesce(instructed.in_flight, 0)::bigint AS in_flight_minor,
        coalesce(posted.released, 0)::bigint AS released_minor
    FROM payments.fund
    LEFT JOIN posted ON posted.fund = fund.code
    LEFT JOIN instructed ON instructed.fund = fund.code
    ORDER BY fund.code
    """
)

PROVIDERS = text(
    """
    SELECT provider.code AS provider,
        coalesce(account.in_transit, 0)::bigint AS in_transit_minor,
        coalesce(instructed.in_flight, 0)::bigint AS in_flight_minor,
        coalesce(account.suspense, 0)::bigint AS suspense_minor,
        coalesce(instructed.held, 0)::bigint AS held_minor
    FROM payments.provider
    LEFT JOIN (
        SELECT scope,
            sum(debits_minor - credits_minor) FILTER (WHERE code = 'IN_TRANSIT') AS in_transit,
            sum(debits_minor - credits_minor) FILTER (WHERE code = 'SUSPENSE') AS suspense
        FROM payments.account
        GROUP BY scope
    ) AS account ON account.scope = provider.code
    LEFT JOIN (
        SELECT provider_number,
            sum(amount_minor) FILTER (WHERE status IN ('sending', 'pending', 'unknown'))
                AS in_flight,
            sum(amount_minor) FILTER (WHERE status = 'held') AS held
        FROM payments.instruction
        GROUP BY provider_number
    ) AS instructed ON instructed.provider_number = provider.number
    ORDER BY provider.code
    """
)

TWICE = text(
    f"""
    SELECT count(*) AS entitlements,
        count(*) FILTER (WHERE claims > 1) AS claimed_twice,
        count(*) FILTER (WHERE settled > 1) AS settled_twice
    FROM (
        SELECT count(*) FILTER (WHERE status IN ({among(EXCLUSIVE)})) AS claims,
            count(*) FILTER (WHERE status = 'settled') AS settled
        FROM payments.instruction
        GROUP BY entitlement_id
    ) AS entitlement
    """
)

POSTINGS = text(
    f"""
    SELECT count(*) AS instructions,
        count(*) FILTER (
            WHERE (
                    instruction.status,
                    coalesce(posted.codes, 0) & ~:attempt_bit
                        | CASE posted.sendings WHEN 1 THEN {_BITS[TransferCode.SENT]} ELSE 0 END
                ) NOT IN (VALUES {_LEGAL})
                -- What was never reserved is cancelled without a posting.
                AND NOT (instruction.status = 'cancelled' AND posted.codes IS NULL
                    AND payment_round.status = 'refused')
               OR posted.sendings NOT IN (0, 1)
               OR (instruction.attempt > 1) <> (coalesce(posted.codes, 0) & :attempt_bit <> 0)
        ) AS other_codes,
        count(*) FILTER (
            WHERE posted.least <> instruction.amount_minor
               OR posted.most <> instruction.amount_minor
               OR posted.returned <> coalesce(instruction.paid_minor, instruction.amount_minor)
               OR posted.least_difference <> abs(instruction.paid_minor - instruction.amount_minor)
               OR posted.most_difference <> abs(instruction.paid_minor - instruction.amount_minor)
               OR (posted.most_difference IS NOT NULL AND instruction.paid_minor IS NULL)
               OR (posted.most_difference IS NULL AND instruction.status = 'settled'
                   AND instruction.paid_minor <> instruction.amount_minor)
        ) AS other_amounts,
        coalesce(sum(posted.transfers), 0)::bigint AS transfers,
        (SELECT count(*) FROM payments.transfer WHERE payment_instruction_id IS NOT NULL)
            AS transfers_of_instructions
    FROM payments.instruction
    JOIN payments.chunk ON chunk.number = instruction.chunk_number
    JOIN payments.payment_round ON payment_round.number = chunk.round_number
    LEFT JOIN (
        SELECT payment_instruction_id AS id, count(*) AS transfers,
            coalesce(bit_or(code_bit.bit) FILTER (WHERE code NOT IN ('sent', 'not_sent')), 0)
                AS codes,
            count(*) FILTER (WHERE code = 'sent') - count(*) FILTER (WHERE code = 'not_sent')
                AS sendings,
            min(amount_minor) FILTER (WHERE code NOT IN ({_OTHER_AMOUNTS})) AS least,
            max(amount_minor) FILTER (WHERE code NOT IN ({_OTHER_AMOUNTS})) AS most,
            min(amount_minor) FILTER (WHERE code IN ({_DIFFERENCES})) AS least_difference,
            max(amount_minor) FILTER (WHERE code IN ({_DIFFERENCES})) AS most_difference,
            max(amount_minor) FILTER (WHERE code = 'returned') AS returned
        FROM payments.transfer
        JOIN (VALUES {_CODE_BITS}) AS code_bit (code, bit) USING (code)
        WHERE payment_instruction_id IS NOT NULL
        GROUP BY payment_instruction_id
    ) AS posted ON posted.id = instruction.id
    """
).bindparams(attempt_bit=_BITS[TransferCode.ATTEMPT_RESERVED])

HISTORY = text(
    """
    SELECT count(*) AS instructions,
        count(*) FILTER (WHERE instruction.moves <> coalesce(history.moves, 0)) AS other_history,
        count(*) FILTER (WHERE last.instruction_id IS NULL AND instruction.moves > 0)
            AS other_state
    FROM payments.instruction
    LEFT JOIN (
        SELECT instruction_id, count(*) AS moves
        FROM payments.instruction_move GROUP BY instruction_id
    ) AS history ON history.instruction_id = instruction.id
    LEFT JOIN payments.instruction_move AS last ON last.instruction_id = instruction.id
        AND last.position = instruction.moves AND last.to_status = instruction.status
    """
)

CHUNKS = text(
    """
    SELECT count(*) AS chunks,
        coalesce(sum(aside.count), 0)::bigint AS set_aside,
        count(*) FILTER (
            WHERE coalesce(raised.count, 0) + coalesce(aside.count, 0) <>
                CASE WHEN chunk.status IN ('raised', 'settled') THEN entitlement_count ELSE 0 END
               OR coalesce(raised.minor, 0) + coalesce(aside.minor, 0) <>
                CASE WHEN chunk.status IN ('raised', 'settled') THEN total_minor ELSE 0 END
               OR (chunk.set_aside_count, chunk.set_aside_minor)
                <> (coalesce(aside.count, 0), coalesce(aside.minor, 0))
        ) AS different
    FROM payments.chunk
    LEFT JOIN (
        SELECT chunk_number AS number, count(*) AS count, sum(amount_minor) AS minor
        FROM payments.set_aside
        GROUP BY chunk_number
    ) AS aside USING (number)
    LEFT JOIN (
        SELECT chunk_number AS number, count(*) AS count, sum(amount_minor) AS minor
        FROM payments.instruction
        WHERE attempt = 1
        GROUP BY chunk_number
    ) AS raised USING (number)
    """
)


_SNAPSHOT = text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")

_ACTIVATION = text(
    """
    SELECT min(chunk.currency) AS currency,
        sum(chunk.entitlement_count) AS entitlements_announced,
        sum(chunk.total_minor) AS announced_minor,
        count(*) FILTER (WHERE chunk.status = 'refused') AS refused_chunks,
        count(DISTINCT payment_round.number) FILTER (WHERE payment_round.status = 'unfunded')
            AS unfunded_rounds
    FROM payments.payment_round
    JOIN payments.chunk ON chunk.round_number = payment_round.number
    WHERE payment_round.activation_id = :activation_id
    HAVING count(*) > 0
    """
)

_PAYMENTS = text(
    """
    SELECT provider.code AS provider, instruction.status::text AS status, instruction.reason,
        count(*) AS count, sum(instruction.amount_minor)::bigint AS amount_minor,
        min(instruction.finished_at) AS first_finished_at,
        max(instruction.finished_at) AS last_finished_at
    FROM payments.payment_round
    JOIN payments.chunk ON chunk.round_number = payment_round.number
    JOIN payments.instruction ON instruction.chunk_number = chunk.number
    JOIN payments.provider ON provider.number = instruction.provider_number
    WHERE payment_round.activation_id = :activation_id
    GROUP BY provider.code, instruction.status, instruction.reason
    ORDER BY provider.code, instruction.status, instruction.reason
    """
)


async def begin_snapshot(session: AsyncSession) -> None:
    """Have everything that the session's transaction reads come from one moment."""
    await session.execute(_SNAPSHOT)


async def numbers_of(session: AsyncSession, statement: Statement) -> Sequence[AnyRow]:
    """The rows of one of the proofs."""
    return (await session.execute(statement)).all()


async def find_activation(session: AsyncSession, activation_id: UUID) -> AnyRow | None:
    """What was announced of an activation; None: nothing yet."""
    return (await session.execute(_ACTIVATION, {"activation_id": activation_id})).one_or_none()


async def payments_of(session: AsyncSession, activation_id: UUID) -> Sequence[AnyRow]:
    """An activation's payments by provider, state and reason."""
    return (await session.execute(_PAYMENTS, {"activation_id": activation_id})).all()
