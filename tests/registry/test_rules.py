"""CQL2 text: what is refused, and that what is taken means in SQL what it says."""

import random
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.engine.default import DefaultDialect

from services.registry.households.tables import Household
from services.registry.members.statements import of_households
from services.registry.rules.attributes import COMMUNE_ATTRIBUTES, HOUSEHOLD_ATTRIBUTES, Kind
from services.registry.rules.compiler import compile_rule
from services.registry.rules.structure import MAXIMUM_CHARACTERS, RuleRefused
from shared.database import Database
from tests.registry.flow import Flow, Row, rows

_DIALECT = DefaultDialect()


def sql_of(text: str) -> str:
    condition = compile_rule(text, attributes=HOUSEHOLD_ATTRIBUTES)
    return str(condition.compile(dialect=_DIALECT))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("members", "not CQL2 text"),
        ("members >=", "not CQL2 text"),
        ("members = 1 members = 2", "not CQL2 text"),
        ("member = 1", "not an attribute"),
        ("members = 1 OR pregnant = 1 AND disabled = 1", "AND and OR stand side by side"),
        ("members = 1 AND pregnant = 1 OR disabled = 1", "AND and OR stand side by side"),
        ("members BETWEEN 1 AND 2 OR members = 5 AND pregnant = 1", "side by side"),
        ("NOT (members = 1 OR pregnant = 1)", "NOT before a combination"),
        ("NOT (members = 1 AND pregnant = 1)", "NOT before a combination"),
        ("NOT ((members = 1 AND pregnant = 1))", "not CQL2 text"),
        ("poverty_status = 'poor1'", "never 'poor1'"),
        ("poverty_status IN ('poor-1', 'rich')", "never 'rich'"),
        ("province_code = '1'", "leading zeros"),
        ("province_code = 12", "number is compared with text"),
        ("members >= '3'", "number is compared with text"),
        ("poverty_status < 'poor-2'", "=, <> and IN only"),
        ("poverty_status BETWEEN 'a' AND 'b'", "BETWEEN is for numbers"),
        ("poverty_status + 1 = 2", "Only numbers"),
        ("1 = 1", "says nothing"),
        ("'a' = 'a'", "says nothing"),
        ("members IN (members)", "constants only"),
        ("-members = 1", "minus sign"),
        ("members = - - 1", "minus sign"),
        ("members / 2 = 1", "no place"),
        ("lower(poverty_status) = 'x'", "not an attribute"),
        ("members(1) = 2", "Only attributes"),
        ("S_INTERSECTS(members, POINT(1 1))", "not an attribute"),
        ("poverty_status LIKE 'poor%'", "not an attribute"),
        ("INCLUDE", "not an attribute"),
        ("members = TRUE", "compared with what is yes or no"),
        ("members = 1; DROP TABLE registry.household", "no place"),
        ("poverty_status = 'poor-1'' OR 1=1'", "not CQL2 text"),
        ("members = 12345678901", "nine digits"),
        ("members = 1e5", "not an attribute"),
        ("(members = 1", "no closing"),
        ("members = 1)", "no opening"),
        ("(" * 20 + "members = 1" + ")" * 20, "nest at most"),
        ("members = 1 OR " * 200 + "members = 1", "at most"),
        ("x" * (MAXIMUM_CHARACTERS + 1), "at most"),
        ("members = 1\x00", "no place"),
    ],
)
def test_a_text_that_cannot_be_meant_is_refused_with_its_reason(text: str, reason: str) -> None:
    with pytest.raises(RuleRefused, match=reason):
        compile_rule(text, attributes=HOUSEHOLD_ATTRIBUTES)


@pytest.mark.parametrize(
    "text",
    [
        "members >= 3 OR (pregnant = 1 AND disabled > 0)",
        "(members >= 3 OR pregnant = 1) AND disabled > 0",
        "NOT members = 1 AND NOT (pregnant = 1)",
        "members BETWEEN 2 AND 4 AND pregnant = 1",
        "flood_hazard_index IS NULL OR flood_hazard_index >= 4.5",
        "members * 2 - children_0_5 > -3",
        "NOT \"residence\" IN ('urban', 'phnom-penh')",
        "province_code NOT IN ('01', '02')\n  AND members >= 1",
    ],
)
def test_a_text_that_is_clear_is_taken(text: str) -> None:
    assert "registry." in sql_of(text)


def test_constants_are_bound_and_never_written_into_the_statement() -> None:
    assert "urban" not in sql_of("residence = 'urban'")
    assert "3" not in sql_of("members >= 3")


