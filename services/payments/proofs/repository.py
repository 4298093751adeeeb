"""The proofs' SQL. Each compares two things that were written separately."""

from collections.abc import Sequence
from typing import TypeAlias
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.instructions.postings import IS_OF_THE_CHUNK, POSTING_ROWS, scope_of
from services.payments.instructions.states import EXCLUSIVE, LIVE, MOVES
from services.payments.ledger.accounts import REVERSED_BY, TransferCode
from services.payments.statements import AnyRow, among, legal

Statement: TypeAlias = TextClause
"""What a proof reads: two things that were written separately, side by side."""

_LEGAL = legal(MOVES, enum_type="instruction_status")
_REVERSED_ROWS = ", ".join(f"('{code}', '{reversal}')" for code, reversal in REVERSED_BY.items())
_WAS_SETTLED = """EXISTS (
    SELECT FROM payments.instruction_move AS move
    WHERE move.instruction_id = instruction.id AND move.to_status = 'settled'
)"""
_RECLAIMED = """EXISTS (
    SELECT FROM payments.reclaim_item WHERE reclaim_item.instruction_id = instruction.id
)"""
_OF_MOVES = among(sorted({posting.code for postings in MOVES.values() for posting in postings}))

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

# By line, as COMMITMENTS and what was paid are by fund.
LINES = text(
    f"""
    WITH instructed AS (
        SELECT chunk.fund, chunk.budget_line,
            sum(instruction.amount_minor) FILTER (WHERE instruction.status IN ({among(LIVE)}))
                AS in_flight,
            sum(coalesce(paid_minor, amount_minor)) FILTER (
                WHERE instruction.status = 'settled'
                   OR instruction.status = 'returned' AND {_WAS_SETTLED} AND NOT {_RECLAIMED}
            ) AS paid
        FROM payments.payment_round
        JOIN payments.chunk ON chunk.round_number = payment_round.number
        JOIN payments.instruction ON instruction.chunk_number = chunk.number
        WHERE payment_round.status = 'released' AND chunk.budget_line IS NOT NULL
        GROUP BY chunk.fund, chunk.budget_line
    )
    SELECT line.fund, line.code AS budget_line,
        coalesce(account.committed, 0)::bigint AS committed_minor,
        coalesce(instructed.in_flight, 0)::bigint AS in_flight_minor,
        coalesce(account.spent, 0)::bigint AS spent_minor,
        coalesce(instructed.paid, 0)::bigint AS paid_minor
    FROM payments.budget_line AS line
    LEFT JOIN (
        SELECT scope,
            sum(debits_minor - credits_minor) FILTER (WHERE code = 'LINE_COMMITTED') AS committed,
            sum(debits_minor - credits_minor) FILTER (WHERE code = 'LINE_SPENT') AS spent
        FROM payments.account
        GROUP BY scope
    ) AS account ON account.scope = line.fund || '/' || line.code
    LEFT JOIN instructed
        ON (instructed.fund, instructed.budget_line) = (line.fund, line.code)
    ORDER BY line.fund, line.code
    """
)

RESERVATIONS = text(
    """
    SELECT fund.code AS fund, fund.currency,
        coalesce(account.minor, 0)::bigint AS posted_minor,
        coalesce(kept.minor, 0)::bigint AS kept_minor
    FROM payments.fund
    LEFT JOIN (
        SELECT scope, debits_minor - credits_minor AS minor
        FROM payments.account WHERE code = 'RESERVED'
    ) AS account ON account.scope = fund.code
    LEFT JOIN (
        SELECT fund, sum(reserved_minor) AS minor FROM payments.reservation GROUP BY fund
    ) AS kept ON kept.fund = fund.code
    ORDER BY fund.code
    """
)

