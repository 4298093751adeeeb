"""Rules about members: what is refused, and that PostgreSQL answers what a rule says."""

import operator
import random
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from services.registry.enrolments.statements import eligible_households
from services.registry.households.tables import Household
from services.registry.members.statements import of_all_households, of_households
from services.registry.rules.attributes import (
    COMMUNE_ATTRIBUTES,
    HOUSEHOLD_ATTRIBUTES,
    MEMBER_ATTRIBUTES,
)
from services.registry.rules.compiler import asks_about_members, compile_rule
from services.registry.rules.structure import RuleRefused
from services.registry.schemes.document import SchemeDocument
from services.registry.schemes.shipped import shipped_document
from shared.database import Database
from tests.registry.flow import Flow, rows
from tests.registry.people import Person, age, ids_of, is_pregnant, store

DAY = date(2026, 3, 1)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("any_member()", "asks nothing"),
        ("any_member", "not an attribute"),
        ("any_members(age < 6)", "Members are asked about by any_member, all_members"),
        ("any_member(age < 6", "no closing"),
        ("any_member(age)", "not CQL2 text"),
        ("any_member(1 = 1)", "says nothing"),
        ("any_member(members = 2)", "members is not an attribute here"),
        ("age < 6", "age is not an attribute here"),
        ("any_member(birth_date = 1)", "not an attribute"),
        ("any_member(any_member(age < 6))", "beside, not within"),
        ("count_members(age < 6)", "not CQL2 text"),
        ("count_members(age < 6) = TRUE", "yes or no"),
        ("count_members(age < 6) + any_member(age < 6) > 1", "not CQL2 text"),
        ("any_member(age < 6) > FALSE", "not CQL2 text"),
        ("any_member(age < 6) = 1", "yes or no"),
        ("any_member(age < '6')", "number is compared with text"),
        ("any_member(sex = 'woman')", "never 'woman'"),
        ("any_member(disability)", "not CQL2 text"),
        ("any_member(disability = 'yes')", "yes or no"),
        ("any_member(disability < TRUE)", "= and <> only"),
        ("any_member(disability IN (TRUE))", "IN lists numbers and texts"),
        ("any_member(age < 6 OR age > 60 AND disability = TRUE)", "side by side"),
        ("any_member(programmes = 'scholarship')", "are several"),
        ("any_member(programmes IS NULL)", "are several"),
        ("any_member(A_CONTAINS(programmes))", r"Write A_CONTAINS\(programmes"),
        ("any_member(A_CONTAINS(programmes, ()))", r"Write A_CONTAINS\(programmes"),
        ("any_member(A_OVERLAPS(programmes, ('a' 'b')))", r"Write A_OVERLAPS\(programmes"),
        ("any_member(A_OVERLAPS(sex, ('male')))", r"Write A_OVERLAPS\(programmes"),
        ("any_member(A_OVERLAPS(programmes, ('Not a code')))", "no code of a programme"),
        ("A_OVERLAPS(programmes, ('scholarship'))", "not an attribute here"),
        (" OR ".join(["any_member(age < 6)"] * 11), "at most 10 times"),
        ("any_member(" + "(" * 20 + "age < 6" + ")" * 20 + ")", "nest at most"),
        ("any_member(age < 6) = any_member:0", "no place"),
    ],
)
def test_a_text_that_cannot_be_meant_is_refused_with_its_reason(text: str, reason: str) -> None:
    with pytest.raises(RuleRefused, match=reason):
        compile_rule(text, attributes=HOUSEHOLD_ATTRIBUTES)


def test_a_filter_of_communes_asks_no_member() -> None:
    with pytest.raises(RuleRefused, match="any_member is not an attribute"):
        compile_rule("any_member(age < 6)", attributes=COMMUNE_ATTRIBUTES)


def test_whether_a_rule_needs_members_that_are_listed() -> None:
    for text, asks in {
        "children_0_5 > 0": False,
        "any_member(age < 6)": True,
        "members > 2 AND count_members(sex = 'female') > 1": True,
    }.items():
        assert asks_about_members(text, attributes=HOUSEHOLD_ATTRIBUTES) is asks


