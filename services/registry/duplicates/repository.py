"""Suspected duplicates in the database: finding the exact ones, listing, deciding, holding."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, insert, or_, select, text, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.duplicates.states import (
    FEW_HOUSEHOLDS,
    MOST_HOLDERS,
    SCORE_OF_ACCOUNT,
    SCORE_OF_ID_NUMBER,
    SCORE_OF_PHONE,
    SCORE_OF_WHAT_MANY_SHARE,
    Decision,
    Ground,
    Standing,
    Step,
)
from services.registry.duplicates.tables import DuplicateDecision, DuplicateSuspect
from services.registry.households.tables import Household
from shared.database import plan_anew

_FENCE, _LOOKING = 7_204, 1
_SHARE_FENCE = text(f"SELECT pg_advisory_xact_lock_shared({_FENCE}, 0)")
_HAVE_FENCE = text(f"SELECT pg_advisory_xact_lock({_FENCE}, 0)")
_LOOK_ALONE = text(f"SELECT pg_try_advisory_xact_lock({_FENCE}, {_LOOKING})")


async def share_fence(session: AsyncSession) -> None:
    """No suspicion begins to hold before this transaction ends: for whoever makes entitlements."""
    await session.execute(_SHARE_FENCE)


async def have_fence(session: AsyncSession) -> None:
    """Wait for all who make entitlements; the next wait until this transaction ends.

    What begins to hold after a chunk was worked sees what that chunk made; a chunk that is worked
    afterwards sees that it holds. Between the two there is nothing.
    """
    await session.execute(_HAVE_FENCE)


async def look_alone(session: AsyncSession) -> bool:
    """Whether nobody else looks until this transaction ends: what one finds, none withdraws."""
    return bool(await session.scalar(_LOOK_ALONE))


# Rows of a transaction that was not over at the last look have its number, or a greater one.
# Numbers wrap around and rows are frozen: what is too far behind is looked at as a whole.
_SINCE = text(
    """
    WITH now AS (SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS begins)
    SELECT begins,
           CASE WHEN look.seen_before <= begins AND begins - look.seen_before < 1000000000
                THEN age((look.seen_before % 4294967296)::text::xid) END AS age
    FROM now LEFT JOIN registry.duplicate_look AS look ON look.kind = :kind
    """
)
_LOOKED = text(
    """
    INSERT INTO registry.duplicate_look (kind, seen_before, looked_at)
    VALUES (:kind, :begins, :now)
    ON CONFLICT (kind) DO UPDATE
    SET seen_before = excluded.seen_before, looked_at = excluded.looked_at
    """
)


async def since(session: AsyncSession, kind: str) -> tuple[int, int]:
    """Where this look begins, and how young a row has to be (``age(xmin)``) to be new to it.

    To be asked before the rows are: what is stored meanwhile is new to the next look too.
    """
    begins, age = (await session.execute(_SINCE, {"kind": kind})).one()
    return begins, 2**31 - 1 if age is None else age


async def looked(session: AsyncSession, kind: str, begins: int, *, at: datetime) -> None:
    """Keep up to where a look saw everything."""
    await session.execute(_LOOKED, {"kind": kind, "begins": begins, "now": at})


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
_SHARED = "\nUNION ALL\n".join(
    f"""
    (SELECT held.*, count(*) OVER (PARTITION BY value) AS holders,
            row_number() OVER (PARTITION BY value ORDER BY known_at, household_id) AS place
     FROM (
        SELECT DISTINCT ON (value, household_id) ground, value, household_id, member_id, is_head,
               household.changed_at AS known_at, fresh.household_id IS NOT NULL AS is_fresh
        FROM ({holders}) AS stored
        JOIN registry.household ON household.id = stored.household_id
        LEFT JOIN fresh_household AS fresh USING (household_id)
        WHERE value IN (
            SELECT value FROM ({holders}) AS stored
            JOIN fresh_household USING (household_id))
        ORDER BY value, household_id, member_id NULLS LAST
     ) AS held)
    """
    for holders in _VALUES.values()
)

_ID_OF_FOUND = SUSPECT_ID.format(one="one_id", other="other_id")

_FOR_FOUND = [
    text(
        """
        CREATE TEMP TABLE IF NOT EXISTS fresh_household (household_id uuid) ON COMMIT DELETE ROWS
        """
    ),
    text(
        """
        CREATE TEMP TABLE IF NOT EXISTS found_alike (
            id uuid, first_household_id uuid, second_household_id uuid, first_member_id uuid,
            second_member_id uuid, score smallint, is_whole boolean, grounds text[]
        ) ON COMMIT DELETE ROWS
        """
    ),
]
# Nobody else reads them, and no one analyses them but us: from one household to a country.
_ANALYSE_FRESH, _ANALYSE_FOUND = text("ANALYZE fresh_household"), text("ANALYZE found_alike")
_FRESH = text(
    """
    INSERT INTO fresh_household
    SELECT id FROM registry.household WHERE age(xmin) <= :age
    UNION
    SELECT household_id FROM registry.member WHERE age(xmin) <= :age
    UNION
    SELECT household_id FROM registry.payee_account WHERE age(xmin) <= :age
    """
)
_FIND_EXACT = text(
    f"""
    INSERT INTO found_alike
    WITH shared AS MATERIALIZED (SELECT * FROM ({_SHARED}) AS held WHERE holders > 1),
    alike AS (
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
        FROM shared AS earlier
        JOIN shared AS later
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
    """
)
_KEEP_EXACT = text(
    """
    WITH kept AS (
        INSERT INTO registry.duplicate_suspect AS known
            (id, first_household_id, second_household_id, first_member_id, second_member_id,
             found_at, exact_score, likeness_score, is_whole, exact_grounds, likeness_grounds)
        SELECT id, first_household_id, second_household_id, first_member_id, second_member_id,
               :now, score, 0, is_whole, grounds, '{}'
        FROM found_alike
        ORDER BY id
        ON CONFLICT (id) DO UPDATE
        SET exact_score = excluded.exact_score, exact_grounds = excluded.exact_grounds,
            is_whole = known.is_whole OR excluded.is_whole, withdrawn_at = NULL
        WHERE (known.exact_score, known.exact_grounds, known.withdrawn_at)
            IS DISTINCT FROM (excluded.exact_score, excluded.exact_grounds, NULL)
        RETURNING id
    ),
    -- What spoke for it was corrected: nobody has to look at what nothing speaks for.
    withdrawn AS (
        UPDATE registry.duplicate_suspect AS known
        SET exact_score = 0, exact_grounds = '{}',
            withdrawn_at = CASE WHEN likeness_score = 0 THEN :now END
        WHERE known.decision IS NULL AND known.exact_score > 0
          AND NOT EXISTS (SELECT FROM found_alike WHERE found_alike.id = known.id)
          AND known.id IN (
              SELECT id FROM registry.duplicate_suspect
              JOIN fresh_household ON household_id = first_household_id
              UNION ALL
              SELECT id FROM registry.duplicate_suspect
              JOIN fresh_household ON household_id = second_household_id)
        RETURNING id
    )
    SELECT (SELECT count(*) FROM kept) + (SELECT count(*) FROM withdrawn)
    """
)


async def find_exact(session: AsyncSession, *, age: int) -> None:
    """Find whom a value that is stored since then has in common, for ``keep_exact`` to keep.

    It may look through a country, so nobody waits for it.
    """
    await plan_anew(session)
    for statement in _FOR_FOUND:
        await session.execute(statement)
    await session.execute(_FRESH, {"age": age})
    await session.execute(_ANALYSE_FRESH)
    await session.execute(_FIND_EXACT)
    await session.execute(_ANALYSE_FOUND)


async def keep_exact(session: AsyncSession, *, at: datetime) -> int:
    """Keep what this transaction found; how many suspicions that changes. Take the fence before.

    Withdraws what nothing speaks for any more.
    """
    return int(await session.scalar(_KEEP_EXACT, {"now": at}) or 0)


_STORE_LIKENESS = text(
    f"""
    WITH given AS (
        SELECT least(a, b) AS one, greatest(a, b) AS other, a, b, member_a, member_b, score,
               is_whole, string_to_array(grounds, ',') AS grounds
        FROM unnest(CAST(:a AS uuid[]), CAST(:b AS uuid[]), CAST(:member_a AS uuid[]),
                    CAST(:member_b AS uuid[]), CAST(:scores AS smallint[]),
                    CAST(:whole AS boolean[]), CAST(:grounds AS text[]))
            AS given (a, b, member_a, member_b, score, is_whole, grounds)
    ),
    kept AS (
        INSERT INTO registry.duplicate_suspect AS known
            (id, first_household_id, second_household_id, first_member_id, second_member_id,
             found_at, exact_score, likeness_score, is_whole, exact_grounds, likeness_grounds)
        SELECT {SUSPECT_ID.format(one="given.one", other="given.other")},
               CASE WHEN swapped THEN b ELSE a END, CASE WHEN swapped THEN a ELSE b END,
               CASE WHEN swapped THEN member_b ELSE member_a END,
               CASE WHEN swapped THEN member_a ELSE member_b END,
               :now, 0, score, is_whole, '{{}}', grounds
        FROM given
        JOIN registry.household AS household_a ON household_a.id = a
        JOIN registry.household AS household_b ON household_b.id = b
        CROSS JOIN LATERAL (
            SELECT (household_b.changed_at, b) < (household_a.changed_at, a) AS swapped) AS ordered
        ORDER BY given.one, given.other
        ON CONFLICT (id) DO UPDATE
        SET likeness_score = excluded.likeness_score, likeness_grounds = excluded.likeness_grounds,
            is_whole = known.is_whole OR excluded.is_whole, withdrawn_at = NULL
        WHERE (known.likeness_score, known.likeness_grounds, known.withdrawn_at)
            IS DISTINCT FROM (excluded.likeness_score, excluded.likeness_grounds, NULL)
        RETURNING id
    )
    SELECT count(*) FROM kept
    """
)


async def store_likeness(session: AsyncSession, values: dict[str, Any], *, at: datetime) -> int:
    """Keep pairs that are alike; how many suspicions that changes. Take the fence before."""
    return int(await session.scalar(_STORE_LIKENESS, {**values, "now": at}) or 0)


# Each side by its own index, for one household after the other: joined as a whole, all suspicions
# were read for each of them where the planner took the chunk for one row.
_HOLDING = """(
    SELECT id, second_household_id AS other_id, false AS other_is_first
    FROM registry.duplicate_suspect WHERE holds AND first_household_id = {household}
    UNION ALL
    SELECT id, first_household_id, true
    FROM registry.duplicate_suspect WHERE holds AND second_household_id = {household}
)"""

# Of an entitlement: whether it has to wait for somebody to decide about another's.
_HELD = f"""
    EXISTS (
        SELECT FROM {_HOLDING.format(household="{e}.household_id")} AS suspect
        JOIN registry.entitlement AS theirs ON theirs.household_id = suspect.other_id
        JOIN registry.activation AS here ON here.id = {{e}}.activation_id
        JOIN registry.activation AS there ON there.id = theirs.activation_id
        WHERE there.scheme_code = here.scheme_code
          AND abs(there.opened_on - here.opened_on) <= {{days}}
          AND CASE
              WHEN theirs.activation_id = {{e}}.activation_id AND theirs.round = {{e}}.round
              THEN {{same_round}}
              ELSE theirs.status IN ('ready', 'paid') AND (suspect.other_is_first OR NOT EXISTS (
                  SELECT FROM registry.entitlement AS own
                  WHERE own.household_id = {{e}}.household_id
                    AND own.activation_id = theirs.activation_id AND own.round = theirs.round
                    AND own.status IN ('ready', 'paid')))
          END
    )
"""
ONE_SHOCK_DAYS = 90
"""Activations of one scheme that opened within so many days help in one shock."""
SUSPECTED_DUPLICATE = "suspected-duplicate"

HELD_FROM_REPAIR = _HELD.format(
    e="entitlement",
    days=ONE_SHOCK_DAYS,
    # Of two that nobody paid, the first one is announced again, and the other waits.
    same_round="theirs.status IN ('ready', 'paid') "
    "OR theirs.status IN ('failed', 'unpayable', 'refused') AND suspect.other_is_first",
)
"""SQL: whether an ``entitlement`` must not be announced again while a suspicion is undecided."""

# In the order of their ids, so that two who wait for each other's never wait for each other.
_LOCK_OF_CHUNK = text(
    f"""
    SELECT suspect.id FROM registry.duplicate_suspect AS suspect
    WHERE suspect.id IN (
        SELECT holding.id FROM registry.entitlement AS e
        CROSS JOIN LATERAL {_HOLDING.format(household="e.household_id")} AS holding
        WHERE e.activation_id = :activation_id AND e.round = :round AND e.chunk_id = :chunk_id)
    ORDER BY suspect.id
    FOR UPDATE OF suspect
    """
)
_SET_ASIDE = text(
    f"""
    WITH aside AS (
        UPDATE registry.entitlement AS e
        SET status = 'unpayable', reason = '{SUSPECTED_DUPLICATE}', payee_account_id = NULL
        WHERE e.chunk_id = :chunk_id AND e.status = 'ready' AND {
        _HELD.format(
            e="e",
            days=ONE_SHOCK_DAYS,
            same_round="theirs.status IN ('ready', 'paid', 'refused') "
            "AND (theirs.chunk_id <> e.chunk_id OR suspect.other_is_first)",
        )
    }
        RETURNING e.amount_minor
    )
    SELECT count(*), coalesce(sum(amount_minor), 0)::bigint FROM aside
    """
)


async def lock_of_chunk(
    session: AsyncSession, chunk_id: UUID, *, activation_id: UUID, round_number: int
) -> bool:
    """Hold what is suspected of whom a chunk entitled, until the commit; whether there is any.

    Whoever works the chunk of the other of a pair waits, and then sees what this one made.
    """
    # Suspicions come by ten thousands at once, and plans that were made before know of none.
    await plan_anew(session)
    values = {"chunk_id": chunk_id, "activation_id": activation_id, "round": round_number}
    return bool((await session.scalars(_LOCK_OF_CHUNK, values)).all())


async def set_aside(session: AsyncSession, chunk_id: UUID) -> tuple[int, int]:
    """Set aside whom of a chunk another may be that is paid; how many, and of what sum."""
    count, minor = (await session.execute(_SET_ASIDE, {"chunk_id": chunk_id})).one()
    return count, minor


def _standing(standing: Standing | None) -> Any:
    match standing:
        case None:
            return True
        case Standing.UNDECIDED:
            return DuplicateSuspect.decision.is_(None)
        case _:
            return DuplicateSuspect.decision == Decision(standing.value)


async def list_suspects(
    session: AsyncSession,
    *,
    standing: Standing | None,
    ground: Ground | None,
    area_prefix: str,
    household_id: UUID | None,
    least_score: int,
    after: tuple[int, UUID] | None,
    limit: int,
) -> Sequence[DuplicateSuspect]:
    """Suspicions that are not withdrawn, the highest score first."""
    query = select(DuplicateSuspect).where(
        DuplicateSuspect.withdrawn_at.is_(None),
        DuplicateSuspect.score >= least_score,
        _standing(standing),
    )
    if ground is not None:
        query = query.where(
            or_(
                DuplicateSuspect.exact_grounds.contains([ground.value]),
                DuplicateSuspect.likeness_grounds.contains([ground.value]),
            )
        )
    if household_id is not None:
        query = query.where(
            or_(
                DuplicateSuspect.first_household_id == household_id,
                DuplicateSuspect.second_household_id == household_id,
            )
        )
    if area_prefix:
        lives = (
            select(Household.id)
            .where(
                Household.id.in_(
                    [DuplicateSuspect.first_household_id, DuplicateSuspect.second_household_id]
                ),
                Household.area_code.startswith(area_prefix, autoescape=True),
            )
            .correlate(DuplicateSuspect)
        )
        query = query.where(lives.exists())
    place = tuple_(DuplicateSuspect.score, DuplicateSuspect.id)
    if after is not None:
        query = query.where(place < after)
    by_score = query.order_by(DuplicateSuspect.score.desc(), DuplicateSuspect.id.desc())
    return (await session.scalars(by_score.limit(limit))).all()


async def find_suspect(
    session: AsyncSession, suspect_id: UUID, *, lock: bool = False
) -> DuplicateSuspect | None:
    """A suspicion, and where ``lock`` says so, for this transaction alone."""
    query = select(DuplicateSuspect).where(DuplicateSuspect.id == suspect_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return await session.scalar(query)


async def decisions_of(session: AsyncSession, suspect_id: UUID) -> Sequence[DuplicateDecision]:
    """What was decided and undone, the last first; no more than a hundred."""
    query = (
        select(DuplicateDecision)
        .where(DuplicateDecision.suspect_id == suspect_id)
        .order_by(DuplicateDecision.id.desc())
        .limit(100)
    )
    return (await session.scalars(query)).all()


async def decide(
    session: AsyncSession,
    suspect_id: UUID,
    decision: Decision | None,
    *,
    reason: str,
    by: str,
    at: datetime,
) -> None:
    """Write where a suspicion stands from now on; None: nobody has decided."""
    decided = decision is not None
    await session.execute(
        update(DuplicateSuspect)
        .where(DuplicateSuspect.id == suspect_id)
        .values(
            decision=decision,
            reason=reason if decided else None,
            decided_by=by if decided else None,
            decided_at=at if decided else None,
        )
        .execution_options(synchronize_session=False)
    )


async def add_step(session: AsyncSession, **fields: Any) -> None:
    """Add to the history of a suspicion; ``fields`` are the table's columns."""
    await session.execute(insert(DuplicateDecision).values(fields))


async def count_undecided(session: AsyncSession, *, least: int, most: int) -> Row[Any]:
    """How many suspicions between two scores wait, and of how many households."""
    return (
        await session.execute(
            select(func.count()).where(
                DuplicateSuspect.decision.is_(None),
                DuplicateSuspect.withdrawn_at.is_(None),
                DuplicateSuspect.score.between(least, most),
            )
        )
    ).one()


_DECIDE_MANY = text(
    """
    WITH decided AS (
        UPDATE registry.duplicate_suspect
        SET decision = CAST(CAST(:decision AS text) AS registry.duplicate_decision_kind),
            reason = :reason, decided_by = :by, decided_at = :now
        WHERE decision IS NULL AND withdrawn_at IS NULL AND score BETWEEN :least AND :most
          AND found_at <= :found_before
        RETURNING id
    ),
    told AS (
        INSERT INTO registry.duplicate_decision
            (id, suspect_id, step, reason, decided_by, decided_at, approval_id)
        SELECT uuidv7(), id, CAST(CAST(:decision AS text) AS registry.duplicate_step),
               :reason, :by, :now, :approval_id
        FROM decided
        RETURNING id
    )
    SELECT count(*) FROM told
    """
)


async def decide_many(session: AsyncSession, **values: Any) -> int:
    """Decide alike what waits between two scores and was found before; how many."""
    return int(await session.scalar(_DECIDE_MANY, values) or 0)


__all__ = [
    "HELD_FROM_REPAIR",
    "SUSPECTED_DUPLICATE",
    "Step",
    "add_step",
    "count_undecided",
    "decide",
    "decide_many",
    "decisions_of",
    "find_exact",
    "find_suspect",
    "have_fence",
    "keep_exact",
    "list_suspects",
    "lock_of_chunk",
    "look_alone",
    "looked",
    "set_aside",
    "share_fence",
    "since",
    "store_likeness",
]
