"""SQL of searches: one page of what criteria find, and how many there are in all.

Who fits is asked of ``household`` alone where nothing is asked of members; counts and members are
then read of the households of one page.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, FromClause, Select, and_, case, func, or_, select, union_all
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
from services.registry.spdci.searches.attributes import SORTS
from services.registry.spdci.searches.criteria import ById, ByNumber, Entity, Query

Counts = Mapping[str, int]
_MEMBERS_FOUND_BY: Mapping[str, Field] = {field.name: field for field in member.FOUND}


def condition_of(by: Query, personal_data: PersonalData) -> ColumnElement[bool]:
    """Which households fit, or whose members may."""
    match by:
        case ById(household_id):
            return Household.id == household_id
        case ByNumber(field, value):
            return Household.id.in_(_numbered(field, value, personal_data))
        case condition:
            return condition


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


def _households(
    condition: ColumnElement[bool], columns: Sequence[Any], sorts: Sequence[str] = ()
) -> Select[*tuple[Any, ...]]:
    """A query over households that fit, joined with their members only where it asks of them."""
    asked = [condition, *(SORTS[name] for name in sorts)]
    if any(asks_of(Member.__table__, each) for each in asked):
        return of_households(select(*columns), having=[condition])
    query = select(*columns).select_from(Household).where(condition)
    return _with_places(query, condition)


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


def _members(condition: ColumnElement[bool], columns: Sequence[Any]) -> Select[*tuple[Any, ...]]:
    """A query over members who fit; a household of which only counts are known has its head."""
    listed = case((Household.members_listed, Household.id))
    query = (
        select(*columns)
        .select_from(Household)
        .outerjoin(Member, and_(Member.household_id == listed, PRESENT))
        .where(or_(~Household.members_listed, Member.id.is_not(None)), condition)
    )
    return _with_places(query, condition)


def households_where(condition: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """The ids of households that fit."""
    return _households(condition, [Household.id])


def members_where(
    condition: ColumnElement[bool], ids: Collection[UUID]
) -> Select[*tuple[Any, ...]]:
    """Those of the members who fit."""
    return _members(and_(Member.id.in_(ids), condition), [Member.id])


def members_condition(by: Query, personal_data: PersonalData) -> ColumnElement[bool]:
    """Which members fit: by a number those alone whose it is."""
    condition = condition_of(by, personal_data)
    if isinstance(by, ByNumber):
        whose = member_has(by.field, by.value, personal_data)
        if whose is not None:
            return and_(condition, or_(Member.id.is_(None), whose))
    return condition


def member_has(field: Field, value: str, personal_data: PersonalData) -> ColumnElement[bool] | None:
    """Whether a number is a member's own; None where members have no such numbers."""
    known = _MEMBERS_FOUND_BY.get(field.name)
    return None if known is None else _has(Member, known, value, personal_data)


async def count(
    session: AsyncSession,
    condition: ColumnElement[bool],
    *,
    entity: Entity,
    most: int,
    today: date,
) -> int:
    """How many records fit; ``most`` and one where there are more."""
    found = (
        _members(condition, [Household.id])
        if entity is Entity.MEMBER
        else _households(condition, [Household.id])
    )
    some = found.limit(most + 1).subquery()
    counted: int = (
        await session.scalar(select(func.count()).select_from(some), {"as_of": today}) or 0
    )
    return counted


async def page(
    session: AsyncSession,
    condition: ColumnElement[bool],
    *,
    today: date,
    sorts: Sequence[tuple[str, bool]],
    offset: int,
    limit: int,
) -> list[UUID]:
    """A page of the households that fit, by id."""
    query = _households(condition, [Household.id], [name for name, _ in sorts])
    query = _sorted(query, sorts).order_by(Household.id)
    rows = await session.scalars(query.offset(offset).limit(limit), {"as_of": today})
    return list(rows)


async def page_of_members(
    session: AsyncSession,
    condition: ColumnElement[bool],
    *,
    today: date,
    sorts: Sequence[tuple[str, bool]],
    offset: int,
    limit: int,
) -> list[tuple[UUID, UUID | None]]:
    """A page of members who fit: household and member; no member stands for its head."""
    query = _sorted(_members(condition, [Household.id, Member.id]), sorts)
    query = query.order_by(Household.id, Member.member_number).offset(offset).limit(limit)
    return [tuple(row) for row in await session.execute(query, {"as_of": today})]


def _sorted(
    query: Select[*tuple[Any, ...]], sorts: Sequence[tuple[str, bool]]
) -> Select[*tuple[Any, ...]]:
    for name, falls in sorts:
        column = SORTS[name]
        query = query.order_by(column.desc() if falls else column)
    # With the commune first, an index gives them in their order.
    return query if sorts else query.order_by(Household.area_code)


async def households_of(session: AsyncSession, ids: Collection[UUID]) -> dict[UUID, Household]:
    """These households."""
    rows = await session.scalars(select(Household).where(Household.id.in_(set(ids))))
    return {row.id: row for row in rows}


async def counts_of(
    session: AsyncSession, ids: Collection[UUID], *, today: date
) -> dict[UUID, Counts]:
    """What is counted of these households on a day; of one that nobody is left of, nothing."""
    columns = (value_of(field).label(field.name) for field in COUNTED)
    query = of_households(select(Household.id, *columns).where(Household.id.in_(set(ids))))
    rows = await session.execute(query, {"as_of": today})
    names = [field.name for field in COUNTED]
    return {row[0]: dict(zip(names, row[1:], strict=True)) for row in rows}


async def members_of(
    session: AsyncSession, ids: Collection[UUID], *, today: date
) -> dict[UUID, list[Member]]:
    """Who is in these households on a day, by number."""
    rows = await session.scalars(
        select(Member)
        .where(Member.household_id.in_(set(ids)), PRESENT)
        .order_by(Member.household_id, Member.member_number),
        {"as_of": today},
    )
    found: dict[UUID, list[Member]] = defaultdict(list)
    for row in rows:
        found[row.household_id].append(row)
    return found


async def members_by_id(session: AsyncSession, ids: Collection[UUID]) -> dict[UUID, Member]:
    """These members."""
    rows = await session.scalars(select(Member).where(Member.id.in_(set(ids))))
    return {row.id: row for row in rows}


async def programmes_of(
    session: AsyncSession, ids: Collection[UUID], *, today: date
) -> dict[UUID, list[str]]:
    """The routine programmes that these members are in on a day."""
    rows = await session.execute(
        select(ProgrammeMembership.member_id, ProgrammeMembership.programme_code)
        .join(Member, IN_PROGRAMME)
        .where(ProgrammeMembership.member_id.in_(set(ids)))
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
