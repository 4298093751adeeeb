"""Pieces of SQL by which an instruction waits until its account was checked."""

from shared.database import NOW

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
        WHERE provider_number = :provider_number AND ask_at <= {NOW}
        ORDER BY ask_at
        LIMIT :size
        FOR NO KEY UPDATE SKIP LOCKED
    ),
    found AS MATERIALIZED (
        SELECT due.*, coalesce(payment.account_sealed, prepared.account_sealed) AS account_sealed
        FROM due
        LEFT JOIN LATERAL (
            SELECT instruction.account_sealed
            FROM payments.instruction
            WHERE instruction.account_unchecked AND instruction.status IN ('ready', 'unknown')
              AND {OF_ACCOUNT.format(check="due", payment="instruction")}
            ORDER BY instruction.id DESC
            LIMIT 1
        ) AS payment ON true
        -- Nothing is paid to it yet, and a trigger that is ready may have it paid soon.
        LEFT JOIN LATERAL (
            SELECT prepared_account.account_sealed
            FROM payments.prepared_account
            WHERE {OF_ACCOUNT.format(check="due", payment="prepared_account")}
            LIMIT 1
        ) AS prepared ON true
    )
    UPDATE payments.account_check
    -- Where nothing waits for it any more, nothing is asked.
    SET ask_at = CASE WHEN found.account_sealed IS NOT NULL
        THEN clock_timestamp() + make_interval(secs => :lease_seconds) END
    FROM found
    WHERE {OF_ACCOUNT.format(check="account_check", payment="found")}
    RETURNING account_check.household_id, account_check.account_fingerprint,
        found.account_sealed, account_check.tries
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

LIST = f"""
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
      AND (CAST(:readiness_id AS uuid) IS NULL OR EXISTS (
          SELECT FROM payments.prepared_account
          WHERE prepared_account.readiness_id = :readiness_id
            AND {OF_ACCOUNT.format(check="account_check", payment="prepared_account")}
      ))
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

BEGIN_PREPARING = """
    INSERT INTO payments.account_preparation (readiness_id, households, fetch_at)
    SELECT readiness_id, households, clock_timestamp()
    FROM payments.reservation
    WHERE released_at IS NULL
    ORDER BY readiness_id
    ON CONFLICT DO NOTHING
"""
"""Has the accounts of whomever a trigger that is ready would pay fetched."""

# Counted anew, in more areas or fewer, it is fetched anew from its beginning.
PICK_PREPARATION = """
    UPDATE payments.account_preparation AS preparation
    SET fetch_at = clock_timestamp() + make_interval(secs => :lease_seconds),
        after = CASE WHEN preparation.households = due.households
            THEN preparation.after END,
        households = due.households
    FROM (
        SELECT readiness_id, reservation.households
        FROM payments.account_preparation AS waiting
        JOIN payments.reservation USING (readiness_id)
        WHERE reservation.released_at IS NULL
          AND (waiting.fetch_at <= clock_timestamp()
            OR waiting.households <> reservation.households)
        ORDER BY waiting.fetch_at
        LIMIT 1
        FOR NO KEY UPDATE OF waiting SKIP LOCKED
    ) AS due
    WHERE preparation.readiness_id = due.readiness_id
    RETURNING preparation.readiness_id, preparation.after
"""

LOCK_PREPARATION = """
    SELECT readiness_id FROM payments.account_preparation
    WHERE readiness_id = :readiness_id
      AND after IS NOT DISTINCT FROM CAST(:after AS uuid)
    FOR NO KEY UPDATE
