"""Acts on households in the database."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, insert, or_, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import Date, DateTime, LargeBinary, Uuid

from services.registry.acts.tables import HouseholdAct
from services.registry.household_keys.repository import destroy
from services.registry.households.fields import Kept
from services.registry.households.persons import ERASED
from services.registry.households.shape import FOUND, REGISTRATION_NUMBER
from services.registry.households.tables import Household
from services.registry.members.shape import FOUND as FOUND_OF_MEMBER
from services.registry.members.tables import Leaving, Member

_INHERIT = text(
    """
    INSERT INTO registry.enrolled_before (household_id, activation_id, through)
    SELECT :heir, activation_id, household_id FROM registry.enrolment
    WHERE household_id = :household_id
    UNION ALL
    SELECT :heir, activation_id, through FROM registry.enrolled_before
    WHERE household_id = :household_id
    ON CONFLICT DO NOTHING
    """
).bindparams(bindparam("heir", type_=Uuid), bindparam("household_id", type_=Uuid))
# What a household agreed to no more; by purpose the last.
_REFUSED = """
    SELECT DISTINCT ON (refused.purpose) refused.*
    FROM registry.household_consent AS refused
    WHERE refused.household_id = :household_id
      AND refused.withdrawn_on IS NOT NULL
      AND NOT EXISTS (
          SELECT FROM registry.household_consent AS standing
          WHERE standing.household_id = :household_id AND standing.purpose = refused.purpose
            AND standing.withdrawn_on IS NULL
      )
    ORDER BY refused.purpose, refused.withdrawn_on DESC, refused.id DESC
"""
_OF_REFUSALS = (
    bindparam("heir", type_=Uuid),
    bindparam("household_id", type_=Uuid),
)
_END_AGREEMENTS = text(
    f"""
    UPDATE registry.household_consent AS standing
    SET withdrawn_on = greatest(standing.given_on, :today), withdrawn_at = :now, withdrawn_by = :by
    FROM ({_REFUSED}) AS refused
    WHERE standing.household_id = :heir AND standing.purpose = refused.purpose
      AND standing.withdrawn_on IS NULL
    """
).bindparams(
    *_OF_REFUSALS, bindparam("today", type_=Date), bindparam("now", type_=DateTime(timezone=True))
)
_INHERIT_REFUSALS = text(
    f"""
    INSERT INTO registry.household_consent (id, household_id, recorded_at, withdrawn_at, given_on,
        withdrawn_on, given_by, purpose, document, recorded_by, withdrawn_by)
    SELECT uuidv7(), :heir, recorded_at, withdrawn_at, given_on, withdrawn_on, given_by, purpose,
        document, recorded_by, withdrawn_by
    FROM ({_REFUSED}) AS refused
    """
).bindparams(*_OF_REFUSALS)
_TAKE_PROGRAMMES = text(
    """
    INSERT INTO registry.programme_membership (member_id, programme_code, number, since, until)
    SELECT :to_id, programme_code, number, since, until
    FROM registry.programme_membership WHERE member_id = :from_id
    """
).bindparams(bindparam("to_id", type_=Uuid), bindparam("from_id", type_=Uuid))

# What is known of persons, wherever it is kept; the number of a household stays as an index: by it
# a file finds the household still, and does not register it anew.
_CLEARED = ", ".join(
    f"{field.found_by.column} = NULL"
    for field in FOUND
    if field.found_by is not None and field.kept is Kept.SEALED and field is not REGISTRATION_NUMBER
)
_CLEARED_OF_MEMBER = ", ".join(
    f"{field.found_by.column} = NULL" for field in FOUND_OF_MEMBER if field.found_by is not None
)
_IDS = bindparam("ids", type_=ARRAY(Uuid))
_ERASED = bindparam("erased", value=ERASED, type_=LargeBinary)
_NOW = bindparam("now", type_=DateTime(timezone=True))
_ERASURES = [
    text(
        f"""
        UPDATE registry.household
        SET person_sealed = :erased, content_index = :erased, name_tokens = NULL, {_CLEARED},
            erased_at = :now, changed_at = :now
        WHERE id = ANY(:ids)
        """
    ).bindparams(_IDS, _ERASED, _NOW),
    # Of whoever has left, a file changes nothing.
    text(
        f"""
        UPDATE registry.member
        SET person_sealed = :erased, content_index = :erased, name_tokens = NULL,
            {_CLEARED_OF_MEMBER}, birth_date = NULL, changed_at = :now,
            left_on = coalesce(left_on, greatest(joined_on, :today)),
            left_because = CASE WHEN left_on IS NULL THEN 'moved' ELSE left_because END
        WHERE household_id = ANY(:ids)
        """
    ).bindparams(_IDS, _ERASED, _NOW, bindparam("today", type_=Date)),
    text(
        """
        UPDATE registry.payee_account
        SET account_sealed = :erased, account_index = uuid_send(household_id),
            ended_at = coalesce(ended_at, greatest(began_at, :now))
        WHERE household_id = ANY(:ids)
        """
    ).bindparams(_IDS, _ERASED, _NOW),
    text(
        """
        UPDATE registry.account_change
        SET account_sealed = :erased, account_index = uuid_send(household_id)
        WHERE household_id = ANY(:ids)
        """
    ).bindparams(_IDS, _ERASED),
    text(
        """
        UPDATE registry.earlier_person SET person_sealed = :erased WHERE household_id = ANY(:ids)
        """
    ).bindparams(_IDS, _ERASED),
    text(
        """
        UPDATE registry.household_change
        SET before = before - 'birth_date', after = after - 'birth_date'
        WHERE household_id = ANY(:ids) AND member_id IS NOT NULL
        """
    ).bindparams(_IDS),
    text(
        """
        UPDATE registry.household_act SET given_sealed = :erased WHERE household_id = ANY(:ids)
        """
    ).bindparams(_IDS, _ERASED),
    text(
        """
        UPDATE registry.member_change
        SET person_sealed = :erased, content_index = :erased, birth_date = NULL,
            id_number_index = NULL, phone_index = NULL, reference_index = NULL, name_tokens = NULL
        WHERE household_id = ANY(:ids)
        """
    ).bindparams(_IDS, _ERASED),
]


async def change_household(session: AsyncSession, household_id: UUID, **fields: Any) -> None:
    """Change a household; ``fields`` are the table's columns."""
    await session.execute(
        update(Household)
        .where(Household.id == household_id)
        .values(fields)
        .execution_options(synchronize_session=False)
    )


