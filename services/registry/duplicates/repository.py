"""Suspected duplicates in the database: finding the exact ones, listing, deciding, holding."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Row,
    and_,
    bindparam,
    func,
    insert,
    or_,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import Uuid

from services.registry.approvals.tables import Approval
from services.registry.duplicates.statements import (
    ANALYSE_FOUND,
    ANALYSE_FRESH,
    FIND_EXACT,
    FOR_FOUND,
    FRESH,
    KEEP_EXACT,
    SUSPECT_ID,
)
from services.registry.duplicates.states import Decision, Ground, Standing, Step
from services.registry.duplicates.tables import DuplicateDecision, DuplicateSuspect
from services.registry.households.tables import Household
from shared.bounds import Bound, within
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


async def find_exact(session: AsyncSession, *, age: int) -> None:
    """Find whom a value that is stored since then has in common, for ``keep_exact`` to keep.

    It may look through a country, so nobody waits for it.
    """
    await plan_anew(session)
    for statement in FOR_FOUND:
        await session.execute(statement)
    await session.execute(FRESH, {"age": age})
    await session.execute(ANALYSE_FRESH)
    await session.execute(FIND_EXACT)
    await session.execute(ANALYSE_FOUND)


async def keep_exact(session: AsyncSession, *, at: datetime) -> int:
    """Keep what this transaction found; how many suspicions that changes. Take the fence before.

    Withdraws what nothing speaks for any more.
    """
    changed = int(await session.scalar(KEEP_EXACT, {"now": at}) or 0)
    if changed:
        await _follow(session)
    return changed


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
        -- Some may have become part of another, or nobody, since they were read.
        JOIN registry.household AS household_a ON household_a.id = a
            AND household_a.merged_into IS NULL AND household_a.erased_at IS NULL
        JOIN registry.household AS household_b ON household_b.id = b
            AND household_b.merged_into IS NULL AND household_b.erased_at IS NULL
        CROSS JOIN LATERAL (
            SELECT (household_b.changed_at, b) < (household_a.changed_at, a) AS swapped) AS ordered
        ORDER BY given.one, given.other
        ON CONFLICT (id) DO UPDATE
        SET likeness_score = excluded.likeness_score, likeness_grounds = excluded.likeness_grounds,
            is_whole = known.is_whole OR excluded.is_whole, withdrawn_at = NULL
        WHERE (known.likeness_score, known.likeness_grounds, known.withdrawn_at)
            IS DISTINCT FROM (excluded.likeness_score, excluded.likeness_grounds, NULL)
          -- Of whom somebody is part that is compared no more, it stays as likely as it was.
          AND (excluded.likeness_score >= known.likeness_score OR NOT EXISTS (
              SELECT FROM registry.duplicate_suspect AS passed WHERE passed.passed_to = known.id))
        RETURNING id
    )
    SELECT count(*) FROM kept
    """
)


async def store_likeness(session: AsyncSession, values: dict[str, Any], *, at: datetime) -> int:
    """Keep pairs that are alike; how many suspicions that changes. Take the fence before."""
    changed = int(await session.scalar(_STORE_LIKENESS, {**values, "now": at}) or 0)
    if changed:
        await _follow(session)
    return changed


# Each side by its own index, for one household after the other: joined as a whole, all suspicions
# were read for each of them where the planner took the chunk for one row.
_HOLDING = """(
    SELECT id, second_household_id AS other_id, false AS other_is_first, settled_at
    FROM registry.duplicate_suspect WHERE holds AND first_household_id = {household}
    UNION ALL
    SELECT id, first_household_id, true, settled_at
    FROM registry.duplicate_suspect WHERE holds AND second_household_id = {household}
)"""

