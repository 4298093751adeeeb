"""What a rule may speak of: a fixed list of typed attributes, each an SQL expression.

A rule about a household may ask about its members too, by functions whose argument is a condition
over the attributes of one member.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
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
    Words,
    YesNo,
)
from services.registry.households.shape import SHAPE
from services.registry.members.shape import MEMBER_SHAPE
from services.registry.members.statements import (
    AGE,
    IN_PROGRAMME,
    is_aged,
    is_expecting,
    value_of,
)
from services.registry.members.tables import Member, ProgrammeMembership


class Kind(StrEnum):
    """The type of an attribute or a constant."""

    NUMBER = "number"
    TEXT = "text"
    YES_NO = "yes or no"
    TEXTS = "texts"
    """Several of them: asked about by A_CONTAINS and A_OVERLAPS."""


MOST_REACHED = 999
"""So far back the day of a birth can be named; nobody is older."""


@dataclass(frozen=True)
class Asked:
    """What a name in a rule stands for that is a question, about members or about a list."""

    text: str
    tree: Any = None
    """Of members: the condition that is asked of each, as pygeofilter's tree."""
    known: "Mapping[str, Attribute] | None" = None
    """What the names in that condition stand for."""


@dataclass(frozen=True)
class Attribute:
    """One attribute: its type, where it is, and for text what it can be at all."""

    kind: Kind
    column: ColumnElement[Any]
    meaning: str
    """What it can be, for whoever writes a rule."""
    words: Words
    """What it is, for whoever reads why."""
    sensitive: bool = False
    asked: Asked | None = None
    """Of a name that stands for a question."""
    allowed: frozenset[str] | None = None
    pattern: re.Pattern[str] | None = None
    reaches: Callable[[int], ColumnElement[bool]] | None = None
    """Of a whole number that takes long to work out: whether it is so much, from one to
    ``MOST_REACHED``."""

    def accepts(self, text: str) -> bool:
        """Whether a text constant can ever equal this attribute."""
        if self.allowed is not None:
            return text in self.allowed
        return self.pattern is None or self.pattern.fullmatch(text) is not None


def _number(column: Any, meaning: str, words: Words) -> Attribute:
    return Attribute(Kind.NUMBER, column, meaning, words)


def _code(column: Any, *, digits: int, meaning: str, words: Words) -> Attribute:
    pattern = re.compile(rf"[0-9]{{{digits}}}")
    return Attribute(Kind.TEXT, column, meaning, words, pattern=pattern)


def _choice(column: Any, choices: type[StrEnum], meaning: str, words: Words) -> Attribute:
    return Attribute(Kind.TEXT, column, meaning, words, allowed=frozenset(choices))


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
    "commune_code": _code(
        Area.code, digits=6, meaning="commune, six digits", words=Words("Commune", "ឃុំ/សង្កាត់")
    ),
    "district_code": _code(
        func.left(Area.code, 4),
        digits=4,
        meaning="district, four digits",
        words=Words("District", "ស្រុក/ខណ្ឌ/ក្រុង"),
    ),
    "province_code": _code(
        func.left(Area.code, 2),
        digits=2,
        meaning="province, two digits",
        words=Words("Province", "ខេត្ត/រាជធានី"),
    ),
    "residence": _choice(
        Area.residence,
        Residence,
        "phnom-penh, urban or rural",
        Words("Kind of place", "ប្រភេទទីកន្លែង"),
    ),
    "households_total": _number(
        Area.households_total,
        "households of the commune",
        Words("Households of the commune", "ចំនួនគ្រួសារក្នុងឃុំ/សង្កាត់"),
    ),
    "idpoor1_households": _number(
        Area.idpoor1_households,
        "IDPoor poor-1 households there",
        Words("IDPoor level 1 households of the commune", "ចំនួនគ្រួសារក្រីក្រកម្រិត១ ក្នុងឃុំ/សង្កាត់"),
    ),
    "idpoor2_households": _number(
        Area.idpoor2_households,
        "IDPoor poor-2 households there",
        Words("IDPoor level 2 households of the commune", "ចំនួនគ្រួសារក្រីក្រកម្រិត២ ក្នុងឃុំ/សង្កាត់"),
    ),
    "flood_hazard_index": _number(
        Area.flood_hazard_index,
        "higher floods more often",
        Words("Flood hazard index of the commune", "សន្ទស្សន៍គ្រោះថ្នាក់ទឹកជំនន់នៃឃុំ/សង្កាត់"),
    ),
    "vulnerability_index": _number(
        Area.vulnerability_index,
        "0 to 1, higher is worse",
        Words("Vulnerability index of the commune", "សន្ទស្សន៍ភាពងាយរងគ្រោះនៃឃុំ/សង្កាត់"),
    ),
}
COMMUNE_ATTRIBUTES = Attributes(_COMMUNE)
"""Of communes: for the area filter of an activation. Over the table ``area``."""


def _attribute(field: Field, column: ColumnElement[Any]) -> Attribute:
    """What a rule may compare a field with."""
    meaning = field.words.english
    match field.kind:
        case Count():
            found = _number(column, meaning, field.words)
        case Choice(choices):
            found = _choice(column, choices, f"one of {', '.join(choices)}", field.words)
        case YesNo():
            found = Attribute(Kind.YES_NO, column, f"{meaning}: TRUE or FALSE", field.words)
        case Village():
            found = _code(column, digits=8, meaning="village, eight digits", words=field.words)
        case Code(pattern):
            compiled = re.compile(pattern)
            found = Attribute(Kind.TEXT, column, meaning, field.words, pattern=compiled)
        case Codes(pattern):
            compiled = re.compile(pattern)
            found = Attribute(Kind.TEXTS, column, meaning, field.words, pattern=compiled)
        case _:
            raise TypeError(f"No rule can speak of a field such as {field.name}.")
    return replace(found, sensitive=field.sensitive)


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
        "age": Attribute(
            Kind.NUMBER,
            AGE,
            "whole years on the day that counts",
            Words("Age", "អាយុ"),
            reaches=is_aged,
        ),
        "pregnant": Attribute(
            Kind.YES_NO,
            is_expecting(),
            "pregnant on the day that counts: TRUE or FALSE",
            Words("Pregnant", "មានផ្ទៃពោះ"),
            sensitive=True,
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
