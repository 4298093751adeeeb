"""Pieces of SQL by which an instruction waits until its account was checked."""

OF_ACCOUNT = """
    {check}.household_id = {payment}.household_id
    AND {check}.provider_number = {payment}.provider_number
    AND {check}.account_fingerprint = {payment}.account_fingerprint
"""
"""That a check and a payment are of one account and household: tables or their aliases."""

KNOWN = """
    LEFT JOIN payments.account_check AS known
        ON provider.code = ANY(CAST(:checked AS text[]))
        AND known.household_id = fetched.household_id
        AND known.provider_number = provider.number
        AND known.account_fingerprint = fetched.account_fingerprint
        AND known.household_fingerprint = fetched.household_fingerprint
        AND known.outcome = 'passed'
        -- What was let pass without its name is asked for it once names are.
        AND (known.verdict IS NOT NULL OR provider.code <> ALL(CAST(:named AS text[])))
"""
"""Of fetched rows, with their ``provider``, the check that an account has passed already."""

UNCHECKED = "(provider.code = ANY(CAST(:checked AS text[])) AND known.outcome IS NULL)"
"""Whether the account of such a row is to be checked before it is paid."""

WANT = """
    INSERT INTO payments.account_check (household_id, provider_number, account_fingerprint,
        household_fingerprint, wanted_at, ask_at)
    SELECT DISTINCT ON (instruction.household_id, instruction.provider_number,
            instruction.account_fingerprint)
        instruction.household_id, instruction.provider_number, instruction.account_fingerprint,
        fetched.household_fingerprint, CAST(:at AS timestamptz), clock_timestamp()
    FROM fetched_entitlement AS fetched
    JOIN payments.instruction ON instruction.entitlement_id = fetched.entitlement_id
    WHERE instruction.chunk_number = :number AND instruction.account_unchecked
      AND instruction.status IN ('ready', 'unknown')
    -- In one order everywhere: several chunks are raised side by side.
    ORDER BY instruction.household_id, instruction.provider_number,
        instruction.account_fingerprint
    ON CONFLICT (household_id, provider_number, account_fingerprint) DO UPDATE
    SET household_fingerprint = excluded.household_fingerprint, outcome = NULL, reason = NULL,
        wanted_at = excluded.wanted_at, tries = 0,
        ask_at = coalesce(account_check.ask_at, excluded.ask_at)
"""
"""Has the accounts of a chunk's unchecked instructions asked about: once its rows are raised."""

_CHECK_ANEW = """
    WITH gone AS (
        {gone}
        RETURNING instruction.household_id, instruction.provider_number,
            instruction.account_fingerprint, instruction.account_unchecked
    )
    INSERT INTO payments.account_check (household_id, provider_number, account_fingerprint,
        household_fingerprint, wanted_at, ask_at)
    SELECT DISTINCT ON (gone.household_id, gone.provider_number, gone.account_fingerprint)
        gone.household_id, gone.provider_number, gone.account_fingerprint,
        -- Nothing known of the household is like nothing: once it is known, it is compared anew.
        coalesce(before.household_fingerprint, ''), CAST(:at AS timestamptz), clock_timestamp()
    FROM gone
    LEFT JOIN payments.account_check AS before USING (household_id, account_fingerprint)
    WHERE gone.account_unchecked
    ORDER BY gone.household_id, gone.provider_number, gone.account_fingerprint,
        before.wanted_at DESC
    ON CONFLICT (household_id, provider_number, account_fingerprint) DO UPDATE
    SET outcome = NULL, reason = NULL, wanted_at = excluded.wanted_at, tries = 0,
        ask_at = coalesce(account_check.ask_at, excluded.ask_at)
"""

CHECK_AT_ANOTHER = _CHECK_ANEW.format(
    gone="""
        UPDATE payments.instruction
        SET account_unchecked = CAST(:is_checked AS boolean) AND account_fingerprint IS NOT NULL
        WHERE id = ANY(CAST(:ids AS uuid[]))
    """
)
"""Has what goes by another provider than its account was raised for checked there, or nowhere."""

