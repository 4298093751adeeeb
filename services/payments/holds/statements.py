"""The statement that finds what rules hold of a round, at its release, as one set."""


def _paid_within(days: str, condition: str) -> str:
    """Payments of rounds that were released within so many days, this one among them.

    Where the rule is not set, ``days`` is null, and nothing is looked at.
    """
    return f"""
        FROM payments.payment_round
        JOIN payments.chunk ON chunk.round_number = payment_round.number
        JOIN payments.instruction ON instruction.chunk_number = chunk.number
        WHERE CAST({days} AS integer) IS NOT NULL
          AND payment_round.status = 'released'
          AND payment_round.released_at > CAST(:at AS timestamptz)
              - make_interval(days => CAST({days} AS integer))
          -- Paid, or on its way.
          AND instruction.status NOT IN ('rejected', 'returned', 'cancelled')
          AND {condition}
    """


WITHHOLD = f"""
    WITH judged AS MATERIALIZED (
        SELECT instruction.id, instruction.household_id, instruction.provider_number,
            instruction.account_fingerprint, chunk.currency
        FROM payments.chunk
        JOIN payments.instruction ON instruction.chunk_number = chunk.number
        WHERE chunk.round_number = :round_number AND instruction.status = 'ready'
    ),
    account AS (
        SELECT instruction.provider_number, instruction.account_fingerprint,
            count(DISTINCT instruction.household_id) AS households
        {_paid_within(":account_days", "instruction.account_fingerprint IS NOT NULL")}
        GROUP BY instruction.provider_number, instruction.account_fingerprint
        HAVING count(DISTINCT instruction.household_id) > CAST(:account_households AS integer)
    ),
    household AS (
        SELECT instruction.household_id, chunk.currency, sum(instruction.amount_minor) AS minor
        {
    _paid_within(":cap_days", "payment_round.scheme = :scheme AND chunk.currency = :cap_currency")
}
        GROUP BY instruction.household_id, chunk.currency
        HAVING sum(instruction.amount_minor) > CAST(:cap_minor AS bigint)
    ),
    other AS (
        SELECT instruction.household_id, count(*) AS payments
        {
    _paid_within(
        ":duplicate_days",
        "payment_round.scheme = :scheme AND payment_round.activation_id <> :activation_id",
    )
}
        GROUP BY instruction.household_id
    ),
    found AS MATERIALIZED (
        SELECT judged.id, 'same_account' AS rule, account.households AS found,
            CAST(:account_households AS bigint) AS allowed, CAST(:account_days AS integer) AS days
        FROM judged
        JOIN account USING (provider_number, account_fingerprint)
        UNION ALL
        SELECT judged.id, 'above_cap', household.minor, CAST(:cap_minor AS bigint),
            CAST(:cap_days AS integer)
        FROM judged
        JOIN household USING (household_id, currency)
        UNION ALL
        SELECT judged.id, 'suspected_duplicate', other.payments, 0,
            CAST(:duplicate_days AS integer)
        FROM judged
        JOIN other USING (household_id)
    ),
    locked AS MATERIALIZED (
        SELECT instruction.id
        FROM payments.instruction
        WHERE instruction.id IN (SELECT id FROM found) AND instruction.status = 'ready'
        ORDER BY instruction.id
        FOR NO KEY UPDATE
    ),
    marked AS (
        UPDATE payments.instruction SET withheld = true
        FROM locked
        WHERE instruction.id = locked.id
        RETURNING instruction.id
    )
    INSERT INTO payments.hold (instruction_id, rule, found, allowed, window_days, held_at)
    SELECT marked.id, CAST(found.rule AS payments.hold_rule), found.found, found.allowed,
        found.days, CAST(:at AS timestamptz)
    FROM found JOIN marked USING (id)
    ORDER BY marked.id, found.rule
    RETURNING instruction_id
"""
