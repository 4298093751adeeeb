"""What a rule may speak of: a fixed list of typed attributes, each an SQL expression.

A rule about a household may ask about its members too, by functions whose argument is a condition
over the attributes of one member.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_, func, null, select

from services.registry.areas.tables import Area, Residence
from services.registry.households.fields import (
    Choice,
    Code,
    Codes,
    Count,
    Field,
    Kept,
    Village,
    YesNo,
)
from services.registry.households.shape import SHAPE
from services.registry.members.shape import MEMBER_SHAPE
from services.registry.members.statements import AGE, IN_PROGRAMME, is_expecting, value_of
from services.registry.members.tables import Member, ProgrammeMembership


class Kind(StrEnum):
    """The type of an attribute or a constant."""

    NUMBER = "number"
    TEXT = "text"
    YES_NO = "yes or no"
    TEXTS = "texts"
    """Several of them: asked about by A_CONTAINS and A_OVERLAPS."""


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


class Attributes(dict[str, Attribute]):
    """What a rule of one kind may speak of; ``members``: of the members of a household as well."""

    def __init__(
        self, known: Mapping[str, Attribute], *, members: "Attributes | None" = None
    ) -> None:
        super().__init__(known)
        self.members = members

    @property
    def described(self) -> str:
        """Each with its meaning, for people."""
        return "; ".join(f"`{name}`, {told.meaning}" for name, told in self.items())


_COMMUNE: Mapping[str, Attribute] = {
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
COMMUNE_ATTRIBUTES = Attributes(_COMMUNE)
"""Of communes: for the area filter of an activation. Over the table ``area``."""


def _attribute(field: Field, column: ColumnElement[Any]) -> Attribute:
    """What a rule may compare a field with."""
    meaning = field.words.english
    match field.kind:
        case Count():
            return _number(column, meaning)
        case Choice(choices):
            return _choice(column, choices, f"one of {', '.join(choices)}")
        case YesNo():
            return Attribute(Kind.YES_NO, column, f"{meaning}: TRUE or FALSE")
        case Village():
            return _code(column, digits=8, meaning="village, eight digits")
        case Code(pattern):
            return Attribute(Kind.TEXT, column, meaning, pattern=re.compile(pattern))
        case Codes(pattern):
            return Attribute(Kind.TEXTS, column, meaning, pattern=re.compile(pattern))
    raise TypeError(f"No rule can speak of a field such as {field.name}.")


def in_programmes(codes: Iterable[str], *, every: bool) -> ColumnElement[bool]:
    """Whether a member is in every one of these programmes on the day that counts, or in any."""
    is_in = select(ProgrammeMembership.member_id).where(IN_PROGRAMME).correlate(Member)
    if not every:
        return is_in.where(ProgrammeMembership.programme_code.in_(list(codes))).exists()
    return and_(
        *(is_in.where(ProgrammeMembership.programme_code == code).exists() for code in codes)
    )


MEMBER_ATTRIBUTES = Attributes(
    {
        "age": _number(AGE, "whole years on the day that counts"),
        "pregnant": Attribute(
            Kind.YES_NO, is_expecting(), "pregnant on the day that counts: TRUE or FALSE"
        ),
        **{
            field.name: _attribute(
                field, null() if field.kept is Kept.APART else getattr(Member, field.name)
            )
            for field in MEMBER_SHAPE
            if field.in_rules
        },
    }
)
"""Of one member, in a condition about members: over ``member``, on the day that counts."""

HOUSEHOLD_ATTRIBUTES = Attributes(
    {
        **COMMUNE_ATTRIBUTES,
        **{field.name: _attribute(field, value_of(field)) for field in SHAPE if field.in_rules},
    },
    members=MEMBER_ATTRIBUTES,
)
"""Of households and their communes: for eligibility. In a query over ``household`` and ``area``
that ``members.statements.of_households`` made."""
