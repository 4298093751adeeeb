"""Schemes are versioned documents: what is refused, and what the shipped ones pay."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from services.registry.households.shape import COUNTED
from services.registry.households.tables import Household
from services.registry.members.statements import of_households
from services.registry.schemes.benefit import compile_benefit, components
from services.registry.schemes.document import SchemeDocument
from services.registry.schemes.shipped import SHIPPED_SCHEMES, shipped_document
from tests.registry.flow import Flow, Row
from tests.two_persons import CHECKER, approved


@pytest.mark.parametrize("code", SHIPPED_SCHEMES)
async def test_a_shipped_scheme_is_posted_as_it_is(empty: Flow, code: str) -> None:
    # Those that others name come first.
    for named in ("flood-2022", "routine-top-up"):
        if code != named:
            await empty.post_scheme(named)
    posted = await empty.post("/schemes", shipped_document(code))
    assert (posted["code"], posted["version"]) == (code, 1)
    assert posted["posted_by"] == "officer@test"
    assert (await empty.get(f"/schemes/{code}"))["document"] == posted["document"]


async def test_a_version_is_added_and_the_earlier_one_stays(empty: Flow) -> None:
    await empty.post_scheme()
    changed = shipped_document("flood-2022") | {"name": "Second"}
    second = await empty.post("/schemes/flood-2022/versions", changed)
    assert second["version"] == 2
    assert (await empty.get("/schemes/flood-2022"))["version"] == 2
    assert (await empty.get("/schemes/flood-2022/versions/1"))["document"]["name"] != "Second"
    versions = await empty.get("/schemes/flood-2022/versions", limit=1)
    assert [listed["version"] for listed in versions["items"]] == [2]
    rest = await empty.get("/schemes/flood-2022/versions", cursor=versions["next_cursor"])
    assert [listed["version"] for listed in rest["items"]] == [1]
    (in_force,) = (await empty.get("/schemes"))["items"]
    assert in_force == second


async def test_posting_a_scheme_twice_is_one_scheme(empty: Flow) -> None:
    document = shipped_document("flood-2022")
    key = empty.key()
    first = await empty.client.post("/schemes", json=document, headers=key)
    again = await empty.client.post("/schemes", json=document, headers=key)
    assert first.json() == again.json()
    assert (await empty.client.post("/schemes", json=document)).status_code == 400
    other = await empty.post("/schemes", document, status=202)
    async with empty.service.client(subject=CHECKER) as checker:
        first_of_two, second = [
            await checker.post(f"/approvals/{proposal['id']}/approval", json={"reason": "Read."})
            for proposal in (other, first.json())
        ]
    assert first_of_two.json()["outcome"] == "/v1/schemes/flood-2022/versions/1"
    assert second.status_code == 409
    assert "versions" in second.json()["detail"]
    await empty.post("/schemes", document, status=409)


async def test_a_scheme_is_in_force_when_a_second_person_approves_it(empty: Flow) -> None:
    proposal = await empty.post("/schemes", shipped_document("flood-2022"), status=202)
    assert proposal["what"].startswith("Put version 1 of the scheme 'flood-2022' in force.")
    assert (await empty.client.get("/schemes/flood-2022")).status_code == 404

    approval = f"/approvals/{proposal['id']}/approval"
    alone = await empty.client.post(approval, json={"reason": "I am sure."})
    assert alone.status_code == 409
    async with empty.service.client(subject="service:triggers") as machine:
        assert (await machine.post(approval, json={"reason": "No."})).status_code == 403
    await empty.owner.execute("UPDATE registry.approval SET evidence_by = '{involved@test}'")
    async with empty.service.client(subject="involved@test") as involved:
        answer = await involved.post(approval, json={"reason": "It is mine."})
    assert answer.status_code == 409
    assert "had no part in it" in answer.json()["detail"]
    assert (await empty.client.get("/schemes/flood-2022")).status_code == 404

    posted = await approved(empty.service.client(subject=CHECKER), proposal)
    assert posted["posted_by"] == "officer@test"
    assert posted == await empty.get("/schemes/flood-2022")


def _with(**changes: Any) -> dict[str, Any]:
    return shipped_document("flood-2022") | changes


_CASE = {"where": None, "base_minor": 1000}


@pytest.mark.parametrize(
    ("document", "part"),
    [
        (_with(eligibility="members = 1 OR pregnant = 1 AND disabled = 1"), "side by side"),
        (_with(eligibility="income < 3"), "not an attribute"),
        (_with(benefit=[{**_CASE, "where": "members >= '3'"}]), "compared with text"),
        (_with(benefit=[_CASE, {**_CASE, "where": "members = 1"}]), "no case can follow"),
        (_with(benefit=[{"base_minor": 0}]), "would get nothing"),
        (_with(benefit=[{**_CASE, "base_minor": -1}]), "greater than or equal to 0"),
        (_with(benefit=[{**_CASE, "base_minor": 10**12}]), "less than or equal"),
        (_with(benefit=[]), "at least 1 item"),
        (_with(rounds=[{"number": 2, "after_days": 0}]), "numbered 1, 2, 3"),
        (_with(rounds=[{"number": 1}]), "either after_days or due_on"),
        (_with(exclusions=[{"scheme": "x", "rounds": [9], "within_days": 1}]), "not: [9]"),
        (_with(overlapping="both"), "overlapping"),
        (_with(currency="riel"), "at most 3 characters"),
        (_with(surprise=1), "There is no such field"),
    ],
)
async def test_a_document_that_cannot_be_meant_is_refused(
    empty: Flow, document: dict[str, Any], part: str
) -> None:
    answer = await empty.client.post("/schemes", json=document, headers=empty.key())
    assert answer.status_code == 422
    assert part in answer.text


async def test_a_version_of_another_code_or_currency_is_refused(empty: Flow) -> None:
    await empty.post_scheme()
    other = _with(code="flood-2023")
    await empty.post("/schemes/flood-2022/versions", other, status=409)
    await empty.post("/schemes/flood-2022/versions", _with(currency="USD"), status=409)
    await empty.post("/schemes/nothing/versions", _with(code="nothing"), status=404)


# The announced amounts of 2022, in riel: see the documents' notes and NOTICE.
FLOOD = {(1, 0, 0, 0): 96_000, (5, 1, 0, 1): 192_000, (4, 0, 1, 0): 160_000}
INFLATION = {
    "120101": {1: 99_900, 4: 183_900},
    "010602": {1: 87_300, 4: 159_300},
    "010201": {1: 81_300, 4: 141_300},
}


async def test_amounts_are_those_that_were_announced(flow: Flow) -> None:
    flood, inflation = (
        SchemeDocument.model_validate(shipped_document(code))
        for code in ("flood-2022", "inflation-2022")
    )
    given: dict[str, tuple[SchemeDocument, int]] = {}
    registered: list[Row] = []
    for (members, children, disabled, elderly), amount in FLOOD.items():
        number = f"F-{members}{children}{disabled}{elderly}"
        given[number] = (flood, amount)
        registered.append(
            Row(
                number,
                members=members,
                children_0_5=children,
                disabled=disabled,
                elderly_60=elderly,
            )
        )
    for commune, amounts in INFLATION.items():
        for members, amount in amounts.items():
            number = f"I-{commune}-{members}"
            given[number] = (inflation, amount)
            registered.append(Row(number, commune, members=members, children_0_5=0))
    await flow.register(registered)
    for number, (document, amount) in given.items():
        household_id = await flow.household_id(number)
        benefit = compile_benefit(document)
        async with flow.service.app.state.database.transaction() as session:
            row = (
                await session.execute(
                    of_households(
                        select(Household, benefit.case_number, benefit.amount_minor),
                        having=[Household.id == household_id],
                    ),
                    {"as_of": date(2026, 1, 1)},
                )
            ).one()
        assert row[2] == amount, number
        household = row[0]
        counts = {field.name: getattr(household, field.name) for field in COUNTED}
        parts = components(document.benefit[row[1] - 1], counts)
        assert sum(part.amount_minor for part in parts) == amount
