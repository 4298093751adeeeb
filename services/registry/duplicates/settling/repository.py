"""What becomes of suspicions once two households are one, or are not to be."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import Uuid

from services.registry.duplicates.statements import SUSPECT_ID

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


async def follow(session: AsyncSession) -> None:
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
    await follow(session)


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
    await follow(session)
