"""The social registry of SPDCI, searched at once: numbers, expressions, predicates and pages."""

from typing import Any

import pytest

from tests.registry.flow import Flow, rows
from tests.registry.spdci.partner import Partner, search


@pytest.fixture
async def partner(flow: Flow) -> Partner:
    return await Partner(flow).registered()


def predicate(attribute: str, operator: str, value: Any) -> dict[str, Any]:
    return {"attribute_name": attribute, "operator": operator, "attribute_value": value}


def sizes(answer: dict[str, Any]) -> list[int]:
    return [record["group_size"] for record in answer["data"]["reg_records"]]


async def test_households_are_found_as_the_standard_asks(flow: Flow, partner: Partner) -> None:
    await flow.register(
        [
            *rows(3, members=4),
            *rows(2, begin=10, members=7, poverty_status="poor-2"),
            *rows(1, commune="150101", members=2, phone="012345678", id_number="010203045"),
        ]
    )
    by_number = await partner.found(
        query_type="idtype-value", query={"type": "ns:UIN", "value": "010203045"}
    )
    (record,) = by_number["data"]["reg_records"]
    assert record["group_size"] == 2
    assert record["place"]["identifier"] == "150101"
    assert record["group_head_info"]["demographic_info"]["name"]["given_name"] == "Sok Chanthy"
    assert {i["identifier_value"] for i in record["group_head_info"]["member_identifier"]} == {
        "010203045",
        "+85512345678",
    }
    household_id = record["group_identifier"][0]["identifier_value"]
    again = await partner.found(
        query_type="idtype-value", query={"type": "HOUSEHOLD_ID", "value": household_id}
    )
    assert again["data"] == by_number["data"]

    expression = {
        "type": "ns:org:QueryType:expression",
        "value": {
            "expression": {
                "collection": "Group",
                "query": {
                    "$and": [{"location": {"$eq": "02"}}, {"poverty_status": {"$eq": "poor-2"}}]
                },
            }
        },
    }
    assert sizes(await partner.found(query_type="expression", query=expression)) == [7, 7]

    large = {"expression1": predicate("group_size", "ge", 7)}
    small_or_far = {
        "expression1": predicate("group_size", "lt", 4),
        "condition": "or",
        "expression2": predicate("location", "in", ["1501", "25"]),
    }
    not_poor_two = {
        "expression1": predicate("location", "eq", "KH"),
        "condition": "not",
        "expression2": predicate("poverty_status", "eq", "poor-2"),
    }
    for query, expected in (
        ([large], [7, 7]),
        ([small_or_far], [2]),
        ([not_poor_two], [4, 4, 4, 2]),
        ([large, not_poor_two], []),
    ):
        found = await partner.found(query_type="predicate", query=query)
        assert sizes(found) == expected
        assert found["pagination"]["total_count"] == len(expected)

    everywhere = [{"expression1": predicate("location", "eq", "KH")}]
    pages = [
        await partner.found(
            query_type="predicate",
            query=everywhere,
            sort=[{"attribute_name": "group_size", "sort_order": "desc"}],
            pagination={"page_size": 4, "page_number": number},
        )
        for number in (1, 2, 3)
    ]
    assert [sizes(page) for page in pages] == [[7, 7, 4, 4], [4, 2], []]
    assert {page["pagination"]["total_count"] for page in pages} == {6}


