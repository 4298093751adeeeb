"""What criteria may ask about: the attributes of rules, in the standard's words and in ours."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Text, cast, func, select, true
from sqlalchemy.orm import InstrumentedAttribute

from services.registry.households.shape import COUNTED, MEMBERS, OPEN
from services.registry.households.tables import Household
from services.registry.members.shape import BIRTH_DATE
from services.registry.members.statements import of_households, value_of
from services.registry.members.tables import Member
from services.registry.rules.attributes import (
    HOUSEHOLD_ATTRIBUTES,
    MEMBER_ATTRIBUTES,
    Attribute,
    Kind,
    in_programmes,
)
from services.registry.spdci.messages.envelope import moment

_PLACE = re.compile(r"KH|([0-9]{2}){1,3}")
_MAXIMUM_NUMBER = 10**9


class CriteriaRefused(Exception):
    """Criteria that are not taken, with what is wrong and what to write instead."""


Column = ColumnElement[Any] | InstrumentedAttribute[Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """One attribute: what is compared, how a value of it is read, and by which operators."""

    column: Column
    read: Callable[[Any], Any]
    operators: frozenset[str]
    meaning: str
    holds: Callable[[list[Any]], ColumnElement[bool]] | None = None
    """Of what is several: whether one of them is among these."""
    counts_members: bool = False
    """Whether it is counted over the members of a household."""

    def of_each_member(self, compared: ColumnElement[bool]) -> ColumnElement[bool]:
        """The comparison, in a query whose rows are members."""
        if not self.counts_members:
            return compared
        return Household.id.in_(of_households(select(Household.id), having=[compared]))


_ALL = frozenset({"eq", "gt", "ge", "lt", "le", "in"})
_EQUAL = frozenset({"eq", "in"})


def _number(given: Any) -> Decimal:
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        raise CriteriaRefused("its value is a number")
    try:
        number = Decimal(str(given))
    except ArithmeticError:
        raise CriteriaRefused("its value is a number") from None
    if not number.is_finite() or abs(number) > _MAXIMUM_NUMBER:
        raise CriteriaRefused("its value is a number of nine digits at most")
    return number


def _text(attribute: Attribute) -> Callable[[Any], str]:
    def read(given: Any) -> str:
        if not isinstance(given, str) or not attribute.accepts(given):
            raise CriteriaRefused(f"its value is {attribute.meaning}")
        return given

    return read


def _moment(given: Any) -> datetime:
    read = moment(given)
    if read is None:
        raise CriteriaRefused("its value is an ISO 8601 time with its zone")
    return read


def _yes_no(given: Any) -> bool:
    match given:
        case True | "true" | "yes" | "TRUE":
            return True
        case False | "false" | "no" | "FALSE":
            return False
    raise CriteriaRefused("its value is true or false")


def day(given: Any) -> date:
    """A day as criteria give it; raises CriteriaRefused."""
    try:
        return date.fromisoformat(given)
    except (TypeError, ValueError):
        raise CriteriaRefused("its value is a day as 1986-04-13") from None


def _asked(attribute: Attribute) -> Asked:
    match attribute.kind:
        case Kind.NUMBER:
            return Asked(attribute.column, _number, _ALL, attribute.meaning)
        case Kind.YES_NO:
            return Asked(attribute.column, _yes_no, frozenset({"eq"}), attribute.meaning)
        case Kind.TEXTS:
            return Asked(
                attribute.column,
                _text(attribute),
                _EQUAL,
                attribute.meaning,
                holds=lambda codes: in_programmes(codes, every=False),
            )
        case Kind.TEXT:
            # An enum compares with texts as a text.
            return Asked(cast(attribute.column, Text), _text(attribute), _EQUAL, attribute.meaning)


def _code(digits: int) -> Column:
    """Of a place that a household lies in, by its own row alone."""
    return func.left(Household.area_code, digits)


_COUNTS = frozenset(field.name for field in COUNTED)
_PLACES: Mapping[str, Column] = {
    "commune_code": _code(6),
    "district_code": _code(4),
    "province_code": _code(2),
}


def _of_household(name: str, attribute: Attribute) -> Asked:
    asked = _asked(attribute)
    return replace(asked, column=_PLACES.get(name, asked.column), counts_members=name in _COUNTS)


ATTRIBUTES: Mapping[str, Asked] = {
    **{name: _of_household(name, known) for name, known in HOUSEHOLD_ATTRIBUTES.items()},
    "group_size": Asked(
        value_of(MEMBERS), _number, _ALL, "members of the household", counts_members=True
    ),
    "last_updated": Asked(Household.changed_at, _moment, _ALL, "when it was changed last"),
}
"""By name, in criteria. ``location`` is asked for by itself: a place means all within it."""

_MEMBER_ATTRIBUTES = {name: _asked(attribute) for name, attribute in MEMBER_ATTRIBUTES.items()}
OF_ONE_MEMBER: Mapping[str, Asked] = {
    **{name: asked for name, asked in _MEMBER_ATTRIBUTES.items() if name not in ATTRIBUTES},
    "is_pregnant": _MEMBER_ATTRIBUTES["pregnant"],
    "is_disabled": _MEMBER_ATTRIBUTES["disability"],
    "birth_date": Asked(getattr(Member, BIRTH_DATE.name), day, _ALL, "date of birth"),
}
"""By name, where no attribute of households has it: of one member."""

OF_MEMBERS: Mapping[str, Asked] = {
    **ATTRIBUTES,
    **OF_ONE_MEMBER,
    "pregnant": _MEMBER_ATTRIBUTES["pregnant"],
}
"""By name, in criteria for members: of one member, and of the household that they live in."""

SENSITIVE = frozenset(field.name for field in OPEN if field.sensitive)
"""Of the health of persons: asked about by whoever may see persons alone."""

PERSONAL = SENSITIVE | OF_ONE_MEMBER.keys()
"""Who is found by these is told something of by being found: of households alone that agree."""

LOCATION = "location"


def lies_in(given: Any) -> ColumnElement[bool]:
    """Whether a household lives within a place; raises CriteriaRefused."""
    if not isinstance(given, str) or not _PLACE.fullmatch(given):
        raise CriteriaRefused("its value is the code of a province, district or commune, or KH")
    if given == "KH":
        return true()
    return Household.area_code.startswith(given, autoescape=True) & (Household.area_code >= given)


def _is_counted(name: str) -> bool:
    return name in ATTRIBUTES and ATTRIBUTES[name].counts_members


SORTS: Mapping[str, Column] = {
    "group_size": value_of(MEMBERS),
    "members": value_of(MEMBERS),
    "location": Household.area_code,
    "commune_code": Household.area_code,
    "poverty_status": Household.poverty_status,
    "last_updated": Household.changed_at,
}
"""What households may be sorted by. Records that are alike in it come by id."""

SORTS_OF_MEMBERS: Mapping[str, Column] = {
    **{name: column for name, column in SORTS.items() if not _is_counted(name)},
    "birth_date": getattr(Member, BIRTH_DATE.name),
}
"""What members may be sorted by: by what their household's own row says, and how old they are."""
