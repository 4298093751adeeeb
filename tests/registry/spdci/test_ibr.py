"""The integrated beneficiary registry: who is enrolled in what, and what others tell of it."""

from typing import Any

from tests.registry.flow import BATTAMBANG, Flow, rows
from tests.registry.people import Person, ids_of, store
from tests.registry.spdci.partner import Partner

SCOPES = ("spdci:beneficiaries", "households:read-personal")
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
    assert await enrolled("010203049") == "succ no"
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
