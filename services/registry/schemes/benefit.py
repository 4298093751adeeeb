"""What a household gets: the first case that fits, in parts that add up."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import BigInteger, ColumnElement, Integer, SmallInteger, case, cast, literal, null

from services.registry.households.tables import FEATURES, Household
from services.registry.rules.attributes import HOUSEHOLD_ATTRIBUTES
from services.registry.rules.compiler import compile_rule
from services.registry.schemes.document import BenefitCase, Counted, SchemeDocument


@dataclass(frozen=True)
class CompiledBenefit:
    """SQL over ``household`` joined with ``area``; both null where no case fits."""

    case_number: ColumnElement[int]
    """Counted from 1, in the document's order."""
    amount_minor: ColumnElement[int]


@dataclass(frozen=True)
class Component:
    """One part of an amount: ``count`` times ``each_minor``."""

    name: str
    count: int
    each_minor: int

    @property
    def amount_minor(self) -> int:
        return self.count * self.each_minor


def compile_eligibility(document: SchemeDocument) -> ColumnElement[bool]:
    """The condition that an eligible household meets."""
    return compile_rule(document.eligibility, attributes=HOUSEHOLD_ATTRIBUTES)


def compile_benefit(document: SchemeDocument) -> CompiledBenefit:
    """The case and the amount of each household, as SQL."""
    numbers: list[tuple[ColumnElement[bool], ColumnElement[int]]] = []
    amounts: list[tuple[ColumnElement[bool], ColumnElement[int]]] = []
    otherwise: tuple[ColumnElement[int], ColumnElement[int]] = (
        cast(null(), SmallInteger),
        cast(null(), BigInteger),
    )
    for number, one in enumerate(document.benefit, start=1):
        parts = (literal(number, SmallInteger), _amount(one))
        if one.where is None:
            otherwise = parts
            break
        condition = compile_rule(one.where, attributes=HOUSEHOLD_ATTRIBUTES)
        numbers.append((condition, parts[0]))
        amounts.append((condition, parts[1]))
    if not numbers:
        return CompiledBenefit(case_number=otherwise[0], amount_minor=otherwise[1])
    return CompiledBenefit(
        case_number=case(*numbers, else_=otherwise[0]),
        amount_minor=case(*amounts, else_=otherwise[1]),
    )


def _amount(one: BenefitCase) -> ColumnElement[int]:
    members: ColumnElement[int] = cast(Household.members, BigInteger)
    if one.members_counted is Counted.ALL_BUT_HEAD:
        members = members - literal(1, Integer)
    per_member = literal(one.per_member_minor, BigInteger)
    amount = literal(one.base_minor, BigInteger) + members * per_member
    for feature in FEATURES:
        each_minor = getattr(one.per_category, feature)
        if each_minor:
            amount = amount + getattr(Household, feature) * literal(each_minor, BigInteger)
    return amount


def components(one: BenefitCase, *, members: int, features: Mapping[str, int]) -> list[Component]:
    """The parts of the amount that a household with these counts gets by this case."""
    counted = members - 1 if one.members_counted is Counted.ALL_BUT_HEAD else members
    parts = [
        Component("base", 1, one.base_minor),
        Component("member", counted, one.per_member_minor),
        *(
            Component(feature, features[feature], getattr(one.per_category, feature))
            for feature in FEATURES
        ),
    ]
    return [part for part in parts if part.amount_minor]
