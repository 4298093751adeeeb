"""What the database is asked of what providers charge, and of what statements showed."""

CHARGES = """
    WITH worked_out AS (
        SELECT provider_number AS number, sum(charge_minor) AS minor
        FROM payments.instruction_move
        JOIN payments.instruction ON instruction.id = instruction_id
        WHERE charge_minor IS NOT NULL
        GROUP BY provider_number
    ),
    paid AS (
        SELECT document ->> 'provider' AS code,
            sum(CAST(document ->> 'amount_minor' AS bigint)) AS minor
        FROM payments.approval
        WHERE kind::text = 'charges' AND decision::text = 'approved'
        GROUP BY 1
    ),
    suspended AS (
        SELECT provider_number AS number, sum(suspense_minor) AS minor
        FROM payments.statement_difference
        JOIN payments.statement ON statement.number = statement_number
        WHERE closed_at IS NULL AND superseded_at IS NULL
        GROUP BY provider_number
    ),
    received AS (
        SELECT provider_number AS number, sum(statement_minor) AS minor
        FROM payments.approval
        JOIN payments.statement_difference AS difference
            ON difference.number = CAST(document ->> 'number' AS bigint)
        JOIN payments.statement ON statement.number = statement_number
        WHERE approval.kind::text = 'difference' AND decision::text = 'approved'
          AND document ->> 'outcome' = 'received'
        GROUP BY provider_number
    )
    SELECT provider.code,
        coalesce(sum(debits_minor - credits_minor)
            FILTER (WHERE account.code::text = 'PROVIDER_CHARGES'), 0)::bigint AS charges_minor,
        coalesce(sum(credits_minor - debits_minor)
            FILTER (WHERE account.code::text = 'CHARGES_PAYABLE'), 0)::bigint AS payable_minor,
        coalesce(worked_out.minor, 0)::bigint AS worked_out_minor,
        coalesce(paid.minor, 0)::bigint AS paid_minor,
        coalesce(suspended.minor, 0)::bigint AS suspended_minor,
        coalesce(received.minor, 0)::bigint AS received_minor
    FROM payments.provider
    LEFT JOIN payments.account ON account.scope = provider.code
    LEFT JOIN worked_out USING (number)
    LEFT JOIN paid ON paid.code = provider.code
    LEFT JOIN suspended USING (number)
    LEFT JOIN received USING (number)
    GROUP BY provider.code, worked_out.minor, paid.minor, suspended.minor, received.minor
    ORDER BY provider.code
"""

# What was worked out ten seconds before a decision, and was neither paid nor settled when it was
# carried out, was owed: what came in between may have been either before it or after. What was paid
# again is no charge.
CHARGED_LINES = """
    WITH owing AS (
        SELECT account.scope AS code, posted_at, approval_id,
            CASE WHEN credit_account = account.id THEN amount_minor ELSE -amount_minor END AS minor
        FROM payments.account
        JOIN payments.transfer ON account.id IN (debit_account, credit_account)
        WHERE account.code::text = 'CHARGES_PAYABLE'
    ),
    booked AS (
        SELECT approval.id, difference.number, difference.kind::text AS kind, provider.code,
            difference.statement_minor, min(transfer.posted_at) AS posted_at,
            coalesce(sum(transfer.amount_minor)
                FILTER (WHERE transfer.code::text = 'charges_taken'), 0) AS settled_minor,
            coalesce(sum(transfer.amount_minor)
                FILTER (WHERE transfer.code::text = 'statement_charged'), 0) AS further_minor
        FROM payments.approval
        JOIN payments.statement_difference AS difference
            ON difference.number = CAST(document ->> 'number' AS bigint)
        JOIN payments.statement ON statement.number = statement_number
        JOIN payments.provider ON provider.number = provider_number
        LEFT JOIN payments.transfer ON transfer.approval_id = approval.id
        WHERE approval.kind::text = 'difference' AND decision::text = 'approved'
          AND document ->> 'outcome' = 'charged'
        GROUP BY approval.id, difference.number, difference.kind, provider.code,
            difference.statement_minor
    )
    SELECT booked.number, booked.code AS provider, booked.statement_minor,
        booked.settled_minor::bigint, booked.further_minor::bigint,
        CASE WHEN booked.kind = 'paid_again' THEN 0 ELSE greatest(0, least(
            booked.statement_minor,
            coalesce(sum(owing.minor), 0)
        )) END::bigint AS owed_minor
    FROM booked
    LEFT JOIN owing ON owing.code = booked.code
        AND owing.approval_id IS DISTINCT FROM booked.id
        AND CASE WHEN owing.minor > 0
                THEN owing.posted_at < booked.posted_at - interval '10 seconds'
            ELSE owing.posted_at <= booked.posted_at END
    GROUP BY booked.id, booked.number, booked.kind, booked.code, booked.statement_minor,
        booked.settled_minor, booked.further_minor
    ORDER BY booked.number
"""
