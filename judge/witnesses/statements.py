"""What the database is asked. Statuses are compared as text: the judge has its own words for them.

``$1`` is the ends of payments, wherever there is a ``$1`` and nothing else is said.
"""

ACCOUNTS = """
    WITH debited AS (
        SELECT debit_account AS id, sum(amount_minor) AS minor FROM payments.transfer GROUP BY 1
    ),
    credited AS (
        SELECT credit_account AS id, sum(amount_minor) AS minor FROM payments.transfer GROUP BY 1
    )
    SELECT book::text AS book, code::text AS code, scope, currency, debits_minor, credits_minor,
        coalesce(debited.minor, 0)::bigint AS transfers_debited_minor,
        coalesce(credited.minor, 0)::bigint AS transfers_credited_minor
    FROM payments.account
    LEFT JOIN debited USING (id)
    LEFT JOIN credited USING (id)
    ORDER BY book, code, scope
"""

TRANSFERS = "SELECT count(*) FROM payments.transfer"

# Whether what a returned payment was committed for is spent: it is, if it was settled before.
_SPENT = """
    CASE instruction.status::text
        WHEN 'settled' THEN true
        WHEN 'returned' THEN EXISTS (
            SELECT FROM payments.instruction_move
            WHERE instruction_id = instruction.id AND to_status::text = 'settled'
        )
        ELSE false
    END
"""

# Whether the money of a payment that came back went back to its fund.
_GIVEN_BACK = """
    EXISTS (SELECT FROM payments.reclaim_item WHERE instruction_id = instruction.id)
"""

# What was ever committed and what became of it, by the ledger; the same by the instructions. One
# that was rejected and then paid after all was released once on the way. What was cancelled in a
# round that was never released had not been committed.
FUNDS = f"""
    WITH posted AS (
        SELECT account.scope AS fund,
            sum(amount_minor) FILTER (WHERE debit_account = account.id) AS committed_minor,
            sum(amount_minor) FILTER (
                WHERE credit_account = account.id AND transfer.code::text = 'commitment_spent'
            ) AS spent_minor,
            sum(amount_minor) FILTER (
                WHERE credit_account = account.id AND transfer.code::text <> 'commitment_spent'
            ) AS released_minor
        FROM payments.account
        JOIN payments.transfer ON account.id IN (debit_account, credit_account)
        WHERE account.code::text = 'COMMITTED'
        GROUP BY account.scope
    ),
    recommitted AS (
        SELECT instruction_id, count(*) AS times
        FROM payments.instruction_move
        WHERE from_status::text = 'rejected'
        GROUP BY instruction_id
    ),
    judged AS (
        SELECT payment_round.fund, instruction.amount_minor, {_SPENT} AS spent,
            instruction.status::text = ANY($1) AS ended,
            payment_round.status::text = 'released' AS released,
            coalesce(recommitted.times, 0) AS recommitted
        FROM payments.instruction
        JOIN payments.chunk ON chunk.number = instruction.chunk_number
        JOIN payments.payment_round ON payment_round.number = chunk.round_number
        LEFT JOIN recommitted ON recommitted.instruction_id = instruction.id
    ),
    instructed AS (
        SELECT fund,
            sum(amount_minor) FILTER (WHERE spent) AS paid_minor,
            sum(amount_minor
                * (recommitted + CASE WHEN ended AND NOT spent AND released THEN 1 ELSE 0 END))
                AS ended_unpaid_minor,
            sum(amount_minor) FILTER (WHERE NOT ended AND released) AS in_flight_minor
        FROM judged
        GROUP BY fund
    )
    SELECT account.scope AS code,
        coalesce(committed_minor, 0)::bigint AS committed_minor,
        coalesce(spent_minor, 0)::bigint AS spent_minor,
        coalesce(released_minor, 0)::bigint AS released_minor,
        (account.debits_minor - account.credits_minor)::bigint AS standing_minor,
        coalesce(paid_minor, 0)::bigint AS paid_minor,
        coalesce(ended_unpaid_minor, 0)::bigint AS ended_unpaid_minor,
        coalesce(in_flight_minor, 0)::bigint AS in_flight_minor
    FROM payments.account
    LEFT JOIN posted ON posted.fund = account.scope
    LEFT JOIN instructed ON instructed.fund = account.scope
    WHERE account.code::text = 'COMMITTED'
    ORDER BY account.scope
"""

