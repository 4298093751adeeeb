"""The statements that hold a provider's lines against our books: sets, in one pass over both."""

from sqlalchemy import TextClause, text

from services.payments.alarms.tables import AlarmKind
from services.payments.instructions.states import IN_FLIGHT
from services.payments.ledger.accounts import TransferCode
from services.payments.reconciliation.kinds import IN_SUSPENSE, DifferenceKind
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

PREFUNDINGS = f"""
    SELECT provider.number AS provider_number, transfer.reason AS reference,
        transfer.amount_minor, transfer.posted_at, transfer.id,
        EXISTS (
            SELECT FROM payments.reversal WHERE reversal.reverses = transfer.approval_id
        ) AS is_taken_back
    FROM payments.transfer
    JOIN payments.account ON account.id = transfer.debit_account
    JOIN payments.provider ON provider.code = account.scope
    WHERE transfer.code = '{TransferCode.PROVIDER_PREFUNDED}' AND transfer.approval_id IS NOT NULL
"""
"""What two persons recorded as paid to providers. One that is taken back was never paid."""

# By reference and amount, each counted: as many lines may be the same ones.
_PREFUNDINGS = f"""
    SELECT reference, amount_minor, count(*) AS count
    FROM ({PREFUNDINGS}) AS prefunding
    WHERE provider_number = :provider_number AND NOT is_taken_back
    GROUP BY reference, amount_minor
"""

RECEIVED = """
    SELECT line.statement_number, line.line, statement.provider_number, line.reference,
        line.amount_minor
    FROM payments.statement_line AS line
    JOIN payments.statement ON statement.number = line.statement_number
    WHERE line.direction = 'in' AND line.payment_id IS NULL AND statement.superseded_at IS NULL
"""
"""What came in for none of our payments, by the statements that hold."""

# Of payments of which more than one line may be.
_REPEATED = f"""
        WHEN again.first < line.line THEN CASE
            WHEN line.reference IS NOT DISTINCT FROM (
                SELECT reference FROM payments.statement_line AS first
                WHERE first.statement_number = :number AND first.line = again.first
            ) THEN '{DifferenceKind.LINE_REPEATED}'
            ELSE '{DifferenceKind.PAID_AGAIN}'
        END
"""
_AGAIN_IS = """,
    again AS (
        SELECT payment_id, min(line) FILTER (WHERE direction = 'out') AS first,
            max(direction) = 'in' AS came_back
        FROM line
        WHERE payment_id IS NOT NULL
        GROUP BY payment_id
        HAVING count(*) > 1
    )
"""
_CAME_BACK = """
        -- It came back on the same statement, by a line that is looked at itself.
        WHEN again.came_back THEN NULL
"""

_KIND = f"""
    CASE
        WHEN line.line IS NULL THEN '{DifferenceKind.NOT_ON_STATEMENT}'
        WHEN line.direction = 'in' THEN CASE
            WHEN instruction.id IS NULL THEN '{DifferenceKind.UNKNOWN_RECEIPT}'
            WHEN line.amount_minor <> {_PAID} THEN '{DifferenceKind.OTHER_AMOUNT}'
            WHEN instruction.status = 'returned' THEN NULL
            -- It went out and came back on one statement, and was not paid here either.
            WHEN instruction.status IN ('rejected', 'cancelled') THEN NULL
            ELSE '{DifferenceKind.RETURNED_THERE}'
        END
        WHEN instruction.id IS NULL THEN '{DifferenceKind.UNKNOWN_PAYMENT}'
        {{repeated}}
        WHEN line.amount_minor <> {_PAID} THEN '{DifferenceKind.OTHER_AMOUNT}'
        WHEN instruction.status = 'returned' THEN NULL
        WHEN instruction.status = 'settled' THEN CASE
            WHEN instruction.transaction_reference <> line.reference
                THEN '{DifferenceKind.OTHER_REFERENCE}'
            WHEN instruction.finished_at < :begins_at OR instruction.finished_at >= :ends_at
                THEN '{DifferenceKind.OTHER_DAY}'
        END
        {{came_back}}
        WHEN instruction.status IN ({among(IN_FLIGHT)}) THEN '{DifferenceKind.AWAITING_ANSWER}'
        ELSE '{DifferenceKind.NOT_PAID_HERE}'
    END
"""


