"""SQL of searches: one page of what criteria find, and how many there are in all."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from services.registry.areas.tables import Area
from services.registry.households.persons import PersonalData
from services.registry.households.tables import Household
from services.registry.members.statements import of_households
from services.registry.spdci.searches.attributes import SORTS
from services.registry.spdci.searches.criteria import ById, ByNumber, Criteria


def _found(condition: ColumnElement[bool], *columns: Any) -> Select[*tuple[Any, ...]]:
    asked: Select[*tuple[Any, ...]] = select(*columns)
    return of_households(asked, having=[condition])


def condition_of(criteria: Criteria, personal_data: PersonalData) -> ColumnElement[bool]:
    """Which households fit."""
    match criteria.by:
        case ById(household_id):
            return Household.id == household_id
        case ByNumber(field, value):
            assert field.found_by is not None  # numbers that a household is known by alone
            column: InstrumentedAttribute[bytes] = getattr(Household, field.found_by.column)
            return column.in_([keys.indexes_of(field)(value) for keys in personal_data.found_by])
        case condition:
            return condition


async def count(
    session: AsyncSession, condition: ColumnElement[bool], *, most: int, today: date
) -> int:
    """How many households fit; ``most`` and one where there are more."""
    some = _found(condition, Household.id).limit(most + 1).subquery()
    counted: int = (
        await session.scalar(select(func.count()).select_from(some), {"as_of": today}) or 0
    )
    return counted


async def page(
    session: AsyncSession,
    condition: ColumnElement[bool],
    *columns: Any,
    today: date,
    sorts: Sequence[tuple[str, bool]],
    offset: int,
    limit: int,
) -> Sequence[Row[*tuple[Any, ...]]]:
    """A page of the households that fit, each with ``columns`` beside it."""
    query = _found(condition, Household, *columns)
    for name, falls in sorts:
        column = SORTS[name]
        query = query.order_by(column.desc() if falls else column)
    # With the commune first, an index gives them in their order.
    query = query.order_by(*(() if sorts else (Household.area_code,)), Household.id)
    return (await session.execute(query.offset(offset).limit(limit), {"as_of": today})).all()


async def names_of(session: AsyncSession, codes: Collection[str]) -> dict[str, str]:
    """The English names of communes, each with its district's and province's."""
    wanted = {code[:length] for code in codes for length in (2, 4, 6)}
    rows = await session.execute(select(Area.code, Area.name_en).where(Area.code.in_(wanted)))
    names: dict[str, str] = dict(rows.all())
    return {
        code: ", ".join(names[part] for part in (code, code[:4], code[:2]) if part in names)
        for code in set(codes)
    }
