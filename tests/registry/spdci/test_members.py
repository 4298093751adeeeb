"""Members of households, as SPDCI shows them and finds them."""

from datetime import date
from typing import Any

from services.registry.spdci.searches.records import household_of
from tests.registry.flow import Flow, rows
from tests.registry.people import Person, ids_of, store
from tests.registry.spdci.partner import Partner, search


def predicate(attribute: str, operator: str, value: Any) -> dict[str, Any]:
    return {
        "expression1": {
            "attribute_name": attribute,
            "operator": operator,
            "attribute_value": value,
        }
    }


def names(answer: dict[str, Any]) -> list[str]:
    assert answer["status"] == "succ", answer
    return [
        record["demographic_info"]["name"]["given_name"] for record in answer["data"]["reg_records"]
    ]


async def test_members_are_shown_in_their_household_and_found_by_themselves(flow: Flow) -> None:
    partner = await Partner(flow).registered()
    await flow.register([*rows(1), *rows(1, commune="020102", head_name="Only Counted")])
    (household_id,) = await ids_of(flow.owner, "020101")
    await store(
        flow,
        {
            household_id: [
                Person(name="Head Here"),
                Person(
                    name="Son Here",
                    relationship="child",
                    sex="male",
                    birth_date=date(2015, 2, 3),
                    disability=True,
                    id_number="010203049",
                    phone="+85510000009",
                    programmes=("covid-cash",),
                ),
            ]
        },
    )
    by_child = {
        "query_type": "idtype-value",
        "query": {"type": "UIN", "value": "010203049"},
    }
    (group,) = (await partner.found(**by_child))["data"]["reg_records"]
    assert group["group_size"] == 2
    assert group["group_head_info"]["demographic_info"]["name"]["given_name"] == "Head Here"
    _, child = group["member_list"]
    assert child["relationship_to_group"] == "child"
    assert child["demographic_info"]["sex"] == "male"
    assert child["demographic_info"]["birth_date"] == "2015-02-03"
    assert child["is_disabled"] is True
    assert {"name": "programmes", "value": ["covid-cash"]} in child["additional_attributes"]
    assert {each["identifier_value"] for each in child["member_identifier"]} == {
        "010203049",
        "+85510000009",
    }

    found = await partner.found(**by_child, response_entity="Member")
    assert names(found) == ["Son Here"]
    assert found["data"]["reg_records"] == [child]
    everywhere = predicate("location", "eq", "KH")
    for query, expected in (
        ([everywhere], ["Head Here", "Son Here", "Only Counted"]),
        ([everywhere, predicate("age", "lt", 18)], ["Son Here"]),
        ([predicate("sex", "eq", "female")], ["Head Here"]),
        ([predicate("is_disabled", "eq", True)], ["Son Here"]),
        ([predicate("programmes", "in", ["covid-cash", "other"])], ["Son Here"]),
        ([predicate("birth_date", "gt", "2010-01-01")], ["Son Here"]),
        ([predicate("group_size", "le", 2)], ["Head Here", "Son Here"]),
        ([predicate("residence", "in", ["urban", "rural", "phnom-penh"])],
         ["Head Here", "Son Here", "Only Counted"]),
    ):  # fmt: skip
        found = await partner.found(query_type="predicate", query=query, response_entity="Member")
        assert names(found) == expected
        assert found["pagination"]["total_count"] == len(expected)
    # By its own record each is known to be of its household, also a head who is no row.
    everyone = await partner.found(
        query_type="predicate", query=[everywhere], response_entity="Member"
    )
    (counted_id,) = await ids_of(flow.owner, "020102")
    assert [household_of(record) for record in everyone["data"]["reg_records"]] == [
        str(household_id),
        str(household_id),
        str(counted_id),
    ]
    assert household_of(group) == str(household_id)
    second = await partner.found(
        query_type="predicate",
        query=[everywhere],
        response_entity="Member",
        pagination={"page_size": 1, "page_number": 2},
    )
    assert names(second) == ["Son Here"]
    for order, expected in (
        ("asc", ["Head Here", "Son Here", "Only Counted"]),
        ("desc", ["Son Here", "Head Here", "Only Counted"]),
    ):
        sorted_ = await partner.found(
            query_type="predicate",
            query=[everywhere],
            response_entity="Member",
            sort=[{"attribute_name": "birth_date", "sort_order": order}],
        )
        assert names(sorted_) == expected
    said = await partner.search(
        search("age", query_type="predicate", query=[predicate("age", "lt", 18)])
    )
    (refused,) = said["message"]["search_response"]
    assert refused["status_reason_code"] == "rjct.filter.invalid"
