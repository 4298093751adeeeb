"""What two documents make of the households of some areas, counted by the database."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Numeric,
    Text,
    and_,
    case,
    cast,
    func,
    literal,
    select,
    tuple_,
)
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.areas.tables import Area
from services.registry.comparisons.schemas import Outcome
from services.registry.enrolments.statements import in_areas
from services.registry.estimates.schemas import By
from services.registry.households.fields import Choice, Count
from services.registry.households.shape import ASKED_ABOUT, MEMBERS
from services.registry.households.tables import Household
from services.registry.members.statements import of_households, value_of
from services.registry.rules.attributes import HOUSEHOLD_ATTRIBUTES
from services.registry.rules.compiler import compile_rule
from services.registry.schemes.benefit import compile_benefit, compile_eligibility
from services.registry.schemes.document import SchemeDocument

AREA = "area"


@dataclass(frozen=True)
class Side:
    """What one document comes to in a round."""

    households: int
    minor: int
    leaked: int
    """Reached, and not by the reference."""
    missed: int
    """Reached by the reference alone."""
    reference: int


@dataclass(frozen=True)
class Compared:
    """Households by each thing and outcome, and what each side comes to."""

    tables: dict[str, dict[str, dict[str, int]]]
    base: Side
    other: Side


def features() -> dict[str, ColumnElement[Any]]:
    """What households are told apart by: whatever rules ask about that has few bands."""
    bands: dict[str, ColumnElement[Any]] = {}
    for field in ASKED_ABOUT:
        value = value_of(field)
        if isinstance(field.kind, Choice):
            bands[field.name] = cast(value, Text)
        elif field is MEMBERS:
            bands[field.name] = case(
                (value <= 2, "1-2"), (value <= 4, "3-4"), (value <= 6, "5-6"), else_="7+"
            )
        elif isinstance(field.kind, Count):
            bands[field.name] = case((value == 0, "0"), (value == 1, "1"), else_="2+")
    bands["residence"] = cast(Area.residence, Text)
    return bands


def _amount(document: SchemeDocument) -> ColumnElement[Any]:
    """What a household gets, null where it gets nothing."""
    return case((compile_eligibility(document), compile_benefit(document).amount_minor))


async def compare(
    session: AsyncSession,
    base: SchemeDocument,
    other: SchemeDocument,
    communes: Collection[str],
    *,
    by: By,
    reference: str | None,
    as_of: date,
) -> Compared:
    """Count it, by what the households are on the day ``as_of``."""
    values = {"area_codes": sorted(communes), "as_of": as_of}
    bands = {AREA: func.left(Household.area_code, by.digits), **features()}
    holds: ColumnElement[Any] = literal(False)
    if reference is not None:
        holds = func.coalesce(compile_rule(reference, attributes=HOUSEHOLD_ATTRIBUTES), False)
    looked_at = of_households(
        select(
            *(column.label(f"by_{name}") for name, column in bands.items()),
            _amount(base).label("base_minor"),
            _amount(other).label("other_minor"),
            holds.label("referred"),
        ).where(in_areas())
    ).subquery("looked_at")
    before, after = looked_at.c.base_minor, looked_at.c.other_minor
    outcome = case(
        (and_(before.is_(None), after.is_(None)), Outcome.NEITHER.value),
        (before.is_(None), Outcome.COMES_IN.value),
        (after.is_(None), Outcome.FALLS_OUT.value),
        (after > before, Outcome.MORE.value),
        (after < before, Outcome.LESS.value),
        else_=Outcome.SAME.value,
    )
    told = select(
        *(looked_at.c[f"by_{name}"] for name in bands),
        outcome.label("outcome"),
        before.label("base_minor"),
        after.label("other_minor"),
        looked_at.c.referred,
    ).subquery("told")
    keys = [told.c[f"by_{name}"] for name in bands]
    sets = [tuple_(key, told.c.outcome) for key in keys]
    rows = await session.execute(
        select(
            *keys,
            *(
                func.grouping(key).label(f"is_not_{name}")
                for name, key in zip(bands, keys, strict=True)
            ),
            told.c.outcome,
            func.count(),
        ).group_by(func.grouping_sets(*sets)),
        values,
    )
    tables: dict[str, dict[str, dict[str, int]]] = {name: {} for name in bands}
    names = list(bands)
    for row in rows.all():
        grouped = next(place for place in range(len(names)) if not row[len(names) + place])
        key = str(row[grouped])
        tables[names[grouped]].setdefault(key, {})[row.outcome] = row[-1]
    sides = await session.execute(
        select(*_side(before, looked_at.c.referred), *_side(after, looked_at.c.referred)),
        values,
    )
    counted: Sequence[Any] = sides.one()
    return Compared(
        {name: dict(sorted(table.items())) for name, table in tables.items()},
        Side(*map(int, counted[:5])),
        Side(*map(int, counted[5:])),
    )


def _side(amount: ColumnElement[Any], referred: ColumnElement[Any]) -> list[ColumnElement[Any]]:
    reached = amount.is_not(None)
    return [
        func.count().filter(reached),
        func.coalesce(cast(func.sum(amount), Numeric), 0),
        func.count().filter(reached, ~referred),
        func.count().filter(~reached, referred),
        func.count().filter(referred),
    ]
