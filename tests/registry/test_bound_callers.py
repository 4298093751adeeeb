"""A caller who is bound to a district is told nothing of another, by whatever they ask."""

from typing import Any
from uuid import UUID

import httpx

from tests.registry.flow import Flow, rows
from tests.registry.people import Person, store
from tests.registry.spdci.partner import Partner, search
from tests.test_bound_callers import NARROWED

HERE, ELSEWHERE = "0201", "150101"
_EVERYWHERE = [
    {
        "expression1": {
            "attribute_name": "location",
            "operator": "eq",
            "attribute_value": "KH",
        }
    }
]
NAME, PHONE = "Keo Sopheap", "+85598111222"


async def _registered(flow: Flow) -> tuple[list[str], list[str]]:
    """The ids of three households here, and of seven elsewhere, all of them enrolled."""
    elsewhere = rows(7, commune=ELSEWHERE, head_name=NAME, phone=PHONE, id_number="999000111")
    await flow.register([*rows(3), *elsewhere])
    activation_id = await flow.open("02", "15")
    await flow.worked(activation_id)
    found = [
        [
            str(row["id"])
            for row in await flow.owner.fetch(
                "SELECT id FROM registry.household WHERE area_code = $1 ORDER BY id", commune
            )
        ]
        for commune in ("020101", ELSEWHERE)
    ]
    people = {UUID(ids[0]): [Person(), Person(relationship="child")] for ids in found}
    await store(flow, people)
    return found[0], found[1]


def _asked(
    here: str, there: str, member: str, entitlements: tuple[str, str]
) -> dict[str, list[tuple[str, Any]]]:
    """Everything that is asked, by operation: about here, about there and about both."""
    account = {"provider_code": "mekong", "account": "+85512999888"}
    added = {"name": "Sok New", "sex": "female", "relationship": "child", "birth_date": None}
    lines = [{"number": at, "entitlement_id": id} for at, id in enumerate(entitlements, start=1)]
    sheet = {"list_code": "000012-0A6F5B21", "lines": lines}
    return {
        "GET /v1/households": [
            ("/households", None),
            ("/households?area=KH&limit=500", None),
            ("/households?area=15", None),
            (f"/households?area={ELSEWHERE}&poverty_status=poor-1", None),
        ],
        "POST /v1/households/search": [
            ("/households/search", {"phone": PHONE}),
            ("/households/search", {"id_number": "999000111"}),
            ("/households/search", {"registration_number": f"KH-{ELSEWHERE}-000000"}),
        ],
        "GET /v1/household-exports": [
            (f"/household-exports?what={what}&format={format}&persons=true", None)
            for what in ("households", "members")
            for format in ("csv", "ndjson")
        ]
        + [("/household-exports?area=15", None)],
        "POST /v1/households/search-by-name": [
            ("/households/search-by-name", {"name": NAME}),
            ("/households/search-by-name", {"name": NAME, "area": ELSEWHERE}),
        ],
        "GET /v1/households/{household_id}": [
            (f"/households/{there}", None),
            (f"/households/{here}", None),
        ],
        "GET /v1/households/{household_id}/members": [
            (f"/households/{there}/members", None),
            (f"/households/{here}/members", None),
        ],
        "POST /v1/households/{household_id}/members": [(f"/households/{there}/members", added)],
        "PATCH /v1/households/{household_id}/members/{member_id}": [
            (f"/households/{there}/members/{member}", {"disability": True})
        ],
        "PUT /v1/households/{household_id}/payee-account": [
            (f"/households/{there}/payee-account", account)
        ],
        "GET /v1/households/{household_id}/entitlements": [
            (f"/households/{there}/entitlements", None),
            (f"/households/{here}/entitlements", None),
        ],
        "GET /v1/entitlements": [(f"/entitlements?household_id={there}", None)],
        "GET /v1/entitlements/{entitlement_id}": [
            (f"/entitlements/{id}", None) for id in entitlements
        ],
        "POST /v1/name-sheets": [("/name-sheets", sheet)],
        "POST /v1/name-sheets/pdf": [("/name-sheets/pdf", sheet)],
    }