# Of an entitlement: whether it has to wait for somebody to decide about another's.
_HELD = f"""
    EXISTS (
        SELECT FROM {_HOLDING.format(household="{e}.household_id")} AS suspect
        JOIN registry.entitlement AS theirs ON theirs.household_id = suspect.other_id
        JOIN registry.activation AS here ON here.id = {{e}}.activation_id
        JOIN registry.activation AS there ON there.id = theirs.activation_id
        WHERE (suspect.settled_at IS NULL OR {{of_one_household}})
          AND there.scheme_code = here.scheme_code
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
# Two that are one by now were owed one round once; and what two activations owe them is what they
# would owe one household: both, unless their times overlap and the scheme pays one of them then.
_OF_ONE_HOUSEHOLD = """(
    theirs.activation_id = {e}.activation_id AND theirs.round = {e}.round
    OR theirs.activation_id <> {e}.activation_id
    AND EXISTS (
        SELECT FROM registry.scheme_version AS scheme
        WHERE scheme.code = here.scheme_code AND scheme.version = here.scheme_version
          AND scheme.document ->> 'overlapping' = 'excluded')
    AND there.opened_on <= {end_of_here} AND here.opened_on <= {end_of_there}
)"""
_END = """coalesce({activation}.cancelled_on, (
        SELECT max(due_on) FROM registry.payment_round AS round
        WHERE round.activation_id = {activation}.id), {activation}.opened_on)"""


def _held(entitlement: str, *, same_round: str) -> str:
    return _HELD.format(
        e=entitlement,
        days=ONE_SHOCK_DAYS,
        same_round=same_round,
        of_one_household=_OF_ONE_HOUSEHOLD.format(
            e=entitlement,
            end_of_here=_END.format(activation="here"),
            end_of_there=_END.format(activation="there"),
        ),
    )


ONE_SHOCK_DAYS = 90
"""Activations of one scheme that opened within so many days help in one shock."""
SUSPECTED_DUPLICATE = "suspected-duplicate"

HELD_FROM_REPAIR = _held(
    "entitlement",
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
        _held(
            "e",
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
        case Standing.MERGED:
            return DuplicateSuspect.settled_at.is_not(None)
        case _:
            return and_(
                DuplicateSuspect.decision == Decision(standing.value),
                DuplicateSuspect.settled_at.is_(None),
            )


def _both_within(bound: Bound) -> list[ColumnElement[bool]]:
    """Whether both households lie in a caller's areas: of one alone they are not told."""
    if bound is None:
        return []
    return [
        select(Household.id)
        .where(Household.id == household_id, within(bound, Household.area_code))
        .correlate(DuplicateSuspect)
        .exists()
        for household_id in (
            DuplicateSuspect.first_household_id,
            DuplicateSuspect.second_household_id,
        )
    ]


async def list_suspects(
    session: AsyncSession,
    *,
    standing: Standing | None,
    ground: Ground | None,
    area_prefix: str,
    household_id: UUID | None,
    least_score: int,
    bound: Bound,
    after: tuple[int, UUID] | None,
    limit: int,
) -> Sequence[DuplicateSuspect]:
    """Suspicions that are not withdrawn, nor part of another, the highest score first."""
    query = select(DuplicateSuspect).where(
        DuplicateSuspect.withdrawn_at.is_(None),
        DuplicateSuspect.passed_to.is_(None),
        DuplicateSuspect.score >= least_score,
        _standing(standing),
        *_both_within(bound),
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
    session: AsyncSession, suspect_id: UUID, *, bound: Bound, lock: bool = False
) -> DuplicateSuspect | None:
    """A suspicion, and where ``lock`` says so, for this transaction alone, with what follows it."""
    query = select(DuplicateSuspect).where(DuplicateSuspect.id == suspect_id, *_both_within(bound))
    if lock:
        # In the order of their ids, as chunks lock them.
        await session.execute(
            select(DuplicateSuspect.id)
            .where(or_(DuplicateSuspect.id == suspect_id, DuplicateSuspect.passed_to == suspect_id))
            .order_by(DuplicateSuspect.id)
            .with_for_update()
        )
        query = query.execution_options(populate_existing=True)
    return await session.scalar(query)


async def decisions_of(session: AsyncSession, suspect_id: UUID) -> Sequence[DuplicateDecision]:
    """What was decided and undone, the last first; no more than a hundred.

    With what was decided of those that went on in this one.
    """
    passed = select(DuplicateSuspect.id).where(DuplicateSuspect.passed_to == suspect_id)
    query = (
        select(DuplicateDecision)
        .where(
            or_(
                DuplicateDecision.suspect_id == suspect_id,
                DuplicateDecision.suspect_id.in_(passed),
            )
        )
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
    merger_id: UUID | None = None,
) -> None:
    """Write where a suspicion stands from now on; None: nobody has decided.

    ``merger_id``: the proposal to merge the two, where it is made with the decision.
    """
    decided = decision is not None
    await session.execute(
        update(DuplicateSuspect)
        .where(DuplicateSuspect.id == suspect_id)
        .values(
            decision=decision,
            reason=reason if decided else None,
            decided_by=by if decided else None,
            decided_at=at if decided else None,
            **({} if merger_id is None else {"merger_id": merger_id}),
        )
        .execution_options(synchronize_session=False)
    )
    await _follow(session)