# What is neither ended, nor held, nor waiting to be sent is with the provider.
# What each fund keeps for triggers that are ready.
KEPT = """
    SELECT fund, sum(reserved_minor)::bigint AS minor
    FROM payments.reservation
    GROUP BY fund
"""

PROVIDERS = f"""
    SELECT provider.code,
        coalesce(in_transit_minor, 0)::bigint AS in_transit_minor,
        coalesce(in_flight_minor, 0)::bigint AS in_flight_minor,
        coalesce(suspense_minor, 0)::bigint AS suspense_minor,
        (coalesce(held_minor, 0) + coalesce(gone_minor, 0))::bigint AS held_minor,
        coalesce(returns_payable_minor, 0)::bigint AS returns_payable_minor,
        coalesce(came_back_minor, 0)::bigint AS came_back_minor
    FROM payments.provider
    LEFT JOIN (
        SELECT scope AS code,
            sum(debits_minor - credits_minor) FILTER (WHERE code::text = 'IN_TRANSIT')
                AS in_transit_minor,
            sum(debits_minor - credits_minor) FILTER (WHERE code::text = 'SUSPENSE')
                AS suspense_minor,
            sum(credits_minor - debits_minor) FILTER (WHERE code::text = 'RETURNS_PAYABLE')
                AS returns_payable_minor
        FROM payments.account
        GROUP BY scope
    ) AS posted USING (code)
    LEFT JOIN (
        SELECT provider_number AS number,
            sum(amount_minor) FILTER (
                WHERE status::text <> ALL($1) AND status::text NOT IN ('ready', 'held')
            ) AS in_flight_minor,
            sum(amount_minor) FILTER (WHERE status::text = 'held') AS held_minor,
            sum(coalesce(paid_minor, amount_minor)) FILTER (
                WHERE status::text = 'returned' AND {_SPENT} AND NOT {_GIVEN_BACK}
            ) AS came_back_minor
        FROM payments.instruction
        GROUP BY provider_number
    ) AS instructed USING (number)
    LEFT JOIN (
        SELECT provider_number AS number, sum(suspense_minor) AS gone_minor
        FROM payments.statement_difference
        JOIN payments.statement ON statement.number = statement_number
        WHERE closed_at IS NULL AND superseded_at IS NULL
        GROUP BY provider_number
    ) AS stated USING (number)
    ORDER BY provider.code
"""

LINES = f"""
    WITH instructed AS (
        SELECT chunk.fund || '/' || chunk.budget_line AS code,
            sum(instruction.amount_minor) FILTER (
                WHERE instruction.status::text <> ALL($1)
            ) AS in_flight_minor,
            sum(coalesce(paid_minor, amount_minor)) FILTER (
                WHERE {_SPENT} AND NOT {_GIVEN_BACK}
            ) AS paid_minor
        FROM payments.instruction
        JOIN payments.chunk ON chunk.number = instruction.chunk_number
        JOIN payments.payment_round ON payment_round.number = chunk.round_number
        WHERE chunk.budget_line IS NOT NULL AND payment_round.status::text = 'released'
        GROUP BY 1
    )
    SELECT line.fund || '/' || line.code AS code,
        coalesce(sum(debits_minor - credits_minor)
            FILTER (WHERE account.code::text = 'LINE_COMMITTED'), 0)::bigint AS committed_minor,
        coalesce(instructed.in_flight_minor, 0)::bigint AS in_flight_minor,
        coalesce(sum(debits_minor - credits_minor)
            FILTER (WHERE account.code::text = 'LINE_SPENT'), 0)::bigint AS spent_minor,
        coalesce(instructed.paid_minor, 0)::bigint AS paid_minor
    FROM payments.budget_line AS line
    LEFT JOIN payments.account ON account.scope = line.fund || '/' || line.code
    LEFT JOIN instructed ON instructed.code = line.fund || '/' || line.code
    GROUP BY line.fund, line.code, instructed.in_flight_minor, instructed.paid_minor
    ORDER BY 1
"""