async def test_nothing_of_another_district_is_told_to_who_is_bound_to_one(working: Flow) -> None:
    here, there = await _registered(working)
    known = await working.owner.fetch("SELECT id, household_id FROM registry.entitlement")
    entitlement = {str(row["household_id"]): str(row["id"]) for row in known}
    members = await working.owner.fetch("SELECT id, household_id FROM registry.member")
    member = next(str(row["id"]) for row in members if str(row["household_id"]) == there[0])
    asked = _asked(here[0], there[0], member, (entitlement[here[0]], entitlement[there[0]]))
    secret = {
        *there,
        *(entitlement[id] for id in there),
        *(str(row["id"]) for row in members if str(row["household_id"]) in there),
        ELSEWHERE,
        NAME,
        PHONE,
        "999000111",
    }
    state = await _state(working, there[0])

    assert asked.keys() == NARROWED["registry"]
    seen = {}
    async with working.service.client(areas=[HERE]) as bound, working.service.client() as free:
        for operation, calls in asked.items():
            method = operation.split()[0]
            for path, body in calls:
                answer = await _ask(bound, working, method, path, body)
                text = answer.text.replace(path.split("?")[0], "")
                assert answer.status_code < 500, (operation, text)
                assert not [value for value in secret if value in text], (operation, path, text)
                seen[operation, path] = answer
        for path in (f"/households/{there[0]}", f"/entitlements/{entitlement[there[0]]}"):
            assert (await free.get(path)).status_code == 200
    listed = seen["GET /v1/households", "/households?area=KH&limit=500"].json()["items"]
    assert {item["id"] for item in listed} == set(here)
    for operation, path in seen:
        if there[0] in path and not path.endswith("entitlements") and "?" not in path:
            assert seen[operation, path].status_code == 404, (operation, path)
        if here[0] in path:
            assert seen[operation, path].status_code == 200, (operation, path)
    sheet = seen["POST /v1/name-sheets", "/name-sheets"].json()
    assert ([line["number"] for line in sheet["lines"]], sheet["unknown"]) == ([1], [2])
    assert await _state(working, there[0]) == state


async def _ask(
    client: httpx.AsyncClient, flow: Flow, method: str, path: str, body: Any
) -> httpx.Response:
    return await client.request(method, path, json=body, headers=flow.key())


async def _state(flow: Flow, household_id: str) -> Any:
    return await flow.owner.fetch(
        """
        SELECT household, array_agg(member ORDER BY member.id), array_agg(account)
        FROM registry.household
        JOIN registry.member ON household_id = household.id
        JOIN registry.payee_account AS account ON account.household_id = household.id
        WHERE household.id = $1 GROUP BY household
        """,
        UUID(household_id),
    )


async def test_partners_that_are_bound_are_told_nothing_by_messages(flow: Flow) -> None:
    await flow.register([*rows(3), *rows(7, commune=ELSEWHERE, phone=PHONE)])
    partner = await Partner(flow).registered()
    whole = partner.search_envelope(
        search(query_type="predicate", query=_EVERYWHERE),
        search(
            "2",
            query_type="idtype-value",
            query={"type": "PHONE", "value": PHONE},
        ),
    )
    async with flow.service.client(
        *partner.scopes, subject="ministry-of-tests", areas=[HERE]
    ) as client:
        url = client.base_url.join("/spdci/social/registry/sync/search")
        answer = await client.post(url, json=whole)
        later = await client.post(
            client.base_url.join("/spdci/social/registry/search"),
            json=partner.search_envelope(search(query_type="predicate", query=_EVERYWHERE)),
        )
    for refused in (answer, later):
        assert refused.status_code == 403
        assert refused.json()["errors"][0]["code"] == "err.request.forbidden"