def _compare(*, may_repeat: bool) -> TextClause:
    kind = _KIND.format(
        repeated=_REPEATED if may_repeat else "", came_back=_CAME_BACK if may_repeat else ""
    )
    again_is = _AGAIN_IS if may_repeat else ""
    again = "LEFT JOIN again ON again.payment_id = line.payment_id" if may_repeat else ""
    return text(
        f"""
    CREATE TEMPORARY TABLE compared ON COMMIT DROP AS
    -- Read anew where it is needed: that costs less than keeping a copy.
    WITH line AS NOT MATERIALIZED (
        SELECT * FROM payments.statement_line WHERE statement_number = :number
    ){again_is}
    SELECT compared.*
    FROM (
        SELECT line.line, coalesce(line.reference, instruction.transaction_reference) AS reference,
            instruction.id AS payment_id, line.amount_minor AS statement_minor,
            {_PAID} AS ledger_minor, {kind} AS kind
        FROM line
        FULL JOIN (
            SELECT id, amount_minor, paid_minor, status, finished_at, transaction_reference,
                status = 'settled' AND finished_at >= :begins_at AND finished_at < :ends_at
                    AS is_of_the_day
            FROM payments.instruction
            WHERE provider_number = :provider_number
        ) AS instruction ON instruction.id = line.payment_id
        {again}
        WHERE line.line IS NOT NULL OR instruction.is_of_the_day
    ) AS compared
    WHERE compared.kind IS NOT NULL
    """
    )


COMPARE = {may_repeat: _compare(may_repeat=may_repeat) for may_repeat in (False, True)}
"""Everything in which lines and payments of a provider differ, each with its kind: in a table of
the transaction, which PostgreSQL fills by several processes, as it does no other.

One pass: a line beside its payment, either of which may be missing. What is equal makes no row.
By whether two lines may be of one payment: whoever read them knows where none are, and then no
line is asked for others of its payment.
"""

KEEP_DIFFERENCES = text(
    f"""
    WITH receipt AS (
        SELECT line, reference, amount_minor,
            row_number() OVER (PARTITION BY reference, amount_minor ORDER BY line) AS nth
        FROM payments.statement_line
        WHERE statement_number = :number AND direction = 'in' AND payment_id IS NULL
    ),
    prefunding AS (
        SELECT receipt.line
        FROM receipt
        JOIN ({_PREFUNDINGS}) AS posted USING (reference, amount_minor)
        WHERE receipt.nth + (
            SELECT count(*)
            FROM payments.statement_line AS other
            JOIN payments.statement ON statement.number = other.statement_number
            WHERE other.direction = 'in' AND other.reference = receipt.reference
              AND other.amount_minor = receipt.amount_minor
              AND other.payment_id IS NULL
              AND statement.provider_number = :provider_number
              AND statement.number <> :number
              AND statement.superseded_at IS NULL
        ) <= posted.count
    )
    INSERT INTO payments.statement_difference (statement_number, line, kind, payment_id,
        statement_minor, ledger_minor, reference, found_at)
    SELECT :number, line, CAST(kind AS payments.difference_kind), payment_id, statement_minor,
        ledger_minor, reference, :at
    FROM compared
    WHERE kind <> '{DifferenceKind.UNKNOWN_RECEIPT}' OR line NOT IN (SELECT line FROM prefunding)
    ORDER BY line, payment_id
    """
)
"""Of what was compared all but what is our own prefunding, as it came in there."""


# What the books of another day have, or a person is to look at: it may stand on another statement.
_PERHAPS_ELSEWHERE = among(
    [
        DifferenceKind.OTHER_DAY,
        DifferenceKind.AWAITING_ANSWER,
        DifferenceKind.NOT_PAID_HERE,
        DifferenceKind.OTHER_AMOUNT,
        DifferenceKind.OTHER_REFERENCE,
    ]
)
_AGAIN = f"""
    CASE WHEN {{reference}} IS NOT DISTINCT FROM other.reference
        THEN CAST('{DifferenceKind.LINE_REPEATED}' AS payments.difference_kind)
        ELSE CAST('{DifferenceKind.PAID_AGAIN}' AS payments.difference_kind) END
"""