# Each transfer as its accounts and its amount; those of the reversal the other way round.
REVERSALS = """
    SELECT reversal.id, approval.proposed_by, approval.decided_by,
        ARRAY(
            SELECT format('%s from %s to %s', amount_minor, credit_account, debit_account)
            FROM payments.transfer WHERE approval_id = reversal.reverses ORDER BY 1
        ) AS recorded,
        ARRAY(
            SELECT format('%s from %s to %s', amount_minor, debit_account, credit_account)
            FROM payments.transfer WHERE approval_id = reversal.id ORDER BY 1
        ) AS taken_back
    FROM payments.reversal
    LEFT JOIN payments.approval USING (id)
    ORDER BY reversal.id
"""

INSTRUCTIONS = f"""
    SELECT instruction.id, instruction.entitlement_id, provider.code AS provider, chunk.fund,
        instruction.amount_minor, chunk.currency, instruction.status::text AS status,
        {_SPENT} AND NOT {_GIVEN_BACK} AS spent, entitlement.status::text AS entitlement_status,
        entitlement.amount_minor AS owed_minor
    FROM payments.instruction
    JOIN payments.chunk ON chunk.number = instruction.chunk_number
    JOIN payments.provider ON provider.number = instruction.provider_number
    LEFT JOIN registry.entitlement ON entitlement.id = instruction.entitlement_id
"""

PAID_TWICE = """
    SELECT household_id, payment_round.scheme, payment_round.round, count(*) AS times
    FROM payments.instruction
    JOIN payments.chunk ON chunk.number = chunk_number
    JOIN payments.payment_round ON payment_round.number = chunk.round_number
    WHERE instruction.status::text = 'settled'
    GROUP BY household_id, payment_round.activation_id, payment_round.scheme, payment_round.round
    HAVING count(*) > 1
"""

ENDS = """
    SELECT activation.id AS activation_id, activation.scheme_code AS scheme, activation.opened_on,
        entitlement.round, entitlement.status::text AS status, count(*) AS count,
        sum(amount_minor)::bigint AS minor
    FROM registry.entitlement
    JOIN registry.activation ON activation.id = entitlement.activation_id
    GROUP BY activation.id, entitlement.round, entitlement.status
    ORDER BY activation.opened_on, activation.id, entitlement.round
"""

# A repair's chunk counts what it announces again, and nobody anew.
CHUNKS = """
    SELECT activation_id, round, sum(payable_count + unpayable_count + excluded_count) AS counted
    FROM registry.entitlement_chunk
    WHERE home_chunk_id IS NULL
    GROUP BY activation_id, round
"""

PAYMENT_ENDS = """
    SELECT payment_round.activation_id, payment_round.round,
        count(*) FILTER (WHERE instruction.status::text <> ALL($1)) AS live,
        coalesce(
            sum(amount_minor) FILTER (WHERE instruction.status::text = 'settled'), 0
        )::bigint AS paid
    FROM payments.instruction
    JOIN payments.chunk ON chunk.number = chunk_number
    JOIN payments.payment_round ON payment_round.number = chunk.round_number
    GROUP BY payment_round.activation_id, payment_round.round
"""

# What the registry says of an entitlement, and what payments did about it.
DISAGREEMENTS = """
    SELECT coalesce(entitlement.id, instruction.entitlement_id) AS entitlement_id,
        entitlement.status::text AS status, entitlement.amount_minor,
        instruction.amount_minor AS settled_minor
    FROM registry.entitlement
    FULL JOIN (
        SELECT entitlement_id, amount_minor FROM payments.instruction
        WHERE status::text = 'settled'
    ) AS instruction ON instruction.entitlement_id = entitlement.id
    WHERE (entitlement.status::text IS NOT DISTINCT FROM 'paid')
            <> (instruction.amount_minor IS NOT NULL)
       OR entitlement.amount_minor <> instruction.amount_minor
    LIMIT 1000
"""