"""

KEEP_PREPARED = """
    WITH given AS MATERIALIZED (
        SELECT given.*, provider.number AS provider_number
        FROM unnest(
            CAST(:households AS uuid[]), CAST(:providers AS text[]),
            CAST(:fingerprints AS bytea[]), CAST(:household_fingerprints AS bytea[]),
            CAST(:accounts AS bytea[])
        ) AS given (household_id, provider_code, account_fingerprint, household_fingerprint,
            account_sealed)
        JOIN payments.provider ON provider.code = given.provider_code
            AND provider.code = ANY(CAST(:checked AS text[]))
    ),
    kept AS (
        INSERT INTO payments.prepared_account (readiness_id, household_id, provider_number,
            account_fingerprint, account_sealed)
        SELECT :readiness_id, household_id, provider_number, account_fingerprint, account_sealed
        FROM given
        ORDER BY household_id
        ON CONFLICT (readiness_id, household_id) DO UPDATE
        SET provider_number = excluded.provider_number,
            account_fingerprint = excluded.account_fingerprint,
            account_sealed = excluded.account_sealed
    )
    INSERT INTO payments.account_check AS known (household_id, provider_number,
        account_fingerprint, household_fingerprint, wanted_at, ask_at)
    SELECT household_id, provider_number, account_fingerprint, household_fingerprint,
        CAST(:at AS timestamptz), clock_timestamp()
    FROM given
    ORDER BY household_id, provider_number, account_fingerprint
    ON CONFLICT (household_id, provider_number, account_fingerprint) DO UPDATE
    SET household_fingerprint = excluded.household_fingerprint, outcome = NULL, reason = NULL,
        wanted_at = excluded.wanted_at, tries = 0,
        ask_at = coalesce(known.ask_at, excluded.ask_at)
    -- What has passed is not asked again while the registry knows the same of the household; what
    -- has not is, each time: somebody may have mended it.
    WHERE known.household_fingerprint <> excluded.household_fingerprint
       OR known.outcome IS DISTINCT FROM 'passed'
       OR known.verdict IS NULL AND EXISTS (
           SELECT FROM payments.provider
           WHERE provider.number = known.provider_number
             AND provider.code = ANY(CAST(:named AS text[]))
       )
"""

END_PAGE = """
    UPDATE payments.account_preparation
    SET after = CAST(:next AS uuid),
        fetched_at = CASE WHEN CAST(:next AS uuid) IS NULL THEN CAST(:at AS timestamptz)
            ELSE fetched_at END,
        fetch_at = CASE WHEN CAST(:next AS uuid) IS NULL
            THEN clock_timestamp() + make_interval(secs => :again_seconds)
            ELSE clock_timestamp() END
    WHERE readiness_id = :readiness_id
"""

PUT_PREPARATION_OFF = """
    UPDATE payments.account_preparation
    SET fetch_at = clock_timestamp() + make_interval(secs => :seconds)
    WHERE readiness_id = :readiness_id
"""

FORGET_PREPARED = """
    DELETE FROM payments.prepared_account
    WHERE (readiness_id, household_id) IN (
        SELECT readiness_id, household_id
        FROM payments.prepared_account
        JOIN payments.reservation USING (readiness_id)
        WHERE reservation.released_at IS NOT NULL
        LIMIT :size
    )
"""
"""No account is kept for a trigger that stands down."""

PREPARATIONS = f"""
    SELECT reservation.readiness_id, reservation.trigger, reservation.scheme,
        preparation.fetched_at, counted.*
    FROM payments.account_preparation AS preparation
    JOIN payments.reservation USING (readiness_id)
    CROSS JOIN LATERAL (
        SELECT count(*) AS accounts,
            count(*) FILTER (WHERE account_check.outcome = 'passed') AS passed,
            count(*) FILTER (WHERE account_check.outcome = 'doubted') AS doubted,
            count(*) FILTER (WHERE account_check.outcome = 'closed') AS closed,
            count(*) FILTER (WHERE account_check.outcome IS NULL) AS waiting
        FROM payments.prepared_account
        LEFT JOIN payments.account_check
            ON {OF_ACCOUNT.format(check="account_check", payment="prepared_account")}
        WHERE prepared_account.readiness_id = preparation.readiness_id
    ) AS counted
    WHERE reservation.released_at IS NULL
      AND (CAST(:after AS uuid) IS NULL OR reservation.readiness_id > CAST(:after AS uuid))
    ORDER BY reservation.readiness_id
    LIMIT :limit
"""
