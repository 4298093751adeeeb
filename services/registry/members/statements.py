"""What is counted of a household on the day that counts: of its members, where they are rows.

A household whose source gives only counts keeps what the source said; one whose members are listed
(``household.members_listed``) has as many as its rows say on the day ``as_of``, so that a child
grows out of a category by itself. Counts are aggregates over ``household`` joined with its members
on that day, grouped by household: one pass over whichever households a query is about, without a
subquery for each. ``of_households`` makes a query so; what it requires of a count stands in HAVING,
from where PostgreSQL moves by itself what asks of no member, before any member is read.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, assert_never

from sqlalchemy import (
    ColumnElement,
    Date,
    DateTime,
    FunctionFilter,
    Integer,
    Select,
    SmallInteger,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    or_,
    select,
    true,
)
from sqlalchemy.sql import functions, visitors
from sqlalchemy.sql.util import find_tables

from services.registry.areas.tables import Area
from services.registry.households.fields import (
    Aged,
    Count,
    CountedMembers,
    Expecting,
    Field,
    Having,
)
from services.registry.households.shape import MEMBERS, PREGNANT
from services.registry.households.tables import Household
from services.registry.members.shape import BIRTH_DATE, PREGNANCY_DUE_ON
from services.registry.members.tables import Member, ProgrammeMembership

AS_OF = bindparam("as_of", type_=Date)
"""The day that counts: every query with members takes it."""

# More than there are members of any household.
_UNKNOWN = literal_column("1000000", Integer)

_AGGREGATES = (FunctionFilter, functions.count, functions.max, functions.min, functions.sum)

PRESENT = and_(
    or_(Member.joined_on.is_(None), Member.joined_on <= AS_OF),
    or_(Member.left_on.is_(None), Member.left_on > AS_OF),
)
"""Whether a member is one of the household on the day that counts."""

IN_PROGRAMME = and_(
    ProgrammeMembership.member_id == Member.id,
    or_(ProgrammeMembership.since.is_(None), ProgrammeMembership.since <= AS_OF),
    or_(ProgrammeMembership.until.is_(None), ProgrammeMembership.until > AS_OF),
)
"""Which memberships of a member hold on the day that counts."""

_birth_date: ColumnElement[date | None] = getattr(Member, BIRTH_DATE.name)

AGE: ColumnElement[int] = cast(
    func.date_part(
        literal_column("'year'"), func.age(cast(AS_OF, DateTime()), cast(_birth_date, DateTime()))
    ),
    Integer,
)
"""In whole years; NULL where the date of birth is not known."""


def of_households(
    query: Select[*tuple[Any, ...]],
    *,
    having: Sequence[ColumnElement[bool]] = (),
    beside: Sequence[ColumnElement[Any]] = (),
    lives_in: ColumnElement[str] | None = None,
) -> Select[*tuple[Any, ...]]:
    """A query over ``household``, whose columns and ``having`` may ask of counts and of members.

    Whatever does so is made here, a row for each household; one that nobody is left of has none.
    ``beside`` are the columns of other tables that it shows; ``lives_in`` is the commune that is
    meant, that of now unless told. It takes ``as_of``, the day that counts.
    """
    # Without rows of members, the null finds none in the index, at no cost.
    listed = case((Household.members_listed, Household.id))
    query = query.select_from(Household).outerjoin(
        Member, and_(Member.household_id == listed, PRESENT)
    )
    query = query.group_by(Household.area_code, Household.id, *beside)
    somebody = or_(~Household.members_listed, func.count(Member.household_id) > 0)
    query = query.having(*having, somebody)
    if _asks_about_places(query, having):
        lived_in = Household.area_code if lives_in is None else lives_in
        query = query.where(Area.code == lived_in).group_by(Area.code)
    return query


def of_all_households(
    query: Select[*tuple[Any, ...]], *, having: Sequence[ColumnElement[bool]] = ()
) -> Select[*tuple[Any, ...]]:
    """The same of every household that there is, in the time that one walk over members takes.

    Members are counted by themselves, in the order in which their index has them, and households
    are joined with the counts: no group holds what is known of a household, and nothing is sorted.
    Of a few households it would count everybody all the same.
    """
    aggregates: list[ColumnElement[Any]] = []
    place_of: dict[int, int] = {}
    for aggregate in _aggregates([*query.selected_columns, *having]):
        same = (at for at, known in enumerate(aggregates) if known.compare(aggregate))
        place_of[id(aggregate)] = at = next(same, len(aggregates))
        if at == len(aggregates):
            aggregates.append(aggregate)
    counted = (
        select(
            Member.household_id,
            *(aggregate.label(f"counted_{at}") for at, aggregate in enumerate(aggregates)),
        )
        .where(PRESENT)
        .group_by(Member.household_id)
        .subquery("counted")
    )
    instead = {
        known: func.coalesce(counted.c[f"counted_{at}"], _of_nobody(aggregates[at]))
        for known, at in place_of.items()
    }

    def apart(expression: ColumnElement[Any]) -> ColumnElement[Any]:
        found: ColumnElement[Any] = visitors.replacement_traverse(
            expression, {}, lambda element, **_: instead.get(id(element))
        )
        return found

    is_counted = and_(counted.c.household_id == Household.id, Household.members_listed)
    somebody = or_(~Household.members_listed, counted.c.household_id.is_not(None))
    conditions = [apart(condition) for condition in having]
    query = (
        query.with_only_columns(*map(apart, query.selected_columns))
        .select_from(Household)
        .outerjoin(counted, is_counted)
        .where(*conditions, somebody)
    )
    return query.where(Area.code == Household.area_code) if _asks_about_places(query, ()) else query


def _asks_about_places(
    query: Select[*tuple[Any, ...]], having: Sequence[ColumnElement[bool]]
) -> bool:
    """Every household has its commune: the join is only for what asks about places."""
    places = Area.__table__
    return places in query.get_final_froms() or any(
        places in find_tables(condition, check_columns=True) for condition in having
    )


def _aggregates(expressions: Sequence[Any]) -> Iterator[ColumnElement[Any]]:
    """The aggregates in some expressions: all of them are over members."""
    for expression in expressions:
        filtered = set()
        # From the outside to the inside.
        for element in visitors.iterate(expression):
            if isinstance(element, _AGGREGATES) and id(element) not in filtered:
                yield element
            if isinstance(element, FunctionFilter):
                filtered.add(id(element.func))


def _of_nobody(aggregate: ColumnElement[Any]) -> ColumnElement[Any]:
    """What it is where an outer join finds no member: no count, and what is unknown of each."""
    if isinstance(aggregate, FunctionFilter | functions.count):
        return literal_column("0", Integer)
    assert isinstance(aggregate, functions.FunctionElement)
    [score] = aggregate.clauses
    assert isinstance(score, functions.coalesce)
    unknown: ColumnElement[Any] = list(score.clauses)[-1]
    return unknown


def value_of(field: Field) -> ColumnElement[Any]:
    """An open field of a household, in a query ``of_households``: what rules and benefits read."""
    column: ColumnElement[Any] = getattr(Household, field.name)
    if not isinstance(field.kind, Count):
        return column
    if field is MEMBERS:
        counted: ColumnElement[int] = func.count(Member.household_id)
    elif field.counts is None:
        return column
    else:
        counted = func.count(Member.household_id).filter(counts(field.counts))
    return case((Household.members_listed, cast(counted, SmallInteger)), else_=column)


def counts(counted: CountedMembers) -> ColumnElement[bool]:
    """Whether a member is counted; never of whom it is not known."""
    match counted:
        case Aged(least, below):
            bounds = []
            if least:
                bounds.append(is_aged(least))
            if below is not None:
                bounds.append(~is_aged(below))
            return and_(true(), *bounds)
        case Having(field):
            column: ColumnElement[bool] = getattr(Member, field)
            return column
        case Expecting(field, within_days):
            day: ColumnElement[date] = getattr(Member, field)
            return day.between(AS_OF, AS_OF + literal_column(str(within_days), Integer))
        case _:
            assert_never(counted)


def is_aged(years: int) -> ColumnElement[bool]:
    """Whether ``AGE`` is so many years, one at least: a day is compared, and no age worked out."""
    return _birth_date <= _years_before(years)


def _years_before(years: int) -> ColumnElement[date]:
    """Who was born on that day is so many years old on the day that counts."""
    return cast(AS_OF - literal_column(f"interval '{years} years'"), Date)


def is_expecting() -> ColumnElement[bool]:
    """Whether a member is pregnant on the day that counts."""
    assert PREGNANT.counts is not None
    due: ColumnElement[date | None] = getattr(Member, PREGNANCY_DUE_ON.name)
    return and_(due.is_not(None), counts(PREGNANT.counts))


# A condition about a member is true, false or unknown, and so is what is said of them all. Each is
# looked at once: 2, 1 and 0 stand for true, unknown and false. Of a household whose members are
# not listed the outer join has one row without a member, of which all is unknown.


def _scores(condition: ColumnElement[bool]) -> ColumnElement[int]:
    twice = cast(condition, Integer) * literal_column("2", Integer)
    known = case((Member.household_id.is_not(None), twice))
    return func.coalesce(known, literal_column("1", Integer))


def _judged(score: ColumnElement[int]) -> ColumnElement[bool]:
    return func.nullif(score, literal_column("1", Integer)) == literal_column("2", Integer)


def any_member(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether it holds for a member; unknown where it holds for none and is unknown for one."""
    return _judged(func.max(_scores(condition)))


def all_members(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether it holds for every member; unknown where it fails for none, and is for one."""
    return _judged(func.min(_scores(condition)))


def count_members(condition: ColumnElement[bool]) -> ColumnElement[int]:
    """For how many members it holds; unknown where it is unknown for any."""
    known = case((Member.household_id.is_not(None), cast(condition, Integer)))
    total = func.sum(func.coalesce(known, _UNKNOWN))
    return cast(func.nullif(func.least(total, _UNKNOWN), _UNKNOWN), Integer)
