"""Finding whom a blind index has in common, composed of the values that count, and keeping them."""

from sqlalchemy import text

from services.registry.duplicates.states import (
    FEW_HOUSEHOLDS,
    MOST_HOLDERS,
    SCORE_OF_ACCOUNT,
    SCORE_OF_ID_NUMBER,
    SCORE_OF_PHONE,
    SCORE_OF_WHAT_MANY_SHARE,
    Ground,
)


def _holders(column: str, ground: Ground) -> str:
    """Who is found by a value: a household by its head, and its members."""
    return f"""
        SELECT '{ground}' AS ground, {column} AS value, id AS household_id,
               NULL::uuid AS member_id, true AS is_head
        FROM registry.household WHERE {column} IS NOT NULL
        UNION ALL
        SELECT '{ground}', {column}, household_id, id, relationship = 'head'
        FROM registry.member WHERE {column} IS NOT NULL AND left_on IS NULL
    """


_ACCOUNTS = f"""
    SELECT '{Ground.ACCOUNT}' AS ground, account_index AS value, household_id,
           NULL::uuid AS member_id, true AS is_head
    FROM registry.payee_account WHERE ended_at IS NULL
"""

_VALUES = {
    Ground.ID_NUMBER: _holders("id_number_index", Ground.ID_NUMBER),
    Ground.PHONE: _holders("phone_index", Ground.PHONE),
    Ground.ACCOUNT: _ACCOUNTS,
}

SUSPECT_ID = """CAST(overlay(overlay(
    left(encode(sha256(uuid_send({one}) || uuid_send({other})), 'hex'), 32)
    PLACING '8' FROM 13 FOR 1) PLACING 'a' FROM 17 FOR 1) AS uuid)"""
"""SQL for the id of a pair of households, the lesser id first: the same whoever finds it."""

# Of a household, one holder of a value: the member, rather than the household that repeats them.
_FIND_SHARED = [
    text(
        f"""
        INSERT INTO shared_value
        SELECT * FROM (
            SELECT held.*, count(*) OVER (PARTITION BY value) AS holders,
                   row_number() OVER (PARTITION BY value ORDER BY known_at, household_id) AS place
            FROM (
                SELECT DISTINCT ON (value, household_id)
                       ground, value, household_id, member_id, is_head,
                       household.changed_at AS known_at,
                       fresh.household_id IS NOT NULL AS is_fresh
                FROM ({holders}) AS stored
                JOIN registry.household ON household.id = stored.household_id
                    -- Whose persons are of another household now is found by that one alone.
                    AND household.merged_into IS NULL
                LEFT JOIN fresh_household AS fresh USING (household_id)
                WHERE value IN (
                    SELECT value FROM ({holders}) AS stored
                    JOIN fresh_household USING (household_id))
                ORDER BY value, household_id, member_id NULLS LAST
            ) AS held
        ) AS held
        WHERE holders > 1
        """
    )
    for holders in _VALUES.values()
]
"""One kind of value after the other: each sorts a country, and what it needs for that is given back
before the next."""

_ID_OF_FOUND = SUSPECT_ID.format(one="one_id", other="other_id")