PROVIDERS = text(
    """
    SELECT provider.code AS provider,
        coalesce(account.in_transit, 0)::bigint AS in_transit_minor,
        coalesce(instructed.in_flight, 0)::bigint AS in_flight_minor,
        coalesce(account.suspense, 0)::bigint AS suspense_minor,
        coalesce(instructed.held, 0)::bigint AS held_minor,
        coalesce(stated.gone, 0)::bigint AS gone_on_statements_minor
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
    LEFT JOIN (
        SELECT statement.provider_number, sum(statement_difference.suspense_minor) AS gone
        FROM payments.statement_difference
        JOIN payments.statement ON statement.number = statement_difference.statement_number
        WHERE statement_difference.closed_at IS NULL AND statement.superseded_at IS NULL
        GROUP BY statement.provider_number
    ) AS stated ON stated.provider_number = provider.number
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

# What each journal entry should say by the moves that are its lines, one by one; what it says.
POSTINGS = text(
    f"""
    WITH posting (from_status, to_status, differs, code, debit, debit_scope, credit, credit_scope)
    AS (VALUES
        {POSTING_ROWS}
    ),
    owed AS (
        SELECT move.entry_number, posting.code,
            posting.debit || ' ' || {scope_of("posting.debit_scope")} AS debit,
            posting.credit || ' ' || {scope_of("posting.credit_scope")} AS credit,
            count(*) AS lines,
            sum(CASE
                WHEN posting.differs <> 0 THEN abs(paid_minor - amount_minor)
                WHEN posting.code = '{TransferCode.CHARGED}' THEN move.charge_minor
                WHEN posting.code = '{TransferCode.RETURNED}'
                    THEN coalesce(paid_minor, amount_minor)
                ELSE amount_minor
            END) AS minor
        FROM payments.instruction_move AS move
        JOIN payments.instruction ON instruction.id = move.instruction_id
        JOIN payments.chunk ON chunk.number = instruction.chunk_number
        JOIN payments.payment_round ON payment_round.number = chunk.round_number
        JOIN payments.provider ON provider.number = instruction.provider_number
        JOIN posting ON CAST(posting.from_status AS payments.instruction_status)
                = move.from_status
            AND CAST(posting.to_status AS payments.instruction_status) = move.to_status
            AND posting.differs IN (0, sign(coalesce(paid_minor, amount_minor) - amount_minor))
            AND {IS_OF_THE_CHUNK}
        -- What was never reserved is cancelled without a posting.
        WHERE (payment_round.status <> 'refused' OR move.to_status <> 'cancelled')
          AND (posting.code <> '{TransferCode.CHARGED}' OR move.charge_minor IS NOT NULL)
        GROUP BY 1, 2, 3, 4
    ),
    booked AS (
        SELECT entry_number, transfer.code::text AS code,
            debit.code || ' ' || debit.scope AS debit,
            credit.code || ' ' || credit.scope AS credit,
            sum(amount_minor) AS minor
        FROM payments.transfer
        JOIN payments.account AS debit ON debit.id = transfer.debit_account
        JOIN payments.account AS credit ON credit.id = transfer.credit_account
        WHERE transfer.code IN ({_OF_MOVES}) OR entry_number IS NOT NULL
        GROUP BY 1, 2, 3, 4
    )
    SELECT coalesce(sum(owed.lines), 0)::bigint AS lines,
        count(*) FILTER (WHERE owed.minor IS NOT NULL) AS transfers_owed,
        count(*) FILTER (WHERE booked.minor IS NOT NULL) AS transfers_booked,
        count(*) FILTER (WHERE owed.minor IS DISTINCT FROM booked.minor) AS different
    FROM owed
    FULL JOIN booked USING (entry_number, code, debit, credit)
    """
)

ATTEMPTS = text(
    """
    SELECT count(*) AS further_attempts,
        count(*) FILTER (
            WHERE instruction.id IS NULL OR instruction.attempt = 1
               OR reserved.times <> 1 OR reserved.minor <> instruction.amount_minor
               OR reserved.times IS NULL
        ) AS different
    FROM (SELECT * FROM payments.instruction WHERE attempt > 1) AS instruction
    FULL JOIN (
        SELECT payment_instruction_id AS id, count(*) AS times, sum(amount_minor) AS minor
        FROM payments.transfer
        WHERE code = 'attempt_reserved'
          AND debit_account IN (SELECT id FROM payments.account WHERE book = 'budget')
        GROUP BY payment_instruction_id
    ) AS reserved ON reserved.id = instruction.id
    """
)

# What came back and is owed; what each reclaim gave back, by its payments and by its transfers.
RETURNS = text(
    f"""
    SELECT provider.code AS provider,
        coalesce(account.payable, 0)::bigint AS payable_minor,
        coalesce(returned.minor, 0)::bigint AS unclaimed_minor,
        coalesce(given_back.by_payments, 0)::bigint AS given_back_minor,
        coalesce(restored.minor, 0)::bigint AS restored_minor
    FROM payments.provider
    LEFT JOIN (
        SELECT scope, credits_minor - debits_minor AS payable
        FROM payments.account WHERE code = 'RETURNS_PAYABLE'
    ) AS account ON account.scope = provider.code
    LEFT JOIN (
        SELECT provider_number, sum(coalesce(paid_minor, amount_minor)) AS minor
        FROM payments.instruction
        WHERE status = 'returned' AND {_WAS_SETTLED} AND NOT {_RECLAIMED}
        GROUP BY provider_number
    ) AS returned ON returned.provider_number = provider.number
    LEFT JOIN (
        SELECT reclaim.provider, sum(reclaim_item.amount_minor) AS by_payments
        FROM payments.reclaim
        JOIN payments.reclaim_item ON reclaim_item.reclaim_id = reclaim.id
        GROUP BY reclaim.provider
    ) AS given_back ON given_back.provider = provider.code
    LEFT JOIN (
        SELECT account.scope, sum(transfer.amount_minor) AS minor
        FROM payments.transfer
        JOIN payments.account ON account.id = transfer.debit_account
        WHERE transfer.code = '{TransferCode.RETURN_RESTORED}'
        GROUP BY account.scope
    ) AS restored ON restored.scope = provider.code
    ORDER BY provider.code
    """
)

# What should have been taken back by the transfers that reversals name; what was.
REVERSALS = text(
    f"""
    WITH undone (code, reversal) AS (VALUES {_REVERSED_ROWS}),
    owed AS (
        SELECT reversal.id, undone.reversal AS code, transfer.credit_account AS debit_account,
            transfer.debit_account AS credit_account, transfer.amount_minor, true AS is_owed
        FROM payments.reversal
        JOIN payments.transfer ON transfer.approval_id = reversal.reverses
        JOIN undone ON undone.code = transfer.code::text
    ),
    booked AS (
        SELECT approval_id AS id, transfer.code::text AS code, debit_account, credit_account,
            amount_minor, true AS is_booked
        FROM payments.transfer
        WHERE transfer.code::text IN (SELECT reversal FROM undone)
    )
    SELECT (SELECT count(*) FROM payments.reversal) AS reversals,
        (SELECT count(*) FROM payments.reversal WHERE id NOT IN (SELECT id FROM owed))
            AS without_original,
        count(*) FILTER (WHERE is_owed IS NULL OR is_booked IS NULL) AS different
    FROM owed
    FULL JOIN booked USING (id, code, debit_account, credit_account, amount_minor)
    """
)

HISTORY = text(
    f"""
    SELECT count(*) AS instructions,
        count(*) FILTER (WHERE instruction.moves <> coalesce(history.moves, 0)) AS other_history,
        count(*) FILTER (WHERE NOT history.is_legal) AS other_moves,
        count(*) FILTER (WHERE coalesce(history.to_status, 'ready') <> instruction.status)
            AS other_state
    FROM payments.instruction
    LEFT JOIN (
        SELECT instruction_id, count(*) AS moves,
            max(to_status) FILTER (WHERE is_last) AS to_status,
            bool_and(
                position = nth AND from_status = came_from
                AND (from_status, to_status) IN (VALUES {_LEGAL})
            ) AS is_legal
        FROM (
            SELECT move.*, row_number() OVER history AS nth,
                lag(to_status, 1, 'ready') OVER history AS came_from,
                lead(to_status) OVER history IS NULL AS is_last
            FROM payments.instruction_move AS move
            WINDOW history AS (PARTITION BY instruction_id ORDER BY position)
        ) AS step
        GROUP BY instruction_id
    ) AS history ON history.instruction_id = instruction.id
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

# What is counted as it changes; what there is.
COUNTS = text(
    """
    WITH kept AS (
        SELECT chunk_number, district_code, provider_number, status, withheld,
            sum(count) AS count, sum(amount_minor) AS minor
        FROM (
            SELECT chunk_number, district_code, provider_number, status, withheld, count,
                amount_minor
            FROM payments.instruction_count
            UNION ALL
            SELECT chunk_number, district_code, provider_number, status, withheld, count,
                amount_minor
            FROM payments.count_change
        ) AS counted
        GROUP BY 1, 2, 3, 4, 5
        HAVING sum(count) <> 0 OR sum(amount_minor) <> 0
    ),
    standing AS (
        SELECT chunk_number, coalesce(left(area_code, 4), '') AS district_code, provider_number,
            status, withheld, count(*) AS count, sum(amount_minor) AS minor
        FROM payments.instruction
        GROUP BY 1, 2, 3, 4, 5
    )
    SELECT coalesce(sum(kept.count), 0)::bigint AS counted,
        coalesce(sum(standing.count), 0)::bigint AS instructions,
        count(*) FILTER (
            WHERE (kept.count, kept.minor) IS DISTINCT FROM (standing.count, standing.minor)
        ) AS different
    FROM kept
    FULL JOIN standing
        USING (chunk_number, district_code, provider_number, status, withheld)
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
