"""Members of households in the database."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
from sqlalchemy import Select, Uuid, bindparam, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.households.fields import Aged, CountedMembers, Expecting, Having
from services.registry.households.shape import CATEGORIES, COUNTED, MAXIMUM_MEMBERS, MEMBERS
from services.registry.households.tables import Household
from services.registry.members.shape import BIRTH_DATE
from services.registry.members.statements import of_households, value_of
from services.registry.members.tables import Member, Programme, ProgrammeMembership
from shared.choosing import one_of
from shared.copying import EncodedRows, encoded, encoded_columns

Record = tuple[Any, ...]
"""The values of a row, its id first."""
Place = tuple[UUID, int]
"""A household and the number of a member within it."""


class KnownMember(NamedTuple):
    """What is stored of a member."""

    id: UUID
    content_index: bytes
    has_left: bool


_KNOWN = """
    SELECT household_id, member_number, id, content_index, left_on IS NOT NULL
    FROM registry.member WHERE household_id = ANY($1)
"""
_GIVEN_MEMBERS = """
    CREATE TEMP TABLE IF NOT EXISTS given_member (LIKE registry.member) ON COMMIT DELETE ROWS
"""
_GIVEN_PROGRAMMES = """
    CREATE TEMP TABLE IF NOT EXISTS given_programme (member_id uuid, programme_code text)
    ON COMMIT DELETE ROWS
"""
_CHANGE = """
    UPDATE registry.member SET {changed} FROM given_member AS given WHERE member.id = given.id
"""
# Who is not in a programme any more left it today, and who is in one again begins anew.
_LEAVE_PROGRAMMES = """
    UPDATE registry.programme_membership AS known
    SET until = greatest(known.since, CAST($2 AS date))
    FROM unnest(CAST($1 AS uuid[])) AS changed (id)
    WHERE known.member_id = changed.id AND (known.until IS NULL OR known.until > CAST($2 AS date))
      AND NOT EXISTS (SELECT FROM given_programme AS given
                      WHERE given.member_id = known.member_id
                        AND given.programme_code = known.programme_code)
"""
_JOIN_PROGRAMMES = """
    INSERT INTO registry.programme_membership (member_id, programme_code, number, since)
    SELECT given.member_id, given.programme_code, coalesce(max(known.number), 0) + 1,
           CAST($1 AS date)
    FROM given_programme AS given
    LEFT JOIN registry.programme_membership AS known
        ON known.member_id = given.member_id AND known.programme_code = given.programme_code
    GROUP BY given.member_id, given.programme_code
    HAVING count(*) FILTER (WHERE known.member_id IS NOT NULL
                              AND (known.until IS NULL OR known.until > CAST($1 AS date))) = 0
"""


def _counted(counted: CountedMembers) -> str:
    match counted:
        case Aged(least, below):
            bounds = (
                [f"{BIRTH_DATE.name} <= CAST($2 AS date) - interval '{least} years'"]
                if least
                else []
            )
            if below is not None:
                bounds.append(f"{BIRTH_DATE.name} > CAST($2 AS date) - interval '{below} years'")
            return " AND ".join(bounds)
        case Having(name):
            return name
        case Expecting(name, within_days):
            return f"{name} BETWEEN CAST($2 AS date) AND CAST($2 AS date) + {within_days}"


_BY_ROWS = {known.name: known.counts for known in CATEGORIES if known.counts is not None}
# What is kept beside the rows for whoever reads households without their members, within the
# bounds of a household's counts. A row that says so already is not written, unless somebody came:
# whoever follows changes hears of them, also where they are not counted yet, or not any more.
_COUNTS = [MEMBERS.name, *_BY_ROWS]
_LIST = f"""
    UPDATE registry.household
    SET members_listed = true, {", ".join(f"{name} = counted.{name}" for name in _COUNTS)}
    FROM (
        SELECT household_id,
               least(greatest(count(*), 1), {MAXIMUM_MEMBERS}) AS {MEMBERS.name},
               {
    ", ".join(
        f"least(count(*) FILTER (WHERE {_counted(counts)}), {MAXIMUM_MEMBERS}) AS {name}"
        for name, counts in _BY_ROWS.items()
    )
}
        FROM registry.member
        WHERE household_id = ANY($1)
          AND (joined_on IS NULL OR joined_on <= CAST($2 AS date))
          AND (left_on IS NULL OR left_on > CAST($2 AS date))
        GROUP BY household_id
    ) AS counted
    WHERE household.id = counted.household_id
      AND (NOT household.members_listed
        OR ({", ".join(f"household.{name}" for name in _COUNTS)})
           IS DISTINCT FROM ({", ".join(f"counted.{name}" for name in _COUNTS)})
        OR EXISTS (SELECT FROM registry.member AS came WHERE came.household_id = household.id
                   AND came.registered_in = pg_current_xact_id()))
