"""Why a household is in or out: in words, by the rule's clauses, and never against the SQL."""

import re
from typing import Any

from hypothesis import HealthCheck, given, settings
from sqlalchemy import select

from services.registry.decisions import repository
from services.registry.households.tables import Household
from services.registry.members.statements import of_households
from services.registry.rules.attributes import HOUSEHOLD_ATTRIBUTES
from services.registry.rules.clauses import clauses_of, judge
from services.registry.rules.compiler import compile_rule
from services.registry.rules.wording import CHOICES
from shared.database import Database
from shared.ids import new_id
from tests.conftest import NOON
from tests.registry.flow import BATTAMBANG, PURSAT, Flow, rows
from tests.registry.test_rules import Rule, _rules
from tests.registry.test_rules import registered as registered
from tests.server import eventually

KHMER = re.compile(r"[\u1780-\u17ff]")


def test_every_attribute_and_every_choice_is_called_something_in_both_languages() -> None:
    for attribute in HOUSEHOLD_ATTRIBUTES.values():
        assert attribute.words.english
        assert KHMER.search(attribute.words.khmer)
        for choice in attribute.allowed or ():
            assert KHMER.search(CHOICES[choice].km)


async def test_an_explanation_says_what_the_sql_says(
    flow: Flow, registered: list[dict[str, Any]]
) -> None:
    """For made-up rules and households; and each clause, put back together, is the rule."""
    database: Database = flow.service.app.state.database

    @settings(
        max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    @given(_rules)
    def collect(rule: Rule) -> None:
        examples.append(rule)

    examples: list[Rule] = []
    collect()
    # What is not known makes no difference beside what decides it anyway.
    unknown = "flood_hazard_index >= 0"
    for other in ("members >= 1", "members < 1"):
        for joint in ("AND", "OR"):
            examples.append(Rule(f"{unknown} {joint} {other}", None))
            examples.append(Rule(f"(NOT {unknown} {joint} {other}) AND members >= 1", None))
    some = registered[:: max(1, len(registered) // 5)]
    some.append(next(found for found in registered if found["flood_hazard_index"] is None))
    async with database.transaction() as session:
        for rule in examples:
            clause = clauses_of(rule.text, attributes=HOUSEHOLD_ATTRIBUTES)
            again = clauses_of(clause.text, attributes=HOUSEHOLD_ATTRIBUTES)
            assert again.text == clause.text
            assert clause.words.en
            assert clause.words.km
            condition = compile_rule(rule.text, attributes=HOUSEHOLD_ATTRIBUTES)
            for household in some:
                answers = await repository.ask(session, household["id"], clause, as_of=NOON.date())
                judged = judge(clause, iter(answers.holds))
                meant = await session.scalar(
                    of_households(select(condition).where(Household.id == household["id"])),
                    {"as_of": NOON.date()},
                )
                assert judged.holds is meant, rule.text
                known = household.keys() & answers.values.keys()
                assert {name: household[name] for name in known} == {
                    name: answers.values[name] for name in known
                }


async def test_a_household_is_told_why_it_is_in_or_out_of_an_activation(working: Flow) -> None:
    rule = "poverty_status IN ('poor-1', 'poor-2') AND (children_0_5 >= 1 OR disabled >= 1)"
    await working.post_scheme("inflation-2022", exclusions=[], eligibility=rule)
    await working.register(
        [
            *rows(1, begin=1),
            *rows(1, begin=2, poverty_status="not-poor"),
            *rows(1, begin=3, account="", provider_code=""),
            *rows(1, begin=4, children_0_5=0),
            *rows(1, commune="150101"),
        ]
    )
    numbers = {
        name: await working.household_id(number)
        for name, number in {
            "in": "KH-020101-000001",
            "rich": "KH-020101-000002",
            "unpaid": "KH-020101-000003",
            "childless": "KH-020101-000004",
            "elsewhere": "KH-150101-000000",
        }.items()
    }
    activation_id = await working.open(BATTAMBANG, scheme="inflation-2022")
    await working.worked(activation_id)

    async def why(name: str) -> dict[str, Any]:
        path = f"/activations/{activation_id}/households/{numbers[name]}/decision"
        found: dict[str, Any] = await working.get(path)
        assert KHMER.search(found["words"]["km"])
        return found

    found = await why("in")
    assert (found["verdict"], found["because"]) == ("in", "enrolled")
    assert found["eligibility"]["held"] is True
    poverty, either = found["eligibility"]["parts"]
    assert poverty["values"][0]["value"] == "poor-1"
    assert {value["as_of"] for value in poverty["values"]} == {"enrolment"}
    assert [part["held"] for part in either["parts"]] == [True, False]
    assert [(row["number"], row["status"]) for row in found["rounds"]] == [
        (1, "ready"),
        (2, None),
        (3, None),
    ]
    assert "Round 1: It is on its way. Round 2: It is not worked out yet" in found["words"]["en"]

    found = await why("rich")
    assert (found["verdict"], found["because"]) == ("out", "rule-not-met")
    assert "scheme 'inflation-2022', version 1, does not hold" in found["words"]["en"]
    assert "here: Poverty status by IDPoor not poor (not-poor)." in found["words"]["en"]
    assert "children" not in found["words"]["en"]
    assert "មិនក្រីក្រ" in found["words"]["km"]

    found = await why("unpaid")
    assert (found["verdict"], found["rounds"][0]["reason"]) == ("in", "no-payee-account")
    assert "It has no account to be paid to." in found["words"]["en"]

    found = await why("childless")
    assert "Members aged 0 to 5 is at least 1; here: Members aged 0 to 5 0." in found["words"]["en"]
    assert "Members with a disability is at least 1; here: " in found["words"]["en"]
    # What is known of health is shown to whoever may see persons.
    async with working.service.client("households:read") as officer:
        answer = await officer.get(
            f"/activations/{activation_id}/households/{numbers['childless']}/decision"
        )
    shown = answer.json()
    assert "Members with a disability is at least 1." in shown["words"]["en"]
    either = shown["eligibility"]["parts"][1]
    assert [part["held"] for part in either["parts"]] == [False, None]
    assert either["parts"][1]["values"][0] == {
        "name": "disabled",
        "words": {"en": "Members with a disability", "km": "ជនមានពិការភាព"},
        "value": None,
        "value_words": {"en": "hidden", "km": "លាក់"},
        "as_of": "now",
        "hidden": True,
    }

    found = await why("elsewhere")
    assert (found["verdict"], found["because"]) == ("out", "area-not-reached")

    # What is changed afterwards does not change what was decided, nor what it was decided by.
    await working.register(
        [
            *rows(1, begin=1, poverty_status="not-poor", children_0_5=0),
            *rows(1, begin=2, poverty_status="poor-2"),
            *rows(1, begin=9),
        ]
    )
    found = await why("in")
    assert (found["verdict"], found["eligibility"]["held"]) == ("in", True)
    found = await why("rich")
    assert (found["verdict"], found["because"]) == ("out", "registered-after")

    everything = await working.get(f"/households/{numbers['in']}/decisions")
    assert [(row["scheme"], row["verdict"]) for row in everything["schemes"]] == [
        ("flood-2022", "out"),
        ("inflation-2022", "out"),
    ]
    assert [row["verdict"] for row in everything["items"]] == ["in"]
    assert (await working.client.get(f"/households/{new_id()}/decisions")).status_code == 404


async def test_a_filter_that_leaves_a_commune_out_is_told(working: Flow) -> None:
    await working.register([*rows(1), *rows(1, commune="150101")])
    activation_id = await working.open(
        "02", PURSAT, area_filter="province_code = '02' AND members_of_nothing = 1"
    )

    async def here() -> bool:
        return (await working.client.get(f"/activations/{activation_id}")).status_code == 200

    await eventually(here)
    household = await working.household_id("KH-150101-000000")
    path = f"/activations/{activation_id}/households/{household}/decision"
    found = await working.get(path)
    assert found["because"] == "nobody-enrolled"
    assert "Its area filter cannot be used" in found["words"]["en"]

    other = await working.open("02", PURSAT, area_filter="province_code = '02'")
    await working.worked(other)
    found = await working.get(f"/activations/{other}/households/{household}/decision")
    assert found["because"] == "area-not-reached"
    assert "It asks that Province is 02; here: Province 15." in found["words"]["en"]
    assert found["area_filter"]["held"] is False
    assert found["eligibility"]["held"] is True
