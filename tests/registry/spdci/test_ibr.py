"""The integrated beneficiary registry: who is enrolled in what, and what others tell of it."""

from datetime import date
from typing import Any
from uuid import UUID

from services.registry.spdci.searches.records import household_of
from tests.registry.flow import BATTAMBANG, Flow, rows
from tests.registry.people import Person, ids_of, store
from tests.registry.spdci.partner import Partner

SCOPES = ("spdci:beneficiaries", "households:read-personal")
SORT = ("attribute_name", "sort_order")
SYNC = "/spdci/ibr/registry/sync"


def criteria(**given: Any) -> dict[str, Any]:
    return {
        "reference_id": "1",
        "timestamp": "2026-11-29T09:30:00+07:00",
        "search_criteria": {"version": "1.0.0", **given},
    }


async def found(partner: Partner, **given: Any) -> dict[str, Any]:
    message = {"transaction_id": "t", "search_request": [criteria(**given)]}
    answer = await partner.send(f"{SYNC}/search", partner.envelope("search", 1, message))
    (said,) = answer.json()["message"]["search_response"]
    return dict(said)


def predicate(attribute: str, operator: str, value: Any) -> dict[str, Any]:
    return {
        "query_type": "predicate",
        "query": [
            {
                "expression1": {
                    "attribute_name": attribute,
                    "operator": operator,
                    "attribute_value": value,
                }
            }
        ],
    }


def expression(**query: Any) -> dict[str, Any]:
    return {"query_type": "expression", "query": query}