async def mergers_of(session: AsyncSession, ids: Collection[UUID]) -> dict[UUID, Approval]:
    """Proposals to merge, by id."""
    rows = await session.scalars(
        select(Approval).where(Approval.id.in_(ids)).execution_options(populate_existing=True)
    )
    return {row.id: row for row in rows.all()}


async def is_merger(session: AsyncSession, approval_id: UUID) -> bool:
    """Whether a suspicion waits for a proposal, or did."""
    found = select(func.count()).where(DuplicateSuspect.merger_id == approval_id)
    return bool(await session.scalar(found))


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
                DuplicateSuspect.passed_to.is_(None),
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
        WHERE decision IS NULL AND withdrawn_at IS NULL AND passed_to IS NULL
          AND score BETWEEN :least AND :most AND found_at <= :found_before
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
    decided = int(await session.scalar(_DECIDE_MANY, values) or 0)
    await _follow(session)
    return decided


# What was said of a household that is part of another is said of that one.
_FOLLOW = text(
    """
    UPDATE registry.duplicate_suspect AS known
    SET decision = ahead.decision, decided_by = ahead.decided_by, decided_at = ahead.decided_at,
        reason = ahead.reason, settled_at = ahead.settled_at, withdrawn_at = ahead.withdrawn_at
    FROM registry.duplicate_suspect AS ahead
    WHERE known.passed_to = ahead.id
      AND (known.decision, known.decided_at, known.settled_at, known.withdrawn_at)
          IS DISTINCT FROM
          (ahead.decision, ahead.decided_at, ahead.settled_at, ahead.withdrawn_at)
    """
)


async def _follow(session: AsyncSession) -> None:
    """Have suspicions that went on in others stand as those do."""
    await session.execute(_FOLLOW)


_SETTLE = text(
    f"""
    WITH settled AS (
        UPDATE registry.duplicate_suspect
        SET decision = 'merge', settled_at = :now,
            decided_by = CASE WHEN decision = 'merge' THEN decided_by ELSE :by END,
            decided_at = CASE WHEN decision = 'merge' THEN decided_at ELSE :now END,
            reason = CASE WHEN decision = 'merge' THEN reason ELSE :reason END
        WHERE settled_at IS NULL AND id = {
        SUSPECT_ID.format(one="least(:heir, :merged)", other="greatest(:heir, :merged)")
    }
        RETURNING id
    )
    INSERT INTO registry.duplicate_decision
        (id, suspect_id, step, reason, decided_by, decided_at, approval_id)
    SELECT uuidv7(), id, 'merged', :reason, :by, :now, :approval_id FROM settled
    """
).bindparams(bindparam("heir", type_=Uuid), bindparam("merged", type_=Uuid))