# Those that were opened, and those that the registry knows: each has to be among both.
ACTIVATIONS = """
    SELECT coalesce(activation.id, opened.id) AS id,
        coalesce(activation.scheme_code, opened.scheme) AS scheme,
        coalesce(activation.opened_on, opened.opened_on) AS opened_on,
        activation.id IS NOT NULL AND opened.id IS NOT NULL AS known_to_both,
        activation.area_filter,
        -- Whoever was not enrolled yet when it was cancelled never is.
        CASE WHEN activation.cancelled_on IS NULL
            THEN scheme_version.document ->> 'eligibility' END AS eligibility,
        ARRAY(SELECT area_code FROM triggers.activation_area
              WHERE activation_area.activation_id = opened.id) AS areas,
        coalesce(
            (SELECT min(planned_at) FROM registry.enrolment_run
             WHERE enrolment_run.activation_id = activation.id),
            activation.received_at
        ) AS planned_at,
        (SELECT due_on FROM registry.payment_round AS round
         WHERE round.activation_id = activation.id AND round.number = 1) AS counts_on
    FROM registry.activation
    FULL JOIN (SELECT * FROM triggers.activation WHERE opened_on IS NOT NULL) AS opened
        ON opened.id = activation.id
    LEFT JOIN registry.scheme_version
        ON scheme_version.code = activation.scheme_code
        AND scheme_version.version = activation.scheme_version
    ORDER BY 3, 1
"""

# The rules are CQL2 text that is SQL as well: PostgreSQL's own reading of them is the judge.
# $1 the areas reached, $2 when enrolment was planned, $3 the day that counts. A code's prefix is
# its parent. Counts of households whose members are listed are those of the day of the list.
ELIGIBLE = """
    WITH person AS NOT MATERIALIZED (
        SELECT member.*, extract(year FROM age($3::date, birth_date)) AS age,
            coalesce(pregnancy_due_on BETWEEN $3::date AND $3::date + 300, false) AS pregnant,
            ARRAY(SELECT programme_code FROM registry.programme_membership AS membership
                  WHERE membership.member_id = member.id
                    AND coalesce(since <= $3::date, true) AND coalesce(until > $3::date, true)
            ) AS programmes
        FROM registry.member
        WHERE coalesce(joined_on <= $3::date, true) AND coalesce(left_on > $3::date, true)
    )
    SELECT count(*)
    FROM registry.household
    JOIN registry.area ON area.code = household.area_code
    WHERE ({eligibility}) AND ({area_filter})
      AND EXISTS (
          SELECT FROM unnest($1::text[]) AS reached (code)
          WHERE reached.code ~ '^[A-Z]{{2}}$' OR starts_with(area.code, reached.code)
      )
      AND household.changed_at <= $2
      AND (NOT household.members_listed
           OR EXISTS (SELECT FROM person WHERE person.household_id = household.id))
"""

# $1 an activation, $2 when its enrolment was planned.
ENROLLED = """
    SELECT count(*) FILTER (WHERE household.changed_at <= $2) AS enrolled,
        count(*) FILTER (WHERE household.changed_at IS NULL OR household.changed_at > $2)
            AS changed_since
    FROM registry.enrolment
    LEFT JOIN registry.household ON household.id = enrolment.household_id
    WHERE enrolment.activation_id = $1
"""

HOUSEHOLDS = "SELECT count(*) FROM registry.household"

CALLBACKS = """
    SELECT DISTINCT instruction_id FROM payments.webhook WHERE instruction_id IS NOT NULL
"""

# What a person is shown: whatever has an alarm that is up, and what was sent and has no end.
LISTED = """
    SELECT instruction_id FROM payments.alarm
    WHERE instruction_id IS NOT NULL AND cleared_at IS NULL
    UNION
    SELECT id FROM payments.instruction WHERE status::text IN ('pending', 'unknown', 'held')
"""

