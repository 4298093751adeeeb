"""What criteria may ask about: the attributes of rules, in the standard's words and in ours."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Text, cast, true
from sqlalchemy.orm import InstrumentedAttribute

from services.registry.households.shape import MEMBERS, OPEN
from services.registry.households.tables import Household
from services.registry.members.statements import value_of
from services.registry.rules.attributes import HOUSEHOLD_ATTRIBUTES, Attribute, Kind
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


def _asked(attribute: Attribute) -> Asked:
    if attribute.kind is Kind.NUMBER:
        return Asked(attribute.column, _number, _ALL, attribute.meaning)
    # An enum compares with texts as a text.
    return Asked(cast(attribute.column, Text), _text(attribute), _EQUAL, attribute.meaning)


ATTRIBUTES: Mapping[str, Asked] = {
    **{name: _asked(attribute) for name, attribute in HOUSEHOLD_ATTRIBUTES.items()},
    "group_size": Asked(value_of(MEMBERS), _number, _ALL, "members of the household"),
    "last_updated": Asked(Household.changed_at, _moment, _ALL, "when it was changed last"),
}
"""By name, in criteria. ``location`` is asked for by itself: a place means all within it."""

SENSITIVE = frozenset(field.name for field in OPEN if field.sensitive)
"""Of the health of persons: asked about by whoever may see persons alone."""

LOCATION = "location"


def lies_in(given: Any) -> ColumnElement[bool]:
    """Whether a household lives within a place; raises CriteriaRefused."""
    if not isinstance(given, str) or not _PLACE.fullmatch(given):
        raise CriteriaRefused("its value is the code of a province, district or commune, or KH")
    if given == "KH":
        return true()
    return Household.area_code.startswith(given, autoescape=True) & (Household.area_code >= given)


SORTS: Mapping[str, Column] = {
    "group_size": value_of(MEMBERS),
    "members": value_of(MEMBERS),
    "location": Household.area_code,
    "commune_code": Household.area_code,
    "poverty_status": Household.poverty_status,
    "last_updated": Household.changed_at,
}
"""What records may be sorted by. Records that are alike in it come by id."""