CHECK_ATTEMPT = _CHECK_ANEW.format(
    gone=f"""
        UPDATE payments.instruction SET account_unchecked = true
        FROM payments.provider
        WHERE instruction.id = :attempt_id
          AND provider.number = instruction.provider_number
          AND provider.code = ANY(CAST(:checked AS text[]))
          AND instruction.account_fingerprint IS NOT NULL
          AND NOT EXISTS (
              SELECT FROM payments.account_check AS known
              JOIN payments.instruction AS rejected ON rejected.id = :rejected_id
              WHERE {OF_ACCOUNT.format(check="known", payment="instruction")}
                AND known.outcome = 'passed'
                AND (known.verdict IS NOT NULL OR provider.code <> ALL(CAST(:named AS text[])))
                AND known.asked_at >= rejected.finished_at
          )
    """
)
"""Has the account of a further attempt checked, unless it has passed since what it follows was
rejected: what the provider had said of it before, the rejection made old."""

PICK_DUE = f"""
    WITH due AS MATERIALIZED (
        SELECT household_id, provider_number, account_fingerprint
        FROM payments.account_check
        WHERE provider_number = :provider_number AND ask_at <= clock_timestamp()
        ORDER BY ask_at
        LIMIT :size
        FOR NO KEY UPDATE SKIP LOCKED
    ),
    found AS MATERIALIZED (
        SELECT due.*, payment.id, payment.amount_minor, payment.currency, payment.account_sealed
        FROM due
        LEFT JOIN LATERAL (
            SELECT instruction.id, instruction.amount_minor, instruction.account_sealed,
                chunk.currency
            FROM payments.instruction
            JOIN payments.chunk ON chunk.number = instruction.chunk_number
            WHERE instruction.account_unchecked AND instruction.status IN ('ready', 'unknown')
              AND {OF_ACCOUNT.format(check="due", payment="instruction")}
            ORDER BY instruction.id DESC
            LIMIT 1
        ) AS payment ON true
    )
    UPDATE payments.account_check
    -- Where nothing waits for it any more, nothing is asked.
    SET ask_at = CASE WHEN found.id IS NOT NULL
        THEN clock_timestamp() + make_interval(secs => :lease_seconds) END
    FROM found
    WHERE {OF_ACCOUNT.format(check="account_check", payment="found")}
    RETURNING found.id, account_check.household_id, account_check.account_fingerprint,
        found.amount_minor, found.currency, found.account_sealed, account_check.tries
"""

_GIVEN = """
    given AS MATERIALIZED (
        SELECT household_id, CAST(:provider_number AS smallint) AS provider_number,
            account_fingerprint, CAST(outcome AS payments.account_outcome) AS outcome, reason,
            verdict, likeness, method, names_pair, retry_seconds
        FROM unnest(
            CAST(:households AS uuid[]), CAST(:fingerprints AS bytea[]),
            CAST(:outcomes AS text[]), CAST(:reasons AS text[]), CAST(:verdicts AS text[]),
            CAST(:likenesses AS smallint[]), CAST(:methods AS text[]), CAST(:pairs AS bytea[]),
            CAST(:retries AS float8[])
        ) AS given (household_id, account_fingerprint, outcome, reason, verdict, likeness, method,
            names_pair, retry_seconds)
    )
"""

LOCK_CHECKS = f"""
    WITH {_GIVEN}
    SELECT account_check.household_id
    FROM payments.account_check
    JOIN given ON {OF_ACCOUNT.format(check="account_check", payment="given")}
    ORDER BY account_check.household_id, account_check.provider_number,
        account_check.account_fingerprint
    FOR NO KEY UPDATE OF account_check
"""

KEEP = f"""
    WITH {_GIVEN}
    UPDATE payments.account_check
    SET outcome = CASE
            -- What two persons let go passes as long as neither name changes.
            WHEN given.outcome = 'doubted' AND account_check.accepted_pair = given.names_pair
                THEN 'passed'
            ELSE given.outcome END,
        reason = given.reason, verdict = given.verdict, likeness = given.likeness,
        method = given.method, names_pair = given.names_pair,
        asked_at = CAST(:at AS timestamptz),
        tries = CASE WHEN given.outcome IS NULL
            THEN least(account_check.tries + 1, 1000) ELSE 0 END,
        ask_at = clock_timestamp() + make_interval(secs => given.retry_seconds)
    FROM given
    WHERE {OF_ACCOUNT.format(check="account_check", payment="given")}
"""