# What each chunk that payments took says of itself, and what is there of it.
ANNOUNCED = """
    SELECT chunk.chunk_id, chunk.entitlement_count AS announced_count,
        chunk.total_minor AS announced_minor, coalesce(raised.count, 0) AS raised_count,
        coalesce(raised.minor, 0)::bigint AS raised_minor,
        coalesce(aside.count, 0) AS set_aside_count,
        coalesce(aside.minor, 0)::bigint AS set_aside_minor
    FROM payments.chunk
    LEFT JOIN (
        SELECT chunk_number AS number, count(*) AS count, sum(amount_minor) AS minor
        FROM payments.instruction
        WHERE attempt = 1
        GROUP BY chunk_number
    ) AS raised USING (number)
    LEFT JOIN (
        SELECT chunk_number AS number, count(*) AS count, sum(amount_minor) AS minor
        FROM payments.set_aside
        GROUP BY chunk_number
    ) AS aside USING (number)
    WHERE chunk.status::text IN ('raised', 'settled')
    ORDER BY number
"""

# A round is refused for good where its activation was cancelled, or where its chunks were announced
# again and belong to rounds of their own since.
_ROUNDS_WAITING = """
    SELECT count(*)
    FROM payments.payment_round
    WHERE status::text <> 'released'
      AND NOT (status::text = 'refused' AND (
          activation_id IN (SELECT activation_id FROM payments.cancelled_activation)
          OR NOT EXISTS (SELECT FROM payments.chunk WHERE round_number = payment_round.number)
      ))
"""

_CHUNKS_REFUSED = """
    SELECT count(*)
    FROM payments.chunk
    JOIN payments.payment_round ON payment_round.number = chunk.round_number
    WHERE chunk.status::text = 'refused'
      AND activation_id NOT IN (SELECT activation_id FROM payments.cancelled_activation)
"""

WAITING = {
    "events parked in triggers": (
        "SELECT count(*) FROM triggers.dead_letter WHERE discarded_at IS NULL"
    ),
    "events parked in the registry": (
        "SELECT count(*) FROM registry.dead_letter WHERE discarded_at IS NULL"
    ),
    "events parked in payments": (
        "SELECT count(*) FROM payments.dead_letter WHERE discarded_at IS NULL"
    ),
    "activations that enrol nobody, or not everywhere": """
        SELECT count(*) FROM registry.activation
        WHERE cancelled_on IS NULL AND (not_enrolled IS NOT NULL OR areas_refused <> '{}')
    """,
    "callbacks not applied": """
        SELECT count(*) FROM payments.webhook WHERE status::text <> 'applied'
    """,
    "chunks refused": _CHUNKS_REFUSED,
    "rounds without money": _ROUNDS_WAITING,
    "alarms": "SELECT count(*) FROM payments.alarm",
}

UNDER_WAY = f"""
    SELECT
        (SELECT count(*) FROM registry.entitlement_chunk AS chunk
         JOIN registry.activation ON activation.id = chunk.activation_id
         WHERE (status::text NOT IN ('settled', 'empty')
                OR settlements_applied < settlements_announced)
           -- What was planned of one that was cancelled is never worked, and what was announced of
           -- it may have been refused.
           AND (status::text NOT IN ('planned', 'refused') OR cancelled_on IS NULL))
        + (SELECT count(*) FROM registry.enrolment_run AS run
           JOIN registry.activation ON activation.id = run.activation_id
           WHERE completed_at IS NULL AND cancelled_on IS NULL)
        + (SELECT count(*) FROM payments.chunk WHERE status::text IN ('announced', 'raised'))
        + ({_CHUNKS_REFUSED})
        + ({_ROUNDS_WAITING})
        + (SELECT count(*) FROM payments.webhook WHERE status::text IN ('received', 'unmatched'))
        AS under_way,
        (SELECT count(*) FROM registry.entitlement WHERE status::text <> 'unpayable')
        AS entitlements
"""