async def test_beneficiaries_are_found_by_their_members_sorted_and_paged(working: Flow) -> None:
    """Every search is held against the answers worked out here, by the records of all."""
    flow = working
    partner = await Partner(flow, scopes=SCOPES).registered()
    given = [
        *rows(1, head_name="A"),
        *rows(1, begin=1, head_name="C"),
        *rows(1, commune="150101", head_name="D", poverty_status="poor-2"),
    ]
    await flow.register(given)
    first, second, far = [UUID(await flow.household_id(row.registration_number)) for row in given]
    cash, meals = ("covid-cash",), ("covid-cash", "school-meals")
    await store(
        flow,
        {
            first: [Person(name="A", programmes=cash), Person(
                name="B", relationship="child", sex="male", birth_date=date(2018, 3, 1),
                schooling="primary", disability=True, programmes=meals)],
            second: [Person(name="C", birth_date=None, programmes=cash,
                            pregnancy_due_on=date(2026, 4, 1))],
            far: [Person(name="D", birth_date=date(1950, 1, 1), sex="male", programmes=cash)],
        },
    )  # fmt: skip
    await flow.worked(await flow.open(BATTAMBANG))

    async def names(sort: Any = None, **criteria: Any) -> list[str]:
        given = {} if sort is None else {"sort": [dict(zip(SORT, each.split(), strict=True))
                                                  for each in sort]}  # fmt: skip
        answer = await found(partner, **criteria, **given)
        assert answer["status"] == "succ", answer
        told = answer["data"]["reg_records"]
        assert answer["pagination"]["total_count"] == len(told)
        return [
            each["assistance_unit"][0]
            + each["member"]["demographic_info"]["name"]["given_name"]
            + each["member"]["programme_identifier"]["programme"]["programme_identifier"][0]
            for each in told
        ]

    everyone = predicate("location", "eq", "KH")
    whole = await names(**everyone)
    assert sorted(whole) == ["hAf", "hCf", "iAc", "iBc", "iBs", "iCc", "iDc"]
    for query, expected in (
        ({"age": {"$lt": 18}}, {"iBc", "iBs"}),
        ({"age": {"$ge": 60}}, {"iDc"}),
        ({"sex": "male"}, {"iBc", "iBs", "iDc"}),
        ({"is_disabled": True}, {"iBc", "iBs"}),
        ({"is_pregnant": True}, {"iCc"}),
        ({"relationship": "child"}, {"iBc", "iBs"}),
        ({"schooling": "primary"}, {"iBc", "iBs"}),
        ({"birth_date": {"$lt": "1960-01-01"}}, {"iDc"}),
        ({"programmes": {"$in": ["school-meals"]}}, {"iBc", "iBs"}),
        ({"$not": {"age": {"$lt": 18}}}, {"iAc", "iDc"}),
        ({"$or": [{"age": {"$ge": 60}}, {"pregnant": {"$ge": 1}}]}, {"iDc", "hCf", "iCc"}),
        ({"$and": [{"sex": "male"}, {"poverty_status": "poor-2"}]}, {"iDc"}),
        ({"$and": [{"group_size": {"$ge": 2}}, {"sex": "female"}]}, {"iAc"}),
        ({"programme_identifier": "school-meals", "age": {"$ge": 18}}, set()),
    ):
        assert set(await names(**expression(**query))) == expected, query

    by_birth = await names(["birth_date asc"], **everyone)
    assert [each for each in by_birth if each in ("iDc", "iAc", "iBc", "iBs")] == [
        "iDc", "iAc", "iBc", "iBs"]  # fmt: skip
    assert by_birth[:1] == ["iDc"]
    assert set(by_birth[-3:]) == {"hAf", "hCf", "iCc"}, "whose birth date is not known comes last"
    assert set((await names(["birth_date desc"], **everyone))[-3:]) == {"hAf", "hCf", "iCc"}
    assert (await names(["poverty_status desc"], **everyone))[0] == "iDc"
    assert (await names(["location desc"], **everyone))[0] == "iDc"
    by_code = await names(["programme_identifier desc", "birth_date desc"], **everyone)
    assert by_code[0] == "iBs"
    assert set(by_code[1:3]) == {"hAf", "hCf"}
    assert by_code[3:] == ["iBc", "iAc", "iDc", "iCc"]
    for sort in (["enrolment_status asc"], ["enrolment_date desc"], ["last_updated asc"]):
        assert sorted(await names(sort, **everyone)) == sorted(whole)

    pages = [
        await found(
            partner,
            **everyone,
            sort=[{"attribute_name": "programme_identifier", "sort_order": "desc"}],
            pagination={"page_size": 3, "page_number": number},
        )
        for number in (1, 2, 3, 4)
    ]
    ids = [[each["@id"] for each in page["data"]["reg_records"]] for page in pages]
    assert [len(page) for page in ids] == [3, 3, 1, 0]
    assert len({id for page in ids for id in page}) == 7
    told = [each for page in pages for each in page["data"]["reg_records"]]
    assert {household_of(each) for each in told} == {str(first), str(second), str(far)}

    asked = {"consent": {"purpose": {"code": "x"}}, "authorize": {}}
    assert await names(**everyone, **asked) == whole
    for wrong, code in (
        ({"version": "2.0.0"}, "rjct.search_criteria.invalid"),
        ({"consent": "yes"}, "rjct.search_criteria.invalid"),
        ({"authorize": []}, "rjct.search_criteria.invalid"),
        ({"reg_event_type": "Deregister"}, "rjct.search_criteria.invalid"),
        ({"query_type": "graphql"}, "rjct.search_criteria.invalid"),
        ({"sort": [{"attribute_name": "group_size"}]}, "rjct.sort.invalid"),
        ({"sort": "location"}, "rjct.sort.invalid"),
        ({"pagination": {"page_size": 0}}, "rjct.pagination.invalid"),
        (expression(name="A"), "rjct.filter.invalid"),
        (expression(age={"$lt": "x"}), "rjct.filter.invalid"),
    ):
        refused = await found(partner, **(everyone | wrong))
        assert (refused["status"], refused["status_reason_code"]) == ("rjct", code), wrong
    # Who may not see persons asks nothing of one.
    partner.scopes = SCOPES[:1]
    refused = await found(partner, **expression(sex="male"))
    assert refused["status_reason_code"] == "rjct.filter.invalid"
    assert (await found(partner, **everyone))["pagination"]["total_count"] == 2


