"""SQL of searches: one page of what criteria find, and how many there are in all.

Who fits is asked of ``household`` alone where nothing is asked of members; counts and members are
then read of the households of one page.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, assert_never
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    and_,
    case,
    func,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.expression import ColumnClause, SelectBase

from services.registry.areas.tables import Area
from services.registry.households.fields import Field
from services.registry.households.persons import PersonalData
from services.registry.households.shape import COUNTED
from services.registry.households.tables import Household
from services.registry.members import shape as member
from services.registry.members.statements import (
    IN_PROGRAMME,
    PRESENT,
    of_households,
    value_of,
)
from services.registry.members.tables import Member, ProgrammeMembership
from services.registry.sharing.statements import Sharing
from services.registry.spdci.searches.attributes import PERSONAL, SORTS, SORTS_OF_MEMBERS, Column
from services.registry.spdci.searches.criteria import ByCondition, ById, ByNumber, Entity, Query
from shared.choosing import one_of

Counts = Mapping[str, int]
Sorts = Sequence[tuple[Column, bool]]
"""What records are sorted by, each with whether it falls."""
_MEMBERS_FOUND_BY: Mapping[str, Field] = {field.name: field for field in member.FOUND}


@dataclass(frozen=True, slots=True)
class Fits:
    """Which records are found."""

    condition: ColumnElement[bool]
    among: ColumnElement[bool]
    """Of which households they are found at all: where a person would be told something of by being
    found, of those alone that agree. It stands beside the condition, which may count members: in
    HAVING it would be asked of each household by itself."""
    tells_of_persons: bool


def that_fit(by: Query, personal_data: PersonalData, sharing: Sharing) -> Fits:
    """Which households fit, or whose members may."""
    match by:
        case ById(household_id):
            return Fits(Household.id == household_id, true(), tells_of_persons=False)
        case ByNumber(field, value):
            numbered = Household.id.in_(_numbered(field, value, personal_data))
            return Fits(numbered, sharing.agreed, tells_of_persons=True)
        case ByCondition(condition, asks_about):
            if asks_about.isdisjoint(PERSONAL):
                return Fits(condition, true(), tells_of_persons=False)
            return Fits(condition, sharing.agreed, tells_of_persons=True)
        case _:
            assert_never(by)


def _numbered(field: Field, value: str, personal_data: PersonalData) -> Any:
    """Households that a number is of: by the household itself, or by one of its members."""
    found = [select(Household.id).where(_has(Household, field, value, personal_data))]
    known = _MEMBERS_FOUND_BY.get(field.name)
    if known is not None:
        found.append(
            select(Member.household_id).where(_has(Member, known, value, personal_data), PRESENT)
        )
    return union_all(*found)


def _has(
    table: type[Household] | type[Member], field: Field, value: str, personal_data: PersonalData
) -> ColumnElement[bool]:
    assert field.found_by is not None  # only such numbers are asked by
    column: InstrumentedAttribute[bytes] = getattr(table, field.found_by.column)
    return column.in_([keys.indexes_of(field)(value) for keys in personal_data.found_by])


def _households(fits: Fits, columns: Sequence[Any], sorts: Sorts = ()) -> Select[*tuple[Any, ...]]:
    """A query over households that fit, joined with their members only where it asks of them."""
    asked = [fits.condition, *(column for column, _ in sorts)]
    query = select(*columns).where(fits.among)
    if any(asks_of(Member.__table__, each) for each in asked):
        return of_households(query, having=[fits.condition])
    query = query.select_from(Household).where(fits.condition)
    return _with_places(query, fits.condition)


def _with_places(
    query: Select[*tuple[Any, ...]], condition: ColumnElement[bool]
) -> Select[*tuple[Any, ...]]:
    if asks_of(Area.__table__, condition):
        return query.join(Area, Area.code == Household.area_code)
    return query


def asks_of(table: FromClause, asked: Any) -> bool:
    """Whether an expression speaks of a table, other than in a query of its own."""
    left = [asked.__clause_element__() if hasattr(asked, "__clause_element__") else asked]
    while left:
        each = left.pop()
        if isinstance(each, ColumnClause) and each.table is table:
            return True
        if not isinstance(each, SelectBase):
            left.extend(each.get_children())
    return False


def _members(fits: Fits, columns: Sequence[Any]) -> Select[*tuple[Any, ...]]:
    """A query over members who fit; a household of which only counts are known has its head."""
    listed = case((Household.members_listed, Household.id))
    query = (
        select(*columns)
        .select_from(Household)
        .outerjoin(Member, and_(Member.household_id == listed, PRESENT))
        .where(or_(~Household.members_listed, Member.id.is_not(None)), fits.condition, fits.among)
    )
    return _with_places(query, fits.condition)


def households_where(fits: Fits, ids: Collection[UUID]) -> Select[*tuple[Any, ...]]:
    """Those of the households that fit."""
    inside = and_(Household.id.in_(ids), fits.condition)
    return _households(replace(fits, condition=inside), [Household.id])


def members_where(fits: Fits, ids: Collection[UUID]) -> Select[*tuple[Any, ...]]:
    """Those of the members who fit."""
    return _members(replace(fits, condition=and_(Member.id.in_(ids), fits.condition)), [Member.id])


def members_that_fit(by: Query, personal_data: PersonalData, sharing: Sharing) -> Fits:
    """Which members fit, of households that agree: by a number those alone whose it is."""
    condition = that_fit(by, personal_data, sharing).condition
    if isinstance(by, ByNumber):
        whose = member_has(by.field, by.value, personal_data)
        if whose is not None:
            condition = and_(condition, or_(Member.id.is_(None), whose))
    return Fits(condition, sharing.agreed, tells_of_persons=True)


def member_has(field: Field, value: str, personal_data: PersonalData) -> ColumnElement[bool] | None:
    """Whether a number is a member's own; None where members have no such numbers."""
    known = _MEMBERS_FOUND_BY.get(field.name)
    return None if known is None else _has(Member, known, value, personal_data)


