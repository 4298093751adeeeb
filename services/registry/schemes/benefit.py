"""What a household gets: the first case that fits, in parts that add up."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import BigInteger, ColumnElement, Integer, SmallInteger, case, cast, literal, null

from services.registry.households.shape import CATEGORIES, MEMBERS
from services.registry.members.statements import value_of
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
    for number, benefit_case in enumerate(document.benefit, start=1):
        parts = (literal(number, SmallInteger), _amount(benefit_case))
        if benefit_case.where is None:
            otherwise = parts
            break
        condition = compile_rule(benefit_case.where, attributes=HOUSEHOLD_ATTRIBUTES)
        numbers.append((condition, parts[0]))
        amounts.append((condition, parts[1]))
    if not numbers:
        return CompiledBenefit(case_number=otherwise[0], amount_minor=otherwise[1])
    return CompiledBenefit(
        case_number=case(*numbers, else_=otherwise[0]),
        amount_minor=case(*amounts, else_=otherwise[1]),
    )


def _amount(benefit_case: BenefitCase) -> ColumnElement[int]:
    members: ColumnElement[int] = cast(value_of(MEMBERS), BigInteger)
    if benefit_case.members_counted is Counted.ALL_BUT_HEAD:
        members = members - literal(1, Integer)
    per_member = literal(benefit_case.per_member_minor, BigInteger)
    amount = literal(benefit_case.base_minor, BigInteger) + members * per_member
    for category in CATEGORIES:
        each_minor = getattr(benefit_case.per_category, category.name)
        if each_minor:
            amount = amount + value_of(category) * literal(each_minor, BigInteger)
    return amount


def components(benefit_case: BenefitCase, counts: Mapping[str, int]) -> list[Component]:
    """The parts of the amount that a household with these counts gets by this case."""
    members = counts[MEMBERS.name]
    if benefit_case.members_counted is Counted.ALL_BUT_HEAD:
        members -= 1
    parts = [
        Component("base", 1, benefit_case.base_minor),
        Component("member", members, benefit_case.per_member_minor),
        *(
            Component(name, counts[name], getattr(benefit_case.per_category, name))
            for name in (category.name for category in CATEGORIES)
        ),
    ]
    return [part for part in parts if part.amount_minor]