_SCRAPS = [
    *sorted(MEMBER_ATTRIBUTES),
    *("any_member", "all_members", "count_members", "A_CONTAINS", "a_overlaps", "members"),
    *("AND", "or", "NOT", "IN", "BETWEEN", "IS", "NULL", "TRUE", "false"),
    *("(", ")", ",", "=", "<>", "<", ">=", "+", "-", "*", "'"),
    *("any_member(", "'female'", "'scholarship'", "1", "18"),
]


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(_SCRAPS), max_size=30).map(" ".join))
@example("A_CONTAINS ( programmes , (")
@example("any_member ( A_CONTAINS ( programmes , ( ) ) )")
@example("any_member (")
def test_any_text_is_compiled_or_cleanly_refused(text: str) -> None:
    with suppress(RuleRefused):
        compile_rule(text, attributes=HOUSEHOLD_ATTRIBUTES)


# Rules made as trees, with their own evaluation: true, false, or unknown (None).


@dataclass(frozen=True)
class Rule:
    text: str
    judge: Any


def _not(inner: Rule) -> Rule:
    def judge(of: Any) -> Any:
        value = inner.judge(of)
        return None if value is None else not value

    return Rule(f"NOT {inner.text}", judge)


def _joined(parts: tuple[str, list[Rule]]) -> Rule:
    word, inner = parts
    return Rule(
        "(" + f" {word} ".join(rule.text for rule in inner) + ")",
        lambda of: _all(word == "AND", [rule.judge(of) for rule in inner]),
    )


def _all(every: bool, values: Sequence[Any]) -> Any:
    """Three-valued: whether all hold, or any."""
    if (not every) in values:
        return not every
    return None if None in values else every


_SIGNS = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "<>": operator.ne,
}


def _about_age(parts: tuple[str, int, bool]) -> Rule:
    sign, years, is_first = parts

    def judge(person: Person) -> Any:
        old = age(person, DAY)
        if old is None:
            return None
        return _SIGNS[sign](old, years) if is_first else _SIGNS[sign](years, old)

    return Rule(f"age {sign} {years}" if is_first else f"{years} {sign} age", judge)


def _about_text(parts: tuple[str, str, bool]) -> Rule:
    name, value, equal = parts

    def judge(person: Person) -> Any:
        said = getattr(person, name)
        return None if said is None else (said == value) == equal

    return Rule(f"{name} {'=' if equal else '<>'} '{value}'", judge)


def _about_yes(parts: tuple[str, bool]) -> Rule:
    name, value = parts
    judge = {
        "disability": lambda person: person.disability == value,
        "pregnant": lambda person: is_pregnant(person, DAY) == value,
    }[name]
    return Rule(f"{name} = {str(value).upper()}", judge)


def _about_programmes(parts: tuple[str, list[str]]) -> Rule:
    function, codes = parts
    listed = ", ".join(f"'{code}'" for code in codes)
    every = function == "A_CONTAINS"
    return Rule(
        f"{function}(programmes, ({listed}))",
        lambda person: (all if every else any)(code in person.programmes for code in codes),
    )


_PROGRAMMES = ["scholarship", "school-meals", "covid-cash"]
_SCHOOLING = ["none", "primary", "lower-secondary"]
_TEXTS = {"sex": ["female", "male"], "relationship": ["head", "child"], "schooling": _SCHOOLING}
_predicates = st.one_of(
    st.tuples(
        st.sampled_from(sorted(_SIGNS)), st.sampled_from([0, 1, 6, 18, 60, 2000]), st.booleans()
    ).map(_about_age),
    st.sampled_from(sorted(_TEXTS)).flatmap(
        lambda name: st.tuples(st.just(name), st.sampled_from(_TEXTS[name]), st.booleans()).map(
            _about_text
        )
    ),
    st.tuples(st.sampled_from(["disability", "pregnant"]), st.booleans()).map(_about_yes),
    st.tuples(
        st.sampled_from(["A_CONTAINS", "A_OVERLAPS"]),
        st.lists(st.sampled_from(_PROGRAMMES), min_size=1, max_size=2, unique=True),
    ).map(_about_programmes),
    st.sampled_from([True, False]).map(
        lambda known: Rule(
            f"age IS {'NOT ' if known else ''}NULL",
            lambda person: (person.birth_date is not None) == known,
        )
    ),
)
_conditions = st.recursive(
    st.one_of(_predicates, _predicates.map(_not)),
    lambda inner: st.tuples(
        st.sampled_from(["AND", "OR"]), st.lists(inner, min_size=2, max_size=3)
    ).map(_joined),
    max_leaves=4,
)