# A statement of its own: it sees what was raised while the checks were waited for.
APPLY = f"""
    WITH {_GIVEN},
    found AS MATERIALIZED (
        SELECT instruction.id, account_check.outcome, account_check.likeness
        FROM given
        JOIN payments.account_check
            ON {OF_ACCOUNT.format(check="account_check", payment="given")}
        JOIN payments.instruction
            ON {OF_ACCOUNT.format(check="given", payment="instruction")}
        WHERE instruction.account_unchecked AND instruction.status IN ('ready', 'unknown')
          AND (account_check.outcome IN ('passed', 'doubted')
            -- Neither known nor asked again: it goes on unseen.
            OR account_check.outcome IS NULL AND account_check.ask_at IS NULL)
        ORDER BY instruction.id
        FOR NO KEY UPDATE OF instruction
    ),
    marked AS (
        UPDATE payments.instruction
        SET account_unchecked = false,
            withheld = instruction.withheld OR coalesce(found.outcome = 'doubted', false)
        FROM found
        WHERE instruction.id = found.id
        RETURNING instruction.id
    ),
    held AS (
        INSERT INTO payments.hold (instruction_id, rule, found, allowed, window_days, held_at)
        SELECT id, 'account_name', found.likeness, :likeness_least, 0, CAST(:at AS timestamptz)
        FROM found JOIN marked USING (id)
        WHERE found.outcome = 'doubted'
        ORDER BY id
        RETURNING instruction_id
    )
    SELECT (SELECT count(*) FROM marked) AS checked, (SELECT count(*) FROM held) AS held
"""

# Before its round is released nothing is reserved for a payment, so nothing can be given back.
LOCK_CLOSED = f"""
    SELECT instruction.id, account_check.reason
    FROM payments.account_check
    JOIN payments.instruction
        ON {OF_ACCOUNT.format(check="account_check", payment="instruction")}
    JOIN payments.chunk ON chunk.number = instruction.chunk_number
    JOIN payments.payment_round ON payment_round.number = chunk.round_number
    WHERE account_check.provider_number = :provider_number AND account_check.outcome = 'closed'
      AND instruction.account_unchecked AND instruction.status = 'ready'
      AND chunk.status = 'raised' AND payment_round.status = 'released'
      -- Certainly never sent.
      AND chunk.epoch = (SELECT events.current_epoch())
    ORDER BY instruction.id
    LIMIT :size
    FOR NO KEY UPDATE OF instruction SKIP LOCKED
"""

LET_UNSEEN_GO = """
    WITH unseen AS MATERIALIZED (
        SELECT instruction.id
        FROM payments.instruction
        JOIN payments.provider ON provider.number = instruction.provider_number
        WHERE instruction.account_unchecked AND instruction.status IN ('ready', 'unknown')
          AND provider.code = ANY(CAST(:unasked AS text[]))
        LIMIT :size
        FOR NO KEY UPDATE OF instruction SKIP LOCKED
    )
    UPDATE payments.instruction SET account_unchecked = false
    FROM unseen
    WHERE instruction.id = unseen.id
"""

ACCEPT = f"""
    UPDATE payments.account_check
    SET outcome = 'passed', accepted_pair = account_check.names_pair
    FROM payments.hold
    JOIN payments.instruction ON instruction.id = hold.instruction_id
    WHERE hold.resolution_id = :resolution_id AND hold.instruction_id = ANY(:ids)
      AND hold.rule = 'account_name'
      AND account_check.outcome = 'doubted'
      AND {OF_ACCOUNT.format(check="account_check", payment="instruction")}
"""
"""Remembers that two persons let a payment go to an account whose holder is called otherwise."""

LIST = """
    SELECT account_check.household_id, provider.code AS provider,
        encode(account_check.account_fingerprint, 'hex') AS account_fingerprint,
        account_check.outcome::text AS outcome, account_check.reason, account_check.verdict,
        account_check.likeness, account_check.method,
        coalesce(account_check.accepted_pair = account_check.names_pair, false) AS accepted,
        account_check.wanted_at, account_check.asked_at, account_check.tries
    FROM payments.account_check
    JOIN payments.provider ON provider.number = account_check.provider_number
    WHERE (CAST(:household_id AS uuid) IS NULL OR account_check.household_id = :household_id)
      AND (CAST(:provider AS text) IS NULL OR provider.code = :provider)
      AND (CAST(:outcome AS text) IS NULL OR account_check.outcome::text = :outcome)
      AND (CAST(:after_household AS uuid) IS NULL
        OR account_check.household_id >= CAST(:after_household AS uuid)
            AND (account_check.household_id, provider.code,
                encode(account_check.account_fingerprint, 'hex'))
                > (CAST(:after_household AS uuid), CAST(:after_provider AS text),
                    CAST(:after_fingerprint AS text)))
    ORDER BY account_check.household_id, provider.code,
        encode(account_check.account_fingerprint, 'hex')
    LIMIT :limit
"""
