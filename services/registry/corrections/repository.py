"""Corrections of members in the database."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import Date, DateTime, Uuid

from services.registry.corrections.tables import MemberChange
from services.registry.households.tables import Household
from services.registry.members.shape import FOUND, OPEN
from services.registry.members.tables import Member
from shared.bounds import Bound, within

_LOCK_CLASS = 7_203

_OF_A_MEMBER = [
    *(field.name for field in OPEN),
    "person_sealed",
    "content_index",
    "name_tokens",
    *(field.found_by.column for field in FOUND if field.found_by is not None),
]
_BINDS = (
    bindparam("id", type_=Uuid),
    bindparam("now", type_=DateTime(timezone=True)),
)
_ADD = text(
    f"""
    INSERT INTO registry.member
        (id, household_id, changed_at, joined_on, {", ".join(_OF_A_MEMBER)})
    SELECT member_id, household_id, :now, joined_on, {", ".join(_OF_A_MEMBER)}
    FROM registry.member_change AS change
    WHERE id = :id AND was_content_index IS NULL
    ON CONFLICT DO NOTHING
    RETURNING id
    """
).bindparams(*_BINDS)
_CORRECT = text(
    f"""
    UPDATE registry.member
    SET changed_at = :now, {", ".join(f"{name} = change.{name}" for name in _OF_A_MEMBER)}
    FROM registry.member_change AS change
    WHERE change.id = :id AND member.id = change.member_id AND member.left_on IS NULL
      AND member.content_index = change.was_content_index
    RETURNING member.id
    """
).bindparams(*_BINDS)
_OF_CHANGE = (bindparam("id", type_=Uuid), bindparam("today", type_=Date))
_LEAVE_PROGRAMMES = text(
    """
    UPDATE registry.programme_membership AS known SET until = greatest(known.since, :today)
    FROM registry.member_change AS change
    WHERE change.id = :id AND known.member_id = change.member_id
      AND (known.until IS NULL OR known.until > :today)
      AND known.programme_code <> ALL (change.programmes)
    """
).bindparams(*_OF_CHANGE)
# Who is added is in them as long as they are known; who is corrected, from today on.
_JOIN_PROGRAMMES = text(
    """
    INSERT INTO registry.programme_membership (member_id, programme_code, number, since)
    SELECT change.member_id, given.code, coalesce(max(known.number), 0) + 1,
           CASE WHEN change.was_content_index IS NOT NULL THEN :today END
    FROM registry.member_change AS change
    CROSS JOIN LATERAL unnest(change.programmes) AS given (code)
    LEFT JOIN registry.programme_membership AS known
        ON known.member_id = change.member_id AND known.programme_code = given.code
    WHERE change.id = :id
    GROUP BY change.id, given.code
    HAVING count(*) FILTER (WHERE known.member_id IS NOT NULL
                              AND (known.until IS NULL OR known.until > :today)) = 0
    """
).bindparams(*_OF_CHANGE)


async def lock_changes_of(session: AsyncSession, person: str) -> None:
    """Until the commit nobody else counts or makes changes of a person."""
    await session.execute(select(func.pg_advisory_xact_lock(_LOCK_CLASS, func.hashtext(person))))


async def lock_household(
    session: AsyncSession, household_id: UUID, *, bound: Bound = None
) -> Household | None:
    """A household; until the commit nobody else adds or corrects members of it."""
    return await session.scalar(
        select(Household)
        .where(Household.id == household_id, within(bound, Household.area_code))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )


async def count_alone(session: AsyncSession, person: str, *, since: datetime) -> int:
    """How many members a person added or corrected alone since then."""
    counted = await session.scalar(
        select(func.count()).where(
            MemberChange.alone, MemberChange.asked_by == person, MemberChange.made_at >= since
        )
    )
    return int(counted or 0)


async def next_number(session: AsyncSession, household_id: UUID) -> int:
    """The number of the next member of a household: no number is given twice."""
    known = await session.scalar(
        select(func.max(Member.member_number)).where(Member.household_id == household_id)
    )
    return int(known or 0) + 1


async def add_change(session: AsyncSession, **fields: Any) -> None:
    """Keep a change; ``fields`` are the table's columns."""
    await session.execute(insert(MemberChange).values(fields))


async def make_change(
    session: AsyncSession, change_id: UUID, *, alone: bool, now: datetime, today: date
) -> bool:
    """Add or correct the member; False where they are not as they were when it was asked for."""
    values = {"id": change_id, "now": now}
    for statement in (_ADD, _CORRECT):
        if await session.scalar(statement, values):
            break
    else:
        return False
    of_change = {"id": change_id, "today": today}
    await session.execute(_LEAVE_PROGRAMMES, of_change)
    await session.execute(_JOIN_PROGRAMMES, of_change)
    await session.execute(
        update(MemberChange).where(MemberChange.id == change_id).values(made_at=now, alone=alone)
    )
    return True


async def get_change(session: AsyncSession, change_id: UUID) -> MemberChange:
    """A change that is known to be there."""
    return (await session.scalars(select(MemberChange).where(MemberChange.id == change_id))).one()


async def find_change(
    session: AsyncSession, household_id: UUID, change_id: UUID
) -> MemberChange | None:
    """A change of a member of a household."""
    return await session.scalar(
        select(MemberChange).where(
            MemberChange.id == change_id, MemberChange.household_id == household_id
        )
    )