async def test_who_may_not_see_persons_sees_none_and_learns_nothing_of_their_health(
    flow: Flow, partner: Partner
) -> None:
    await flow.register(rows(1, members=3, pregnant=1, disabled=1))
    partner.scopes = ("spdci:social",)
    everywhere = [{"expression1": predicate("location", "eq", "KH")}]
    found = await partner.found(query_type="predicate", query=everywhere)
    (record,) = found["data"]["reg_records"]
    assert "Chanthy" not in str(found)
    assert "group_head_info" not in record
    assert {told["name"] for told in record["additional_attributes"]} == {
        "poverty_status",
        "commune_code",
        "children_0_5",
        "elderly_60",
    }
    for query, entity in (
        ([{"expression1": predicate("pregnant", "ge", 1)}], "Group"),
        (everywhere, "Member"),
    ):
        refused = await partner.found(query_type="predicate", query=query, response_entity=entity)
        assert refused["status"] == "rjct"
    partner.scopes = ("spdci:social", "households:read-personal")
    found = await partner.found(
        query_type="predicate", query=[{"expression1": predicate("pregnant", "ge", 1)}]
    )
    assert sizes(found) == [3]
    shown = await flow.owner.fetchval(
        "SELECT count(*) FROM registry.audit_record WHERE unmasked_read AND subject = $1",
        "ministry-of-tests",
    )
    assert shown == 1


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"reference_id": ""}, "rjct.reference_id.invalid"),
        ({"reference_id": 7}, "rjct.reference_id.invalid"),
        ({"timestamp": "2026-11-29T09:00:00"}, "rjct.timestamp.invalid"),
        ({"search_criteria": []}, "rjct.search_criteria.invalid"),
        ({"query_type": "graphql"}, "rjct.search_criteria.invalid"),
        ({"response_entity": "Household"}, "rjct.search_criteria.invalid"),
        ({"query": []}, "rjct.filter.invalid"),
        ({"query": [{"expression1": predicate("name", "eq", "Sok")}]}, "rjct.filter.invalid"),
        ({"query": [{"expression1": predicate("location", "gt", "02")}]}, "rjct.filter.invalid"),
        ({"query": [{"expression1": predicate("location", "eq", "2'")}]}, "rjct.filter.invalid"),
        ({"query": [{"expression1": predicate("members", "ge", "NaN")}]}, "rjct.filter.invalid"),
        ({"query": [{"expression1": predicate("members", "ge", True)}]}, "rjct.filter.invalid"),
        (
            {"query": [{"expression1": predicate("poverty_status", "eq", "rich")}]},
            "rjct.filter.invalid",
        ),
        (
            {"query_type": "idtype-value", "query": {"type": "BRN", "value": "1"}},
            "rjct.filter.invalid",
        ),
        (
            {"query_type": "idtype-value", "query": {"type": "UIN", "value": "x" * 10_000}},
            "rjct.filter.invalid",
        ),
        (
            {"query_type": "expression", "query": {"$and": [{"members": {"$regex": "."}}]}},
            "rjct.filter.invalid",
        ),
        ({"sort": [{"attribute_name": "name"}]}, "rjct.sort.invalid"),
        ({"sort": [{"attribute_name": "members", "sort_order": "up"}]}, "rjct.sort.invalid"),
        ({"pagination": {"page_number": 2}}, "rjct.pagination.invalid"),
        ({"pagination": {"page_size": 5_000}}, "rjct.pagination.invalid"),
        ({"pagination": {"page_size": 1_000, "page_number": 101}}, "rjct.pagination.invalid"),
    ],
)
async def test_a_search_that_is_wrong_says_so_and_the_others_are_answered(
    partner: Partner, changes: dict[str, Any], code: str
) -> None:
    everywhere = [{"expression1": predicate("location", "eq", "KH")}]
    good = search("good", query_type="predicate", query=everywhere)
    wrong = search("wrong", query_type="predicate", query=everywhere)
    for name, value in changes.items():
        (wrong if name in wrong else wrong["search_criteria"])[name] = value
    said = await partner.search(wrong, good)
    first, second = said["message"]["search_response"]
    assert (first["status"], first["status_reason_code"]) == ("rjct", code)
    assert first["status_reason_message"]
    assert second["status"] == "succ"
    assert said["header"]["status"] == "succ"


async def test_two_searches_of_one_reference_are_both_refused(partner: Partner) -> None:
    query = {"type": "UIN", "value": "010203045"}
    same = search("1", query_type="idtype-value", query=query)
    said = await partner.search(same, same)
    assert [answer["status_reason_code"] for answer in said["message"]["search_response"]] == [
        "rjct.reference_id.duplicate"
    ] * 2
    assert said["header"]["status"] == "rjct"
