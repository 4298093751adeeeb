"""Suspected duplicates in the database: finding the exact ones, listing, deciding, holding."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Row,
    TextClause,
    and_,
    func,
    insert,
    or_,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.approvals.tables import Approval
from services.registry.duplicates.settling.repository import follow
from services.registry.duplicates.statements import (
    ANALYSE_FRESH,
    ANY_FRESH,
    FOR_FOUND,
    FORGET_FOUND,
    FRESH,
    KEEP_EXACT,
    SPARE_MEMORY,
    SUSPECT_ID,
    WITHDRAW_EXACT,
)
from services.registry.duplicates.states import Decision, Ground, Standing, Step
from services.registry.duplicates.tables import DuplicateDecision, DuplicateSuspect
from services.registry.households.tables import Household
from shared.bounds import Bound, within
from shared.database import plan_anew

_FENCE, _LOOKING = 7_204, 1
_SHARE_FENCE = text(f"SELECT pg_advisory_xact_lock_shared({_FENCE}, 0)")
_HAVE_FENCE = text(f"SELECT pg_advisory_xact_lock({_FENCE}, 0)")
_LOOK_ALONE = text(f"SELECT pg_try_advisory_lock({_FENCE}, {_LOOKING})")
_LOOK_NO_MORE = text(f"SELECT pg_advisory_unlock({_FENCE}, {_LOOKING})")


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
    """Whether nobody else looks until ``look_no_more``, or the connection's end: what one finds,
    none withdraws."""
    return bool(await session.scalar(_LOOK_ALONE))


async def look_no_more(session: AsyncSession) -> None:
    """Let somebody else look, and forget what was found."""
    await session.execute(FORGET_FOUND)
    await session.execute(_LOOK_NO_MORE)


# What a transaction stored that was not over at the last look has its number, or a greater one.
_SINCE = text(
    """
    SELECT begins::text::bigint,
           CASE WHEN seen_before <= begins THEN seen_before::text::bigint ELSE 0 END
    FROM (SELECT pg_snapshot_xmin(pg_current_snapshot()) AS begins) AS now
    LEFT JOIN registry.duplicate_look AS look ON look.kind = :kind
    """
)
_LOOKED = text(
    """
    INSERT INTO registry.duplicate_look (kind, seen_before, looked_at)
    VALUES (:kind, CAST(CAST(:begins AS text) AS xid8), :now)
    ON CONFLICT (kind) DO UPDATE
    SET seen_before = excluded.seen_before, looked_at = excluded.looked_at
    """
)


async def since(session: AsyncSession, kind: str) -> tuple[int, int]:
    """Where this look begins, and from which transaction on a household has changed (its
    ``changed_in``, which its members and its account move too) to be new to it; 0: each is.

    To be asked before the rows are: what is stored meanwhile is new to the next look too.
    """
    begins, seen = (await session.execute(_SINCE, {"kind": kind})).one()
    return begins, seen


async def looked(session: AsyncSession, kind: str, begins: int, *, at: datetime) -> None:
    """Keep up to where a look saw everything."""
    await session.execute(_LOOKED, {"kind": kind, "begins": str(begins), "now": at})


async def find_fresh(session: AsyncSession, *, seen: int) -> bool:
    """Find the households that changed since then, for ``FIND_EXACT``; whether there are any. What
    is found stays with the connection."""
    for statement in FOR_FOUND:
        await session.execute(statement)
    await session.execute(FORGET_FOUND)
    await plan_anew(session)
    await session.execute(FRESH, {"seen": str(seen)})
    await session.execute(ANALYSE_FRESH)
    return bool(await session.scalar(ANY_FRESH))


async def find(session: AsyncSession, statement: TextClause) -> None:
    """Take one step of ``FIND_EXACT``, by which is found whom a value has in common that a fresh
    household has, for ``keep_exact`` to keep.

    It may look through a country, so nobody waits for it; and each in a transaction of its own, for
    whoever reads events waits for the end of every transaction that writes.
    """
    await plan_anew(session)
    await session.execute(SPARE_MEMORY)
    await session.execute(statement)


async def keep_exact(
    session: AsyncSession, *, after: UUID, most: int, at: datetime
) -> tuple[int, UUID | None]:
    """Keep some of what was found, behind an id; how many suspicions that changes, and the last id
    of them; None: there are no more. Take the fence before."""
    await plan_anew(session)
    values = {"after": after, "most": most, "now": at}
    changed, last = (await session.execute(KEEP_EXACT, values)).one()
    if changed:
        await follow(session)
    return changed, last


async def withdraw_exact(session: AsyncSession, *, at: datetime) -> int:
    """Withdraw what nothing speaks for any more, once all is kept; how many. Take the fence
    before."""
    await plan_anew(session)
    changed = int(await session.scalar(WITHDRAW_EXACT, {"now": at}) or 0)
    if changed:
        await follow(session)
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
        await follow(session)
    return changed


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
    await follow(session)


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
    await follow(session)
    return decided


__all__ = [
    "Step",
    "add_step",
    "count_undecided",
    "decide",
    "decide_many",
    "decisions_of",
    "find",
    "find_fresh",
    "find_suspect",
    "have_fence",
    "is_merger",
    "keep_exact",
    "list_suspects",
    "look_alone",
    "look_no_more",
    "looked",
    "mergers_of",
    "share_fence",
    "since",
    "store_likeness",
    "withdraw_exact",
]