ON_ANOTHER_TOO = text(
    f"""
    UPDATE payments.statement_difference AS difference
    SET kind = {_AGAIN.format(reference="difference.reference")}
    FROM payments.statement_line AS line, payments.statement_line AS other
    JOIN payments.statement ON statement.number = other.statement_number
    WHERE difference.statement_number = :number
      AND difference.kind IN ({_PERHAPS_ELSEWHERE})
      AND line.statement_number = :number
      AND line.line = difference.line
      AND line.direction = 'out'
      AND other.payment_id = difference.payment_id
      AND other.direction = 'out'
      AND statement.provider_number = :provider_number
      AND statement.number <> :number
      AND statement.superseded_at IS NULL
    """
)
"""Payments of other days that another statement has already: they went out again."""

ON_ANOTHER_BEFORE = text(
    f"""
    INSERT INTO payments.statement_difference (statement_number, line, kind, payment_id,
        statement_minor, ledger_minor, reference, found_at)
    SELECT :number, line.line, {_AGAIN.format(reference="line.reference")}, line.payment_id,
        line.amount_minor, other.ledger_minor, line.reference, :at
    FROM payments.statement_difference AS other
    JOIN payments.statement ON statement.number = other.statement_number
    JOIN payments.statement_line AS there
        ON there.statement_number = other.statement_number AND there.line = other.line
        AND there.direction = 'out'
    JOIN payments.statement_line AS line ON line.payment_id = other.payment_id
    WHERE line.statement_number = :number
      AND line.direction = 'out'
      AND other.kind IN ({_PERHAPS_ELSEWHERE})
      AND statement.provider_number = :provider_number
      AND statement.number <> :number
      AND statement.superseded_at IS NULL
      AND NOT EXISTS (
          SELECT FROM payments.statement_difference AS known
          WHERE known.statement_number = :number AND known.line = line.line
      )
    """
)
"""Payments of this day that a statement of another day has already."""

EXPLAIN_OTHER_DAYS = text(
    f"""
    UPDATE payments.statement_difference
    SET closed_at = :at, closure = 'explained',
        closed_reason = 'Our books have the same payment on another day.'
    WHERE statement_number = :number AND kind = '{DifferenceKind.OTHER_DAY}'
    """
)

EXPLAIN_CHARGES = text(
    f"""
    WITH line AS (
        SELECT number, reference, statement_minor AS amount_minor,
            row_number() OVER (PARTITION BY reference, statement_minor ORDER BY line) AS nth
        FROM payments.statement_difference
        WHERE statement_number = :number AND kind = '{DifferenceKind.UNKNOWN_PAYMENT}'
          AND closed_at IS NULL
    ),
    booked AS (
        SELECT approval.id, transfer.reason AS reference, transfer.amount_minor,
            row_number() OVER (
                PARTITION BY transfer.reason, transfer.amount_minor ORDER BY transfer.id
            ) AS nth
        FROM payments.transfer
        JOIN payments.account ON account.id = transfer.credit_account
        JOIN payments.provider ON provider.code = account.scope
        JOIN payments.approval ON approval.id = transfer.approval_id AND approval.kind = 'charges'
        WHERE transfer.code = 'charges_taken' AND provider.number = :provider_number
          AND NOT EXISTS (
              SELECT FROM payments.statement_difference AS known
              JOIN payments.statement ON statement.number = known.statement_number
              WHERE known.approval_id = approval.id AND statement.superseded_at IS NULL
          )
    )
    UPDATE payments.statement_difference AS difference
    SET closed_at = :at, closure = 'explained', approval_id = booked.id,
        closed_reason = 'Two persons booked it before, as taken of what the provider charges.'
    FROM line
    JOIN booked USING (reference, amount_minor, nth)
    WHERE difference.number = line.number
    """
)
"""What went out for nothing that was ordered, and is a charge that was booked before."""