FOR_FOUND = [
    text(
        """
        CREATE TEMP TABLE IF NOT EXISTS fresh_household (household_id uuid)
        """
    ),
    text(
        """
        CREATE TEMP TABLE IF NOT EXISTS shared_value (
            ground text, value bytea, household_id uuid, member_id uuid, is_head boolean,
            known_at timestamptz, is_fresh boolean, holders bigint, place bigint
        )
        """
    ),
    text(
        """
        CREATE TEMP TABLE IF NOT EXISTS found_alike (
            id uuid PRIMARY KEY, first_household_id uuid, second_household_id uuid,
            first_member_id uuid, second_member_id uuid, score smallint, is_whole boolean,
            grounds text[]
        )
        """
    ),
    text("CREATE TEMP TABLE IF NOT EXISTS found_gone (id uuid PRIMARY KEY)"),
]
FORGET_FOUND = text("TRUNCATE fresh_household, shared_value, found_alike, found_gone")
# Two of them or three are at work at a time, on up to a country.
SPARE_MEMORY = text("SELECT set_config('work_mem', '16MB', true)")
# Nobody else reads them, and no one analyses them but us: from one household to a country.
ANALYSE_FRESH, _ANALYSE_SHARED, _ANALYSE_FOUND = (
    text(f"ANALYZE {table}") for table in ("fresh_household", "shared_value", "found_alike")
)
FRESH = text(
    """
    INSERT INTO fresh_household
    SELECT id FROM registry.household WHERE changed_in >= CAST(CAST(:seen AS text) AS xid8)
    """
)
ANY_FRESH = text("SELECT EXISTS (SELECT FROM fresh_household)")
_FIND_ALIKE = text(
    f"""
    INSERT INTO found_alike
    WITH alike AS (
        SELECT earlier.household_id AS earlier_id, later.household_id AS later_id,
               earlier.known_at AS earlier_known, later.known_at AS later_known,
               earlier.member_id AS earlier_member, later.member_id AS later_member,
               earlier.ground,
               earlier.is_head OR later.is_head AS of_a_head,
               CASE earlier.ground
                   WHEN '{Ground.ID_NUMBER}' THEN {SCORE_OF_ID_NUMBER}
                   WHEN '{Ground.ACCOUNT}' THEN
                       CASE WHEN earlier.holders <= {FEW_HOUSEHOLDS} THEN {SCORE_OF_ACCOUNT}
                            ELSE {SCORE_OF_WHAT_MANY_SHARE} END
                   ELSE CASE WHEN earlier.holders <= {FEW_HOUSEHOLDS} THEN {SCORE_OF_PHONE}
                             ELSE {SCORE_OF_WHAT_MANY_SHARE} END
               END AS score
        FROM shared_value AS earlier
        JOIN shared_value AS later
            ON later.ground = earlier.ground AND later.value = earlier.value
            AND later.place > earlier.place
        WHERE (earlier.holders <= {MOST_HOLDERS}
               OR earlier.ground = '{Ground.ID_NUMBER}' AND earlier.place = 1)
          -- Of two who are both as they were, nothing new is known.
          AND (earlier.is_fresh OR later.is_fresh)
    ),
    -- The same two by different values may have been put in a different order by a tie.
    pairs AS (
        SELECT least(earlier_id, later_id) AS one_id, greatest(earlier_id, later_id) AS other_id,
               alike.*, CASE WHEN earlier_id < later_id THEN earlier_member ELSE later_member END
                   AS one_member,
               CASE WHEN earlier_id < later_id THEN later_member ELSE earlier_member END
                   AS other_member
        FROM alike
    ),
    by_ground AS (
        SELECT one_id, other_id, ground, max(score) AS score, bool_or(of_a_head) AS of_a_head,
               count(*) AS times,
               (array_agg(one_member ORDER BY score DESC, one_member))[1] AS one_member,
               (array_agg(other_member ORDER BY score DESC, one_member))[1] AS other_member,
               (array_agg(earlier_id))[1] AS earlier_id
        FROM pairs GROUP BY one_id, other_id, ground
    ),
    -- Each ground leaves so much of a doubt; together they leave the product.
    found AS (
        SELECT one_id, other_id,
               round(1000 * (1 - exp(sum(ln(1 - score / 1000.0)))))::smallint AS score,
               array_agg(ground ORDER BY score DESC, ground) AS grounds,
               bool_or(of_a_head) OR max(times) > 1 AS is_whole,
               (array_agg(one_member ORDER BY score DESC))[1] AS one_member,
               (array_agg(other_member ORDER BY score DESC))[1] AS other_member,
               (array_agg(earlier_id ORDER BY score DESC))[1] AS earlier_id
        FROM by_ground GROUP BY one_id, other_id
    )
    SELECT {_ID_OF_FOUND},
           earlier_id, CASE WHEN earlier_id = one_id THEN other_id ELSE one_id END,
           CASE WHEN earlier_id = one_id THEN one_member ELSE other_member END,
           CASE WHEN earlier_id = one_id THEN other_member ELSE one_member END,
           score, is_whole, grounds
    FROM found
    -- All is found before the first is written: until then no reader of events waits.
    ORDER BY 1
    """
)
_FIND_GONE = text(
    """
    INSERT INTO found_gone
    SELECT id FROM registry.duplicate_suspect AS known
    WHERE exact_score > 0
      AND NOT EXISTS (SELECT FROM found_alike WHERE found_alike.id = known.id)
      AND id IN (
          SELECT id FROM registry.duplicate_suspect
          JOIN fresh_household ON household_id = first_household_id
          UNION ALL
          SELECT id FROM registry.duplicate_suspect
          JOIN fresh_household ON household_id = second_household_id)
    """
)
FIND_EXACT = [*_FIND_SHARED, _ANALYSE_SHARED, _FIND_ALIKE, _ANALYSE_FOUND, _FIND_GONE]
"""What is found of those who are fresh, and of which nothing is found any more, step by step."""
KEEP_EXACT = text(
    """
    WITH found AS (SELECT * FROM found_alike WHERE id > :after ORDER BY id LIMIT :most),
    kept AS (
        INSERT INTO registry.duplicate_suspect AS known
            (id, first_household_id, second_household_id, first_member_id, second_member_id,
             found_at, exact_score, likeness_score, is_whole, exact_grounds, likeness_grounds)
        SELECT id, first_household_id, second_household_id, first_member_id, second_member_id,
               :now, score, 0, is_whole, grounds, '{}'
        FROM found
        -- Some may have become part of another since they were found.
        WHERE NOT EXISTS (
            SELECT FROM registry.household
            WHERE household.id IN (found.first_household_id, found.second_household_id)
              AND household.merged_into IS NOT NULL)
        ORDER BY id
        ON CONFLICT (id) DO UPDATE
        SET exact_score = excluded.exact_score, exact_grounds = excluded.exact_grounds,
            is_whole = known.is_whole OR excluded.is_whole, withdrawn_at = NULL
        WHERE (known.exact_score, known.exact_grounds, known.withdrawn_at)
            IS DISTINCT FROM (excluded.exact_score, excluded.exact_grounds, NULL)
          -- What went on from a household that is part of another is not found any more.
          AND (excluded.exact_score >= known.exact_score OR NOT EXISTS (
              SELECT FROM registry.duplicate_suspect AS passed WHERE passed.passed_to = known.id))
        RETURNING id
    )
    SELECT (SELECT count(*) FROM kept) AS changed,
           (SELECT id FROM found ORDER BY id OFFSET :most - 1) AS last
    """
)
"""Some of what was found, behind an id; ``last`` is null where there are no more behind them."""
# What spoke for it was corrected: nobody has to look at what nothing speaks for.
WITHDRAW_EXACT = text(
    """
    WITH withdrawn AS (
        UPDATE registry.duplicate_suspect AS known
        SET exact_score = 0, exact_grounds = '{}',
            withdrawn_at = CASE WHEN likeness_score = 0 THEN CAST(:now AS timestamptz) END
        WHERE known.decision IS NULL AND known.exact_score > 0 AND known.passed_to IS NULL
          -- Of whoever is part of another nothing is found any more, nor what went on from them:
          -- somebody decides it.
          AND NOT EXISTS (
              SELECT FROM registry.duplicate_suspect AS passed WHERE passed.passed_to = known.id)
          AND NOT EXISTS (
              SELECT FROM registry.household
              WHERE household.id IN (known.first_household_id, known.second_household_id)
                AND household.merged_into IS NOT NULL)
          AND known.id IN (SELECT id FROM found_gone)
        RETURNING id
    )
    SELECT count(*) FROM withdrawn
    """
)