def test_a_filter_of_communes_knows_nothing_of_households() -> None:
    with pytest.raises(RuleRefused, match="members is not an attribute"):
        compile_rule("members >= 3", attributes=COMMUNE_ATTRIBUTES)


_SCRAPS = [
    *sorted(HOUSEHOLD_ATTRIBUTES),
    *("AND", "or", "NOT", "IN", "between", "IS", "NULL", "LIKE", "TRUE", "DATE", "POINT", "eq"),
    *("(", ")", ",", "=", "<>", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "'", '"', ".", ";"),
    *("'poor-1'", "'urban'", "'02'", "''", "1", "2.5", "007", "1e9", "99999999999", "\n", "\x00"),
]


@settings(max_examples=400, deadline=None)
@given(
    st.one_of(
        st.text(max_size=80),
        st.lists(st.sampled_from(_SCRAPS), max_size=25).map(" ".join),
        st.lists(st.sampled_from(_SCRAPS), max_size=12).map("".join),
    )
)
@example("-members = 1")
@example("members = (((1)))")
@example("NOT NOT members = 1")
@example("AND = 1")
@example("members = OR")
def test_any_text_is_compiled_or_cleanly_refused(text: str) -> None:
    with suppress(RuleRefused):
        assert sql_of(text)


# Rules made as trees, with their own evaluation, to be compared with what PostgreSQL answers.


@dataclass(frozen=True)
class Rule:
    """A rule's text, and what it says of a household: true, false, or unknown (None)."""

    text: str
    judge: Any


def _number_terms() -> st.SearchStrategy[Rule]:
    names = [
        name for name, attribute in HOUSEHOLD_ATTRIBUTES.items() if attribute.kind is Kind.NUMBER
    ]
    attributes = st.sampled_from(names).map(
        lambda name: Rule(name, lambda household: household[name])
    )
    constants = st.one_of(
        st.integers(-9, 40).map(
            lambda number: Rule(str(number), lambda household: Decimal(number))
        ),
        st.decimals(0, 9, places=2).map(
            lambda number: Rule(f"{number:f}", lambda household: number)
        ),
    )

    def sums(terms: st.SearchStrategy[Rule]) -> st.SearchStrategy[Rule]:
        return st.tuples(terms, st.sampled_from("+-*"), attributes | constants).map(_sum)

    return st.one_of(attributes, sums(attributes), sums(sums(attributes)))


def _sum(parts: tuple[Rule, str, Rule]) -> Rule:
    left, sign, right = parts

    def judge(household: Any) -> Any:
        a, b = left.judge(household), right.judge(household)
        if a is None or b is None:
            return None
        return {"+": a + b, "-": a - b, "*": a * b}[sign]

    return Rule(f"({left.text} {sign} {right.text})", judge)


def _comparison(parts: tuple[Rule, str, int]) -> Rule:
    left, sign, number = parts

    def judge(household: Any) -> Any:
        a = left.judge(household)
        if a is None:
            return None
        answers = {
            "=": a == number,
            "<>": a != number,
            "<": a < number,
            "<=": a <= number,
            ">": a > number,
            ">=": a >= number,
        }
        return answers[sign]

    return Rule(f"{left.text} {sign} {number}", judge)


def _between(parts: tuple[Rule, int, int, bool]) -> Rule:
    left, low, high, negated = parts

    def judge(household: Any) -> Any:
        value = left.judge(household)
        return None if value is None else (low <= value <= high) != negated

    return Rule(f"{left.text} {'NOT ' if negated else ''}BETWEEN {low} AND {high}", judge)


def _choice(parts: tuple[str, list[str], bool]) -> Rule:
    name, choices, negated = parts
    listed = ", ".join(f"'{choice}'" for choice in choices)

    def judge(household: Any) -> Any:
        return None if household[name] is None else (household[name] in choices) != negated

    return Rule(f"{name} {'NOT ' if negated else ''}IN ({listed})", judge)


def _is_null(parts: tuple[str, bool]) -> Rule:
    name, negated = parts
    return Rule(
        f"{name} IS {'NOT ' if negated else ''}NULL",
        lambda household: (household[name] is None) != negated,
    )


def _not(inner: Rule) -> Rule:
    def judge(household: Any) -> Any:
        value = inner.judge(household)
        return None if value is None else not value

    return Rule(f"NOT {inner.text}", judge)