async def test_who_is_enrolled_in_what_is_told_and_taken(working: Flow) -> None:
    flow = working
    partner = await Partner(flow, scopes=SCOPES).registered()
    await flow.register([*rows(2), *rows(1, commune="150101")])
    enrolled_id, _ = await ids_of(flow.owner, "020101")
    (far,) = await ids_of(flow.owner, "150101")
    await store(
        flow,
        {
            enrolled_id: [Person(programmes=("covid-cash",), id_number="010203041")],
            far: [Person(name="Far Away", id_number="010203042")],
        },
    )
    activation_id = await flow.open(BATTAMBANG)
    await flow.worked(activation_id)

    all_of_them = (await found(partner, **predicate("location", "eq", "KH")))["data"]["reg_records"]
    assert len(all_of_them) == 3
    of_scheme = [each for each in all_of_them if each["assistance_unit"] == "household"]
    assert len(of_scheme) == 2
    told = of_scheme[0]["member"]["programme_identifier"]
    assert told["programme"]["programme_identifier"] == "flood-2022"
    assert told["enrolment_status"] == "Active"
    assert told["benefits"][0]["benefit_value"].startswith("KHR ")
    (single,) = (await found(partner, **predicate("programme_identifier", "eq", "covid-cash")))[
        "data"
    ]["reg_records"]
    assert single["assistance_unit"] == "individual"
    by_number = {"query_type": "idtype-value", "query": {"type": "UIN", "value": "010203041"}}
    assert (await found(partner, **by_number))["pagination"]["total_count"] == 2
    large = await found(partner, **predicate("group_size", "ge", 4))
    assert large["pagination"]["total_count"] == 1
    partner.scopes = SCOPES[:1]
    unseen = await found(partner, **predicate("location", "eq", "KH"))
    assert unseen["pagination"]["total_count"] == 2
    assert "Chanthy" not in str(unseen)
    partner.scopes = SCOPES

    async def enrolled(number: str, code: str | None = None) -> str:
        query: dict[str, Any] = {"person_identifier": {"eq": number}}
        if code:
            query["programme_identifier.program.programme_identifier"] = {"eq": code}
        message = {
            "transaction_id": "t",
            "enrolled_criteria": {"query_type": "idtype-value", "query": query},
        }
        answer = await partner.send(f"{SYNC}/enrolled", partner.envelope("search", 1, message))
        (said,) = answer.json()["message"]["enrolled_response"]
        return f"{said['status']} {said['enrolled_status']}"

    assert await enrolled("010203041", "flood-2022") == "succ yes"
    assert await enrolled("010203041", "covid-cash") == "succ yes"
    assert await enrolled("010203042") == "succ no"
    # Who is not known is not said to be in nothing.
    assert await enrolled("010203049") == "rjct no"
    assert await enrolled("?") == "rjct no"

    def update(number: str, code: str, status: str = "Active") -> dict[str, Any]:
        return {
            "member": {
                "demographic_info": {
                    "person": {"identifier_type": "NationalID", "identifier_value": number}
                },
                "programme_identifier": {
                    "programme": {"programme_identifier": code},
                    "enrolment_status": status,
                },
            }
        }

    async def updated(*beneficiaries: dict[str, Any]) -> list[dict[str, Any]]:
        message = {
            "transaction_id": "t",
            "enrolled_updates": {"beneficiaries": list(beneficiaries)},
        }
        envelope = partner.envelope("notify", 1, message, status="succ", total_count=None)
        answer = await partner.send(f"{SYNC}/enrollment/updates", envelope)
        assert answer.status_code == 200, answer.text
        return list(answer.json()["message"]["enrolled_response"])

    answers = await updated(
        update("010203042", "covid-cash"),
        update("010203041", "covid-cash", "Exited"),
        update("010203049", "covid-cash"),
        update("010203042", "no-such-programme"),
        {"member": 7},
    )
    assert [each["status"] for each in answers] == ["succ", "pdng", "rjct", "rjct", "rjct"]
    assert "Nobody is registered" in answers[2]["status_reason_message"]
    assert await enrolled("010203042", "covid-cash") == "succ yes"
    source = await flow.owner.fetchval(
        "SELECT asked_by FROM registry.member_change WHERE made_at IS NOT NULL"
    )
    assert source == "ministry-of-tests"
    (answer,) = await updated(update("010203042", "covid-cash", "Exited"))
    assert answer["status"] == "succ"
    assert await enrolled("010203042", "covid-cash") == "succ no"