async def count(
    session: AsyncSession, fits: Fits, *, entity: Entity, most: int, today: date
) -> int:
    """How many records fit; ``most`` and one where there are more."""
    query = _members if entity is Entity.MEMBER else _households
    found = query(fits, [Household.id])
    some = found.limit(most + 1).subquery()
    counted: int = (
        await session.scalar(select(func.count()).select_from(some), {"as_of": today}) or 0
    )
    return counted


async def any_fits(session: AsyncSession, fits: Fits, *, today: date) -> bool:
    """Whether a household fits."""
    return await count(session, fits, entity=Entity.GROUP, most=1, today=today) > 0


async def page(
    session: AsyncSession,
    fits: Fits,
    *,
    today: date,
    sorts: Sequence[tuple[str, bool]],
    offset: int,
    limit: int,
) -> list[UUID]:
    """A page of the households that fit, by id."""
    by = [(SORTS[name], falls) for name, falls in sorts]
    query = sorted_by(_households(fits, [Household.id], by), by).order_by(Household.id)
    rows = await session.scalars(query.offset(offset).limit(limit), {"as_of": today})
    return list(rows)


async def page_of_members(
    session: AsyncSession,
    fits: Fits,
    *,
    today: date,
    sorts: Sequence[tuple[str, bool]],
    offset: int,
    limit: int,
) -> list[tuple[UUID, UUID | None]]:
    """A page of members who fit: household and member; no member stands for its head."""
    by = [(SORTS_OF_MEMBERS[name], falls) for name, falls in sorts]
    query = sorted_by(_members(fits, [Household.id, Member.id]), by)
    query = query.order_by(Household.id, Member.member_number).offset(offset).limit(limit)
    return [tuple(row) for row in await session.execute(query, {"as_of": today})]


def sorted_by(query: Select[*tuple[Any, ...]], sorts: Sorts) -> Select[*tuple[Any, ...]]:
    """In the order that is asked for, what is not known last; else by commune."""
    for column, falls in sorts:
        query = query.order_by(column.desc().nulls_last() if falls else column)
    # With the commune first, an index gives them in their order.
    return query if sorts else query.order_by(Household.area_code)


async def households_of(session: AsyncSession, ids: Collection[UUID]) -> dict[UUID, Household]:
    """These households."""
    rows = await session.scalars(select(Household).where(one_of(Household.id, set(ids))))
    return {row.id: row for row in rows}


async def counts_of(
    session: AsyncSession, ids: Collection[UUID], *, today: date
) -> dict[UUID, Counts]:
    """What is counted of these households on a day; of one that nobody is left of, nothing."""
    columns = (value_of(field).label(field.name) for field in COUNTED)
    query = of_households(select(Household.id, *columns).where(one_of(Household.id, set(ids))))
    rows = await session.execute(query, {"as_of": today})
    names = [field.name for field in COUNTED]
    return {row[0]: dict(zip(names, row[1:], strict=True)) for row in rows}


async def members_of(
    session: AsyncSession, ids: Collection[UUID], *, today: date
) -> dict[UUID, list[Member]]:
    """Who is in these households on a day, by number."""
    if not ids:
        return {}
    rows = await session.scalars(
        select(Member)
        .where(one_of(Member.household_id, set(ids)), PRESENT)
        .order_by(Member.household_id, Member.member_number),
        {"as_of": today},
    )
    found: dict[UUID, list[Member]] = defaultdict(list)
    for row in rows:
        found[row.household_id].append(row)
    return found


async def members_by_id(session: AsyncSession, ids: Collection[UUID]) -> dict[UUID, Member]:
    """These members."""
    rows = await session.scalars(select(Member).where(one_of(Member.id, set(ids))))
    return {row.id: row for row in rows}


async def programmes_of(
    session: AsyncSession, ids: Collection[UUID], *, today: date
) -> dict[UUID, list[str]]:
    """The routine programmes that these members are in on a day."""
    rows = await session.execute(
        select(ProgrammeMembership.member_id, ProgrammeMembership.programme_code)
        .join(Member, IN_PROGRAMME)
        .where(one_of(ProgrammeMembership.member_id, set(ids)))
        .order_by(ProgrammeMembership.member_id, ProgrammeMembership.programme_code),
        {"as_of": today},
    )
    found: dict[UUID, list[str]] = defaultdict(list)
    for member_id, code in rows:
        found[member_id].append(code)
    return found


async def names_of(session: AsyncSession, codes: Collection[str]) -> dict[str, str]:
    """The English names of communes, each with its district's and province's."""
    wanted = {code[:length] for code in codes for length in (2, 4, 6)}
    rows = await session.execute(select(Area.code, Area.name_en).where(Area.code.in_(wanted)))
    names: dict[str, str] = dict(rows.all())
    return {
        code: ", ".join(names[part] for part in (code, code[:4], code[:2]) if part in names)
        for code in set(codes)
    }
