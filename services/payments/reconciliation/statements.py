"""The statements that hold a provider's lines against our books: sets, in one pass over both."""

from sqlalchemy import text

from services.payments.instructions.states import IN_FLIGHT, Status
from services.payments.reconciliation.kinds import ANSWERED, DifferenceKind
from services.payments.statements import among

NAME_BY_REFERENCE = text(
    """
    UPDATE payments.statement_line AS line SET payment_id = instruction.id
    FROM payments.instruction
    WHERE line.statement_number = :number
      AND line.payment_id IS NULL
      AND line.reference IS NOT NULL
      AND instruction.provider_number = :provider_number
      AND instruction.transaction_reference = line.reference
      AND instruction.status = 'settled'
    """
)
"""What a line does not name by our id it names by the provider's reference."""

# What our books have of a payment: what was really paid of it, else what was ordered.
_PAID = "coalesce(instruction.paid_minor, instruction.amount_minor)"

_PREFUNDINGS = """
    SELECT transfer.reason AS reference, transfer.amount_minor,
        row_number() OVER (
            PARTITION BY transfer.reason, transfer.amount_minor ORDER BY transfer.id
        ) AS nth
    FROM payments.transfer
    JOIN payments.account ON account.id = transfer.debit_account
    JOIN payments.provider ON provider.code = account.scope
    WHERE transfer.code = 'provider_prefunded' AND provider.number = :provider_number
"""

_KIND = f"""
    CASE
        WHEN line.line IS NULL THEN '{DifferenceKind.NOT_ON_STATEMENT}'
        WHEN line.direction = 'in' THEN CASE
            WHEN instruction.id IS NULL THEN CASE
                WHEN prefunding.line IS NULL THEN '{DifferenceKind.UNKNOWN_RECEIPT}' END
            WHEN line.amount_minor <> {_PAID} THEN '{DifferenceKind.OTHER_AMOUNT}'
            WHEN instruction.status = 'returned' THEN NULL
            -- It went out and came back on one statement, and was not paid here either.
            WHEN instruction.status IN ('rejected', 'cancelled') THEN NULL
            ELSE '{DifferenceKind.RETURNED_THERE}'
        END
        WHEN instruction.id IS NULL THEN '{DifferenceKind.UNKNOWN_PAYMENT}'
        WHEN again.first < line.line THEN CASE
            WHEN line.reference IS NOT DISTINCT FROM again.reference
                THEN '{DifferenceKind.LINE_REPEATED}'
            ELSE '{DifferenceKind.PAID_AGAIN}'
        END
        WHEN line.amount_minor <> {_PAID} THEN '{DifferenceKind.OTHER_AMOUNT}'
        WHEN instruction.status = 'returned' THEN NULL
        WHEN instruction.status = 'settled' THEN CASE
            WHEN instruction.transaction_reference <> line.reference
                THEN '{DifferenceKind.OTHER_REFERENCE}'
            WHEN instruction.finished_at < :begins_at OR instruction.finished_at >= :ends_at
                THEN '{DifferenceKind.OTHER_DAY}'
        END
        WHEN again.came_back THEN CASE
            WHEN instruction.status IN ('rejected', 'cancelled') THEN NULL
            ELSE '{DifferenceKind.NOT_PAID_HERE}'
        END
        WHEN instruction.status IN ({among(IN_FLIGHT)}) THEN '{DifferenceKind.AWAITING_ANSWER}'
        ELSE '{DifferenceKind.NOT_PAID_HERE}'
    END
"""

COMPARE = text(
    f"""
    WITH line AS (
        SELECT * FROM payments.statement_line WHERE statement_number = :number
    ),
    again AS (
        SELECT payment_id, min(line) FILTER (WHERE direction = 'out') AS first,
            (array_agg(reference ORDER BY direction, line))[1] AS reference,
            bool_or(direction = 'in') AS came_back
        FROM line
        WHERE payment_id IN (
            SELECT payment_id FROM line WHERE payment_id IS NOT NULL
            GROUP BY payment_id HAVING count(*) > 1
        )
        GROUP BY payment_id
    ),
    prefunding AS (
        SELECT line.line
        FROM (
            SELECT line.*,
                row_number() OVER (PARTITION BY reference, amount_minor ORDER BY line) AS nth
            FROM line
            WHERE direction = 'in' AND payment_id IS NULL
        ) AS line
        JOIN ({_PREFUNDINGS}) AS posted USING (reference, amount_minor, nth)
    )
    INSERT INTO payments.statement_difference (statement_number, line, kind, payment_id,
        statement_minor, ledger_minor, reference, found_at)
    SELECT :number, compared.line, CAST(compared.kind AS payments.difference_kind), payment_id,
        statement_minor, ledger_minor, reference, :at
    FROM (
        SELECT line.line, coalesce(line.reference, instruction.transaction_reference) AS reference,
            instruction.id AS payment_id, line.amount_minor AS statement_minor,
            {_PAID} AS ledger_minor, {_KIND} AS kind
        FROM line
        FULL JOIN (
            SELECT id, amount_minor, paid_minor, status, finished_at, transaction_reference,
                status = 'settled' AND finished_at >= :begins_at AND finished_at < :ends_at
                    AS is_of_the_day
            FROM payments.instruction
            WHERE provider_number = :provider_number
        ) AS instruction ON instruction.id = line.payment_id
        LEFT JOIN again ON again.payment_id = line.payment_id
        LEFT JOIN prefunding ON prefunding.line = line.line
        WHERE line.line IS NOT NULL OR instruction.is_of_the_day
    ) AS compared
    WHERE compared.kind IS NOT NULL
    """
)
"""Everything in which lines and payments of a provider differ, each with its kind.

One pass: a line beside its payment, either of which may be missing. What is equal makes no row.
"""

SETTLED_AS_ON_LINE = f"""
    instruction.status IN ('{Status.SETTLED}', '{Status.RETURNED}')
    AND difference.statement_minor = {_PAID}
"""
"""Whether our books say of a difference's payment what its line says by now."""

ANSWERED_KINDS = among(ANSWERED)