"""


async def known_members(
    connection: asyncpg.Connection, household_ids: Sequence[UUID]
) -> dict[Place, KnownMember]:
    """What is stored of the members of these households."""
    rows = await connection.fetch(_KNOWN, household_ids)
    return {(row[0], row[1]): KnownMember(*row[2:]) for row in rows}


def encoded_members(columns: Mapping[str, Sequence[Any]]) -> EncodedRows:
    """New members, ready to be stored."""
    return encoded_columns(Member, columns)


def encoded_programmes(joined: Iterable[tuple[UUID, Sequence[str]]]) -> EncodedRows:
    """Which programmes new members are in, as long as they are known; ready to be stored."""
    records = [(id, code, 1) for id, codes in joined for code in codes]
    return encoded(ProgrammeMembership, ("member_id", "programme_code", "number"), records)


async def change_members(
    connection: asyncpg.Connection, columns: Sequence[str], records: Sequence[Record]
) -> None:
    """Store members anew who are known: all of ``columns`` but the first two, which tell whose."""
    await connection.execute(_GIVEN_MEMBERS)
    await connection.copy_records_to_table("given_member", columns=columns, records=records)
    changed = ", ".join(f"{name} = given.{name}" for name in columns[2:])
    await connection.execute(_CHANGE.format(changed=changed))


async def change_programmes(
    connection: asyncpg.Connection,
    ids: Sequence[UUID],
    programmes: Mapping[UUID, Sequence[str]],
    *,
    today: date,
) -> None:
    """Store which programmes members are in from today on, who were in others before."""
    await connection.execute(_GIVEN_PROGRAMMES)
    await connection.copy_records_to_table(
        "given_programme",
        columns=("member_id", "programme_code"),
        records=[(id, code) for id in ids for code in programmes[id]],
    )
    await connection.execute(_LEAVE_PROGRAMMES, ids, today)
    await connection.execute(_JOIN_PROGRAMMES, today)


async def list_members_of(
    connection: asyncpg.Connection, household_ids: Sequence[UUID], *, on: date
) -> None:
    """Keep that the members of these households are rows, and how many they are on a day."""
    if household_ids:
        await connection.execute(_LIST, household_ids, on)


async def list_members_of_one(session: AsyncSession, household_id: UUID, *, on: date) -> None:
    """The same of one household, in the caller's session."""
    statement = _LIST.replace("$1", ":ids").replace("$2", ":on")
    await session.execute(text(statement), {"ids": [household_id], "on": on})


async def counts_of(session: AsyncSession, household_id: UUID, *, on: date) -> dict[str, int]:
    """How many members of each kind a household has on a day."""
    given = {"household_id": household_id, "as_of": on}
    row = (await session.execute(_counts(), given)).one_or_none()
    # A household that nobody is left of is no row.
    return dict.fromkeys((field.name for field in COUNTED), 0) if row is None else row._asdict()


@cache
def _counts() -> Select[*tuple[Any, ...]]:
    """Made once: making it takes longer than all else of reading a household."""
    return of_households(
        select(*(value_of(field).label(field.name) for field in COUNTED)).where(
            Household.id == bindparam("household_id", type_=Uuid)
        ),
    )


async def find_member(session: AsyncSession, household_id: UUID, member_id: UUID) -> Member | None:
    """A member of a household, also one who has left it."""
    return await session.scalar(
        select(Member)
        .where(Member.id == member_id, Member.household_id == household_id)
        .execution_options(populate_existing=True)
    )


async def list_members(
    session: AsyncSession,
    household_id: UUID,
    *,
    on: date | None = None,
    after: int | None = None,
    limit: int | None = None,
) -> Sequence[Member]:
    """The members of a household by number, after one; only those of a day, with ``on``."""
    query = select(Member).where(Member.household_id == household_id)
    if on is not None:
        query = query.where(
            (Member.joined_on.is_(None)) | (Member.joined_on <= on),
            (Member.left_on.is_(None)) | (Member.left_on > on),
        )
    if after is not None:
        query = query.where(Member.member_number > after)
    return (await session.scalars(query.order_by(Member.member_number).limit(limit))).all()


async def programmes_of(
    session: AsyncSession, member_ids: Sequence[UUID]
) -> Mapping[UUID, Sequence[ProgrammeMembership]]:
    """The routine programmes that members are or were in, by code and time."""
    found: dict[UUID, list[ProgrammeMembership]] = {member_id: [] for member_id in member_ids}
    rows = await session.scalars(
        select(ProgrammeMembership)
        .where(one_of(ProgrammeMembership.member_id, member_ids))
        .order_by(ProgrammeMembership.programme_code, ProgrammeMembership.number)
    )
    for membership in rows:
        found[membership.member_id].append(membership)
    return found


async def list_programmes(
    session: AsyncSession, *, after: str | None, limit: int
) -> Sequence[Programme]:
    """Routine programmes by code, after one."""
    query = select(Programme)
    if after is not None:
        query = query.where(Programme.code > after)
    return (await session.scalars(query.order_by(Programme.code).limit(limit))).all()


async def add_programme(session: AsyncSession, **fields: str) -> bool:
    """Whether a routine programme was added; False where its code is taken."""
    added = await session.scalar(
        insert(Programme).values(**fields).on_conflict_do_nothing().returning(Programme.code)
    )
    return added is not None


async def unknown_programmes(session: AsyncSession, codes: Sequence[str]) -> list[str]:
    """Those of the codes that are of no programme."""
    known = await session.scalars(select(Programme.code).where(Programme.code.in_(codes)))
    return sorted(set(codes) - set(known.all()))
