"""What a rule may speak of: a fixed list of typed attributes, each an SQL expression."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, func

from services.registry.areas.tables import Area, Residence
from services.registry.households.fields import Choice, Code, Count, Field
from services.registry.households.shape import SHAPE
from services.registry.households.tables import value_of


class Kind(StrEnum):
    """The type of an attribute or a constant."""

    NUMBER = "number"
    TEXT = "text"


@dataclass(frozen=True)
class Attribute:
    """One attribute: its type, where it is, and for text what it can be at all."""

    kind: Kind
    column: ColumnElement[Any]
    meaning: str
    allowed: frozenset[str] | None = None
    pattern: re.Pattern[str] | None = None

    def accepts(self, text: str) -> bool:
        """Whether a text constant can ever equal this attribute."""
        if self.allowed is not None:
            return text in self.allowed
        return self.pattern is None or self.pattern.fullmatch(text) is not None


def _number(column: Any, meaning: str) -> Attribute:
    return Attribute(Kind.NUMBER, column, meaning)


def _code(column: Any, *, digits: int, meaning: str) -> Attribute:
    return Attribute(Kind.TEXT, column, meaning, pattern=re.compile(rf"[0-9]{{{digits}}}"))


def _choice(column: Any, choices: type[StrEnum], meaning: str) -> Attribute:
    return Attribute(Kind.TEXT, column, meaning, allowed=frozenset(choices))


COMMUNE_ATTRIBUTES: Mapping[str, Attribute] = {
    "commune_code": _code(Area.code, digits=6, meaning="commune, six digits"),
    "district_code": _code(func.left(Area.code, 4), digits=4, meaning="district, four digits"),
    "province_code": _code(func.left(Area.code, 2), digits=2, meaning="province, two digits"),
    "residence": _choice(Area.residence, Residence, "phnom-penh, urban or rural"),
    "households_total": _number(Area.households_total, "households of the commune"),
    "idpoor1_households": _number(Area.idpoor1_households, "IDPoor poor-1 households there"),
    "idpoor2_households": _number(Area.idpoor2_households, "IDPoor poor-2 households there"),
    "flood_hazard_index": _number(Area.flood_hazard_index, "higher floods more often"),
    "vulnerability_index": _number(Area.vulnerability_index, "0 to 1, higher is worse"),
}
"""Of communes: for the area filter of an activation. Over the table ``area``."""


def _attribute(field: Field) -> Attribute:
    """What a rule may compare a field of a household with."""
    column, meaning = value_of(field), field.words.english
    match field.kind:
        case Count():
            return _number(column, meaning)
        case Choice(choices):
            return _choice(column, choices, f"one of {', '.join(choices)}")
        case Code(pattern):
            return Attribute(Kind.TEXT, column, meaning, pattern=re.compile(pattern))
    raise TypeError(f"No rule can speak of a field such as {field.name}.")


HOUSEHOLD_ATTRIBUTES: Mapping[str, Attribute] = {
    **COMMUNE_ATTRIBUTES,
    **{field.name: _attribute(field) for field in SHAPE if field.in_rules},
}
"""Of households and their communes: for eligibility. Over ``household`` joined with ``area``."""