EXPLAIN_BY_ANOTHER = text(
    f"""
    UPDATE payments.statement_difference AS missing
    SET closed_at = :at, closure = 'explained', explained_by = seen.statement_number,
        closed_reason = 'It stands on the statement of ' || statement.day || '.'
    FROM payments.statement_difference AS seen
    JOIN payments.statement ON statement.number = seen.statement_number
    WHERE missing.kind = '{DifferenceKind.NOT_ON_STATEMENT}'
      AND missing.closed_at IS NULL
      AND seen.payment_id = missing.payment_id
      AND seen.kind IN ('{DifferenceKind.OTHER_DAY}', '{DifferenceKind.AWAITING_ANSWER}')
      AND seen.statement_minor = missing.ledger_minor
      AND statement.superseded_at IS NULL
      AND statement.number <> missing.statement_number
      AND :number IN (missing.statement_number, seen.statement_number)
    """
)
"""What one statement misses another has: of a day before, or of the day after."""

PREFUNDINGS_NOT_ON_STATEMENT = text(
    f"""
    INSERT INTO payments.statement_difference (statement_number, kind, ledger_minor, reference,
        found_at)
    SELECT :number, '{DifferenceKind.PREFUNDING_NOT_ON_STATEMENT}', posted.amount_minor,
        posted.reference, :at
    FROM (
        SELECT reference, amount_minor, posted_at,
            row_number() OVER (PARTITION BY reference, amount_minor ORDER BY id) AS nth
        FROM ({PREFUNDINGS}) AS prefunding
        WHERE provider_number = :provider_number AND NOT is_taken_back
    ) AS posted
    WHERE posted.posted_at >= :begins_at AND posted.posted_at < :ends_at
      AND posted.nth > (
        SELECT count(*)
        FROM ({RECEIVED}) AS received
        WHERE received.reference = posted.reference
          AND received.amount_minor = posted.amount_minor
          AND received.provider_number = :provider_number
    ) + (
        SELECT count(*)
        FROM payments.statement_difference AS decided
        JOIN payments.statement ON statement.number = decided.statement_number
        WHERE decided.kind = '{DifferenceKind.PREFUNDING_NOT_ON_STATEMENT}'
          AND decided.closure = 'resolved'
          AND decided.reference = posted.reference
          AND decided.ledger_minor = posted.amount_minor
          AND statement.provider_number = :provider_number
          AND statement.superseded_at IS NULL
    )
    """
)
"""What was paid to the provider by our books on that day, stands on no statement of it, and is
nothing that two persons decided about."""

EXPLAIN_PREFUNDINGS = text(
    f"""
    UPDATE payments.statement_difference AS missing
    SET closed_at = :at, closure = 'explained', explained_by = :number,
        closed_reason = 'It stands on another statement.'
    FROM (
        SELECT difference.number, difference.reference, difference.ledger_minor AS amount_minor,
            row_number() OVER (
                PARTITION BY difference.reference, difference.ledger_minor
                ORDER BY difference.number
            ) AS nth
        FROM payments.statement_difference AS difference
        JOIN payments.statement ON statement.number = difference.statement_number
        WHERE difference.kind = '{DifferenceKind.PREFUNDING_NOT_ON_STATEMENT}'
          AND difference.closed_at IS NULL
          AND statement.provider_number = :provider_number
    ) AS listed
    JOIN (
        SELECT reference, amount_minor, count(*) AS count
        FROM ({RECEIVED}) AS received
        WHERE statement_number = :number
        GROUP BY reference, amount_minor
    ) AS here USING (reference, amount_minor)
    WHERE missing.number = listed.number AND listed.nth <= here.count
    """
)
"""A line is that of one prefunding: of several alike, of the one that is missed for longest."""

_PROVABLE = among([AlarmKind.SETTLED_NOT_BOOKED, AlarmKind.CONTRADICTION])

TO_PROVE = text(
    f"""
    SELECT EXISTS (
        SELECT FROM payments.alarm WHERE cleared_at IS NULL AND kind IN ({_PROVABLE})
    )
    """
)