# Suspicions of who is part of another household now, with whom besides that one: by ``partner_id``.
_OF_MERGED = f"""
    SELECT known.*, partner.id AS partner_id, {
    SUSPECT_ID.format(one="least(:heir, partner.id)", other="greatest(:heir, partner.id)")
} AS goes_on_in
    FROM registry.duplicate_suspect AS known
    CROSS JOIN LATERAL (
        SELECT CASE WHEN known.first_household_id = :merged THEN known.second_household_id
                    ELSE known.first_household_id END AS id) AS partner
    WHERE (known.first_household_id = :merged OR known.second_household_id = :merged)
      AND partner.id <> :heir AND known.settled_at IS NULL AND known.passed_to IS NULL
      AND known.withdrawn_at IS NULL
"""
_WHO_CAME = """
    CASE WHEN {side}_household_id <> :merged THEN {side}_member_id
         ELSE (SELECT member.id FROM registry.member
               WHERE member.household_id = :heir AND member.came_from = of_merged.{side}_member_id)
    END
"""
_PASS_ON = text(
    f"""
    INSERT INTO registry.duplicate_suspect AS known
        (id, first_household_id, second_household_id, first_member_id, second_member_id, found_at,
         exact_score, likeness_score, is_whole, exact_grounds, likeness_grounds,
         decision, decided_by, decided_at, reason)
    SELECT goes_on_in,
           CASE WHEN first_household_id = :merged THEN :heir ELSE first_household_id END,
           CASE WHEN second_household_id = :merged THEN :heir ELSE second_household_id END,
           {_WHO_CAME.format(side="first")}, {_WHO_CAME.format(side="second")}, found_at,
           exact_score, likeness_score, is_whole, exact_grounds, likeness_grounds,
           decision, decided_by, decided_at, reason
    FROM ({_OF_MERGED}) AS of_merged
    ORDER BY goes_on_in
    ON CONFLICT (id) DO UPDATE
    SET exact_score = greatest(known.exact_score, excluded.exact_score),
        likeness_score = greatest(known.likeness_score, excluded.likeness_score),
        exact_grounds = CASE WHEN excluded.exact_score > known.exact_score
                             THEN excluded.exact_grounds ELSE known.exact_grounds END,
        likeness_grounds = CASE WHEN excluded.likeness_score > known.likeness_score
                                THEN excluded.likeness_grounds ELSE known.likeness_grounds END,
        is_whole = known.is_whole OR excluded.is_whole, withdrawn_at = NULL,
        decision = excluded.decision, decided_by = excluded.decided_by,
        decided_at = excluded.decided_at, reason = excluded.reason
    -- What somebody decided of the two stays; the other question stays beside it.
    WHERE known.decision IS NULL
      AND (excluded.decision IS NULL OR known.withdrawn_at IS NOT NULL)
    """
).bindparams(bindparam("heir", type_=Uuid), bindparam("merged", type_=Uuid))
_GO_ON = text(
    f"""
    UPDATE registry.duplicate_suspect AS known
    SET passed_to = ahead.id
    FROM ({_OF_MERGED}) AS of_merged
    JOIN registry.duplicate_suspect AS ahead ON ahead.id = of_merged.goes_on_in
    WHERE (known.id = of_merged.id OR known.passed_to = of_merged.id)
      AND ahead.decision IS NOT DISTINCT FROM of_merged.decision
      AND ahead.settled_at IS NULL AND ahead.withdrawn_at IS NULL AND ahead.passed_to IS NULL
    """
).bindparams(bindparam("heir", type_=Uuid), bindparam("merged", type_=Uuid))


async def settle(
    session: AsyncSession,
    *,
    heir: UUID,
    merged: UUID,
    reason: str,
    by: str,
    at: datetime,
    approval_id: UUID | None,
) -> None:
    """Keep that the members of one household are of another now; take the fence before.

    A suspicion that they are one is settled. What was suspected of the one and others goes on as a
    suspicion of the other and them, as it was decided.
    """
    of_the_two = {"heir": heir, "merged": merged}
    told = {"reason": reason, "by": by, "now": at, "approval_id": approval_id}
    await session.execute(_SETTLE, of_the_two | told)
    await session.execute(_PASS_ON, of_the_two)
    await session.execute(_GO_ON, of_the_two)
    await _follow(session)


_REOPEN = text(
    """
    WITH reopened AS (
        UPDATE registry.duplicate_suspect
        SET decision = NULL, decided_by = NULL, decided_at = NULL, reason = NULL
        WHERE merger_id = :merger_id AND decision = 'merge' AND settled_at IS NULL
          AND passed_to IS NULL
        RETURNING id
    )
    INSERT INTO registry.duplicate_decision
        (id, suspect_id, step, reason, decided_by, decided_at, approval_id)
    SELECT uuidv7(), id, 'declined', :reason, :by, :now, :merger_id FROM reopened
    """
)


async def reopen(
    session: AsyncSession, merger_id: UUID, *, reason: str, by: str, at: datetime
) -> None:
    """Have a suspicion wait for a decision again whose merger was declined; take the fence before.

    One whose households became one by another way stays settled.
    """
    values = {"merger_id": merger_id, "reason": reason, "by": by, "now": at}
    await session.execute(_REOPEN, values)
    await _follow(session)


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
    "is_merger",
    "keep_exact",
    "list_suspects",
    "lock_of_chunk",
    "look_alone",
    "looked",
    "mergers_of",
    "reopen",
    "set_aside",
    "settle",
    "share_fence",
    "since",
    "store_likeness",
]