def _joined(parts: tuple[str, list[Rule]]) -> Rule:
    word, inner = parts

    def judge(household: Any) -> Any:
        values = [rule.judge(household) for rule in inner]
        decisive = word == "OR"
        if decisive in values:
            return decisive
        return None if None in values else not decisive

    return Rule("(" + f" {word} ".join(rule.text for rule in inner) + ")", judge)


_CHOICES = {
    "poverty_status": ["poor-1", "poor-2", "at-risk", "not-poor"],
    "residence": ["phnom-penh", "urban", "rural"],
    "province_code": ["02", "12", "15", "25"],
}
_predicates = st.one_of(
    st.tuples(
        _number_terms(), st.sampled_from(["=", "<>", "<", "<=", ">", ">="]), st.integers(-3, 30)
    ).map(_comparison),
    st.tuples(_number_terms(), st.integers(-3, 9), st.integers(-3, 30), st.booleans()).map(
        _between
    ),
    st.sampled_from(sorted(_CHOICES)).flatmap(
        lambda name: st.tuples(
            st.just(name),
            st.lists(st.sampled_from(_CHOICES[name]), min_size=1, max_size=3),
            st.booleans(),
        ).map(_choice)
    ),
    st.tuples(
        st.sampled_from(["flood_hazard_index", "vulnerability_index", "members"]), st.booleans()
    ).map(_is_null),
)
_rules = st.recursive(
    st.one_of(_predicates, _predicates.map(_not)),
    lambda inner: st.tuples(
        st.sampled_from(["AND", "OR"]), st.lists(inner, min_size=2, max_size=3)
    ).map(_joined),
    max_leaves=8,
)


@pytest.fixture
async def registered(flow: Flow) -> list[dict[str, Any]]:
    """Random households in communes of every residence, with and without indexes."""
    chance = random.Random(1)
    communes = await flow.owner.fetch(
        "(SELECT * FROM registry.area WHERE residence = 'rural'"
        " AND flood_hazard_index IS NULL LIMIT 8)"
        " UNION ALL (SELECT * FROM registry.area WHERE code LIKE '12____' LIMIT 4)"
        " UNION ALL (SELECT * FROM registry.area WHERE code LIKE '02____' LIMIT 8)"
        " UNION ALL (SELECT * FROM registry.area WHERE residence = 'urban' LIMIT 8)"
    )
    given_rows: list[Row] = []
    for commune in {row["code"] for row in communes}:
        for row in rows(3, commune=commune):
            members = chance.randint(1, 9)
            features: dict[str, Any] = {
                name: chance.randint(0, min(members, 3))
                for name in ("children_0_5", "pregnant", "disabled", "elderly_60")
            }
            given_rows.append(
                Row(
                    row.registration_number,
                    commune,
                    chance.choice(_CHOICES["poverty_status"]),
                    members,
                    **features,
                )
            )
    await flow.register(given_rows)
    stored = await flow.owner.fetch(
        "SELECT household.*, area.*, left(area.code, 2) AS province_code, household.id AS id "
        "FROM registry.household JOIN registry.area ON area.code = household.area_code"
    )
    assert len(stored) == len(given_rows)
    return [dict(household) for household in stored]


async def test_postgresql_answers_what_the_rule_says(
    flow: Flow, registered: list[dict[str, Any]]
) -> None:
    database: Database = flow.service.app.state.database

    @settings(
        max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    @given(_rules)
    def collect(rule: Rule) -> None:
        examples.append(rule)

    examples: list[Rule] = []
    collect()
    async with database.transaction() as session:
        for rule in examples:
            condition = compile_rule(rule.text, attributes=HOUSEHOLD_ATTRIBUTES)
            found = await session.scalars(
                of_households(select(Household.id), having=[condition]), {"as_of": date(2026, 1, 1)}
            )
            meant = {household["id"] for household in registered if rule.judge(household) is True}
            assert set(found.all()) == meant, rule.text


async def test_texts_of_two_attributes_are_compared_as_texts(
    flow: Flow, registered: list[dict[str, Any]]
) -> None:
    database: Database = flow.service.app.state.database
    for text, expected in {
        "residence = poverty_status": 0,
        "poverty_status <> residence": len(registered),
        "commune_code <> residence": len(registered),
        "province_code = district_code": 0,
    }.items():
        condition = compile_rule(text, attributes=HOUSEHOLD_ATTRIBUTES)
        async with database.transaction() as session:
            found = await session.scalars(
                of_households(select(Household.id), having=[condition]), {"as_of": date(2026, 1, 1)}
            )
            assert len(found.all()) == expected, text