CLEAR_PROVEN = text(
    f"""
    UPDATE payments.alarm
    SET cleared_at = :at, cleared_by = :by, cleared_reason = :reason
    FROM payments.instruction
    JOIN payments.statement_line AS line ON line.payment_id = instruction.id
    WHERE alarm.cleared_at IS NULL
      AND alarm.kind IN ({_PROVABLE})
      AND instruction.id = alarm.instruction_id
      AND instruction.status = 'settled'
      AND line.statement_number = :number
      AND line.direction = 'out'
      AND line.amount_minor = {_PAID}
      AND NOT EXISTS (
          SELECT FROM payments.statement_difference AS difference
          WHERE difference.statement_number = :number AND difference.payment_id = instruction.id
            AND difference.closed_at IS NULL
      )
    """
)
"""A line with the right amount proves that what is settled here was paid there."""

SUPERSEDE_DIFFERENCES = text(
    """
    WITH superseded AS (
        UPDATE payments.statement_difference
        SET closed_at = :at, closure = 'superseded', suspense_minor = 0,
            closed_reason = 'A corrected statement took the place of this one.'
        WHERE statement_number = :number AND closed_at IS NULL
        RETURNING old.suspense_minor
    )
    SELECT coalesce(sum(suspense_minor), 0)::bigint FROM superseded
    """
)

REOPEN_EXPLAINED = text(
    """
    UPDATE payments.statement_difference
    SET closed_at = NULL, closure = NULL, closed_reason = NULL, explained_by = NULL
    WHERE explained_by = :number
    """
)
"""What a superseded statement explained is open again."""

CARRY_OVER = text(
    """
    WITH before AS (
        SELECT difference.*, statement.superseded_by
        FROM payments.statement_difference AS difference
        JOIN payments.statement ON statement.number = difference.statement_number
        WHERE statement.provider_number = :provider_number AND statement.day = :day
          AND statement.superseded_at IS NOT NULL
    ),
    earlier AS (
        SELECT kept.*, row_number() OVER same AS nth
        FROM (
            -- A decision that was carried over before is still one.
            (SELECT DISTINCT ON (approval_id) * FROM before
             WHERE closure = 'resolved' ORDER BY approval_id, number DESC)
            UNION ALL
            SELECT * FROM before
            WHERE superseded_by = :statement_id AND closure = 'superseded'
        ) AS kept
        WINDOW same AS (
            PARTITION BY kind, payment_id, reference, statement_minor, ledger_minor
            ORDER BY closure, number
        )
    ),
    found AS (
        SELECT difference.*, row_number() OVER same AS nth
        FROM payments.statement_difference AS difference
        WHERE statement_number = :number AND closed_at IS NULL
        WINDOW same AS (
            PARTITION BY kind, payment_id, reference, statement_minor, ledger_minor ORDER BY number
        )
    )
    UPDATE payments.statement_difference AS difference
    SET found_at = earlier.found_at,
        answered_at = earlier.answered_at,
        assigned_to = earlier.assigned_to,
        assigned_by = earlier.assigned_by,
        assigned_at = earlier.assigned_at,
        closed_at = CASE WHEN earlier.closure = 'resolved' THEN earlier.closed_at END,
        closure = CASE WHEN earlier.closure = 'resolved' THEN earlier.closure END,
        closed_reason = CASE WHEN earlier.closure = 'resolved' THEN earlier.closed_reason END,
        approval_id = CASE WHEN earlier.closure = 'resolved' THEN earlier.approval_id END
    FROM found
    JOIN earlier ON earlier.kind = found.kind AND earlier.nth = found.nth
        AND (earlier.payment_id, earlier.reference, earlier.statement_minor, earlier.ledger_minor)
            IS NOT DISTINCT FROM
            (found.payment_id, found.reference, found.statement_minor, found.ledger_minor)
    WHERE difference.number = found.number
    """
)
"""The same difference on a corrected statement keeps its age, whose it is, and what two persons
decided about it."""

SUSPEND = text(
    f"""
    WITH suspended AS (
        UPDATE payments.statement_difference SET suspense_minor = statement_minor
        WHERE statement_number = :number AND closed_at IS NULL AND suspense_minor = 0
          AND kind IN ({among(IN_SUSPENSE)})
        RETURNING suspense_minor
    )
    SELECT coalesce(sum(suspense_minor), 0)::bigint FROM suspended
    """
)