def _of_all(parts: tuple[bool, Rule, bool | None]) -> Rule:
    every, condition, value = parts
    text = f"{'all_members' if every else 'any_member'}({condition.text})"

    def judge(people: Any) -> Any:
        if people is None:
            return None
        found = _all(every, [condition.judge(person) for person in people])
        return found if value is None or found is None else found == value

    return Rule(text if value is None else f"{text} = {str(value).upper()}", judge)


def _of_count(parts: tuple[Rule, str, int]) -> Rule:
    condition, sign, number = parts

    def judge(people: Any) -> Any:
        if people is None:
            return None
        answers = [condition.judge(person) for person in people]
        if None in answers:
            return None
        count = sum(answers)
        return {"=": count == number, ">=": count >= number, "<": count < number}[sign]

    return Rule(f"count_members({condition.text}) {sign} {number}", judge)


_questions = st.one_of(
    st.tuples(st.booleans(), _conditions, st.sampled_from([None, None, True, False])).map(_of_all),
    st.tuples(_conditions, st.sampled_from(["=", ">=", "<"]), st.integers(0, 3)).map(_of_count),
)
_rules = st.recursive(
    st.one_of(_questions, _questions.map(_not)),
    lambda inner: st.tuples(
        st.sampled_from(["AND", "OR"]), st.lists(inner, min_size=2, max_size=3)
    ).map(_joined),
    max_leaves=3,
)


def _people(chance: random.Random) -> list[Person]:
    births = [
        None,
        *(DAY.replace(year=DAY.year - years) for years in (1, 6, 18, 60)),
        DAY + timedelta(days=1) - timedelta(days=366 * 6),
        date(2008, 2, 29),
    ]
    return [
        Person(
            birth_date=chance.choice(births),
            sex=chance.choice(["female", "male"]) if at else "female",
            relationship=chance.choice(["spouse", "child"]) if at else "head",
            disability=chance.random() < 0.3,
            pregnancy_due_on=None if at else chance.choice([None, DAY, DAY - timedelta(days=1)]),
            schooling=chance.choice([None, *_SCHOOLING]),
            programmes=tuple(sorted(code for code in _PROGRAMMES if chance.random() < 0.3)),
        )
        for at in range(chance.randint(1, 4))
    ]


async def test_postgresql_answers_what_the_rule_says(flow: Flow) -> None:
    chance = random.Random(1)
    await flow.register([*rows(40), *rows(3, commune="020102")])
    listed: dict[UUID, Any] = {
        household_id: _people(chance) for household_id in await ids_of(flow.owner, "020101")
    }
    await store(flow, listed, today=DAY)
    # Of these only counts are known.
    listed |= dict.fromkeys(await ids_of(flow.owner, "020102"))
    # A membership that ended, and one that has not begun, count for nothing.
    await flow.owner.execute(
        "INSERT INTO registry.programme_membership "
        "(member_id, programme_code, number, since, until) "
        "SELECT id, code, 2, since, until FROM registry.member, (VALUES"
        f" ('scholarship', date '2020-01-01', date '{DAY}'),"
        f" ('school-meals', date '{DAY + timedelta(days=1)}', NULL)) AS other (code, since, until)"
    )
    examples: list[Rule] = []

    @settings(
        max_examples=120, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    @given(_rules)
    def collect(rule: Rule) -> None:
        examples.append(rule)

    collect()
    database: Database = flow.service.app.state.database
    answers = set()
    async with database.transaction() as session:
        for rule in examples:
            condition = compile_rule(rule.text, attributes=HOUSEHOLD_ATTRIBUTES)
            query = of_households(select(Household.id), having=[condition])
            found = await session.scalars(query, {"as_of": DAY})
            judged = {household_id: rule.judge(people) for household_id, people in listed.items()}
            answers |= set(judged.values())
            fitting = {id for id, answer in judged.items() if answer}
            assert set(found.all()) == fitting, rule.text
            query = of_all_households(select(Household.id), having=[condition])
            assert set(await session.scalars(query, {"as_of": DAY})) == fitting, rule.text
        for code in ("flood-2022", "inflation-2022", "beyond-routine", "routine-top-up"):
            document = SchemeDocument.model_validate(shipped_document(code))
            communes = {"as_of": DAY, "area_codes": ["020101", "020102"]}
            of_these, of_all = [
                sorted(
                    await session.execute(eligible_households(document, everywhere=all), communes)
                )
                for all in (False, True)
            ]
            assert of_these == of_all
            assert of_these or code != "flood-2022"
    assert answers == {True, False, None}