async def add_household(session: AsyncSession, **fields: Any) -> None:
    """Register a household; ``fields`` are the table's columns."""
    await session.execute(insert(Household).values(fields))


async def is_registered(session: AsyncSession, id_: UUID, indexes: Sequence[bytes]) -> bool:
    """Whether a registration number is a household's, or its id is."""
    assert REGISTRATION_NUMBER.found_by is not None
    column = getattr(Household, REGISTRATION_NUMBER.found_by.column)
    found = await session.scalar(
        select(func.count()).where(or_(Household.id == id_, column.in_(indexes)))
    )
    return bool(found)


async def add_member(session: AsyncSession, **fields: Any) -> None:
    """Store a member; ``fields`` are the table's columns."""
    await session.execute(insert(Member).values(fields))


async def change_member(session: AsyncSession, member_id: UUID, **fields: Any) -> None:
    """Change a member; ``fields`` are the table's columns."""
    await session.execute(
        update(Member)
        .where(Member.id == member_id)
        .values(fields)
        .execution_options(synchronize_session=False)
    )


async def end_member(
    session: AsyncSession, member_id: UUID, *, on: date, because: Leaving, at: datetime
) -> None:
    """Keep since when somebody is no member any more."""
    await change_member(session, member_id, left_on=on, left_because=because, changed_at=at)


async def take_programmes(session: AsyncSession, from_id: UUID, to_id: UUID) -> None:
    """Somebody who is of another household now is in the programmes that they were in."""
    await session.execute(_TAKE_PROGRAMMES, {"from_id": from_id, "to_id": to_id})


async def inherit_enrolments(session: AsyncSession, household_id: UUID, *, heir: UUID) -> None:
    """Persons of ``heir`` were enrolled through a household: not a second time."""
    await session.execute(_INHERIT, {"household_id": household_id, "heir": heir})


async def inherit_refusals(
    session: AsyncSession, household_id: UUID, *, heir: UUID, by: str, now: datetime, today: date
) -> None:
    """Persons of ``heir`` refused something through a household: it is refused still, and what
    the heir agreed to did not ask them."""
    of = {"household_id": household_id, "heir": heir}
    await session.execute(_END_AGREEMENTS, {**of, "by": by, "now": now, "today": today})
    await session.execute(_INHERIT_REFUSALS, of)


async def add_act(session: AsyncSession, id_: UUID, household_id: UUID, sealed: bytes) -> None:
    """Keep what is personal of an act that waits."""
    await session.execute(
        insert(HouseholdAct).values(id=id_, household_id=household_id, given_sealed=sealed)
    )


async def given_of(session: AsyncSession, act_id: UUID) -> bytes | None:
    """What is personal of an act that waits, sealed; None: nothing is."""
    return await session.scalar(select(HouseholdAct.given_sealed).where(HouseholdAct.id == act_id))


async def everybody(session: AsyncSession, household_id: UUID) -> Sequence[Member]:
    """Who is or was a member."""
    rows = await session.scalars(
        select(Member)
        .where(Member.household_id == household_id)
        .order_by(Member.member_number)
        .execution_options(populate_existing=True)
    )
    return rows.all()


async def erase(
    session: AsyncSession, household_ids: Collection[UUID], *, now: datetime, today: date
) -> None:
    """Destroy what these households are sealed with, and overwrite who they were wherever it is
    kept; the caller holds their rows. What was paid, and to how many, stays."""
    ids = list(household_ids)
    await destroy(session, ids, at=now)
    given = {"ids": ids, "now": now, "today": today}
    for erasure in _ERASURES:
        await session.execute(
            erasure, {name: given[name] for name in given if f":{name}" in erasure.text}
        )
