"""Households: found by area or by person, and persons shown only to whoever may see them."""

from dataclasses import replace

import pytest

from tests.registry.flow import Flow, Row, rows

PERSON = Row(
    "KH-020101-999999",
    head_name="Sok Chanthy",
    phone="012345678",
    id_number="010203045",
    account="+85598765432",
)


async def test_persons_are_shown_only_with_the_scope_for_it(flow: Flow) -> None:
    await flow.register([PERSON])
    household_id = await flow.household_id(PERSON.registration_number)
    async with flow.service.client("households:read") as client:
        seen = (await client.get(f"/households/{household_id}")).json()
    assert seen["person"] is None
    assert seen["payee_account"]["account"] is None
    assert seen["payee_account"]["provider_code"] == "mekong"
    whole = await flow.get(f"/households/{household_id}")
    assert whole["person"]["name"] == "Sok Chanthy"


async def test_a_search_without_the_scope_for_persons_tells_no_more_than_it_takes(
    flow: Flow,
) -> None:
    """Else whoever knows a phone learns who is poor, pregnant or disabled."""
    without = replace(PERSON, registration_number="KH-1", provider_code="", account="")
    await flow.register([replace(PERSON, pregnant=1, disabled=1), without])
    search = {"phone": PERSON.phone}
    async with flow.service.client("households:search") as client:
        found = (await client.post("/households/search", json=search)).json()["items"]
        read = await client.get(f"/households/{found[0]['id']}")
    async with flow.service.client("households:read") as client:
        refused = await client.post("/households/search", json=search)
        whole = (await client.get(f"/households/{found[0]['id']}")).json()
        (listed, _) = (await client.get("/households")).json()["items"]
    async with flow.service.client("households:search", "households:read-personal") as client:
        persons = (await client.post("/households/search", json=search)).json()["items"]

    assert [household.keys() for household in found] == [{"id", "area_code", "registration"}] * 2
    assert {household["registration"] for household in found} == {"payable", "without-account"}
    assert {household["area_code"] for household in found} == {"020101"}
    assert read.status_code == refused.status_code == 403
    for household in (whole, listed):
        assert (household["pregnant"], household["disabled"]) == (None, None)
        assert (household["poverty_status"], household["members"]) == ("poor-1", 4)
    assert {household["person"]["name"] for household in persons} == {"Sok Chanthy"}
    assert {household["pregnant"] for household in persons} == {0, 1}


@pytest.mark.parametrize(
    "search",
    [
        {"phone": "+85512345678"},
        {"phone": "012345678"},
        {"phone": "០១២ ៣៤៥-៦៧៨"},
        {"id_number": "010203045"},
        {"registration_number": "kh-020101-999999"},
        {"account": "+85598765432"},
    ],
)
async def test_a_household_is_found_by_person(flow: Flow, search: dict[str, str]) -> None:
    await flow.register([*rows(3), PERSON])
    found = (await flow.client.post("/households/search", json=search)).json()
    assert [household["person"]["name"] for household in found["items"]] == ["Sok Chanthy"]


@pytest.mark.parametrize(
    "search",
    [
        {},
        {"phone": ""},
        {"phone": None},
        {"phone": "+85512345678", "account": "+85512345678"},
        {"phone": "abc"},
    ],
)
async def test_a_search_by_nothing_or_by_two_things_is_refused(
    flow: Flow, search: dict[str, str | None]
) -> None:
    answer = await flow.client.post("/households/search", json=search)
    assert answer.status_code == 422
    assert "85512345678" not in answer.text


async def test_households_sharing_a_phone_are_all_found_page_by_page(flow: Flow) -> None:
    await flow.register([replace(row, phone="012345678") for row in rows(5)])
    search = {"phone": "012345678"}
    first = (await flow.client.post("/households/search?limit=3", json=search)).json()
    rest = await flow.client.post(
        "/households/search", json=search, params={"cursor": first["next_cursor"]}
    )
    ids = [household["id"] for household in first["items"] + rest.json()["items"]]
    assert len(ids) == len(set(ids)) == 5


async def test_households_are_listed_by_area_and_poverty_status(flow: Flow) -> None:
    await flow.register(
        [
            *rows(4),
            *rows(2, begin=10, poverty_status="not-poor"),
            *rows(3, commune="150101"),
        ]
    )
    for area, count in {"02": 6, "0201": 6, "020101": 6, "15": 3, "KH": 9, "03": 0}.items():
        assert len((await flow.get("/households", area=area))["items"]) == count, area
    poor = await flow.get("/households", area="02", poverty_status="poor-1")
    assert len(poor["items"]) == 4
    seen: list[str] = []
    cursor = None
    while True:
        page = await flow.get("/households", limit=4, **({"cursor": cursor} if cursor else {}))
        seen += [household["id"] for household in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 9


async def test_a_changed_account_replaces_the_running_one(flow: Flow) -> None:
    await flow.register(rows(1, provider_code="", account=""))
    household_id = await flow.household_id(rows(1)[0].registration_number)
    path = f"/households/{household_id}/payee-account"
    for account in ("+85511111111", "+85522222222", "+85522222222"):
        body = {"provider_code": "tonle", "account": account}
        answer = await flow.client.put(path, json=body)
        assert answer.status_code == 200, answer.text
        assert answer.json()["payee_account"]["account"] == account
    ended = await flow.owner.fetch(
        "SELECT ended_at IS NULL AS runs FROM registry.payee_account ORDER BY began_at"
    )
    assert [account["runs"] for account in ended] == [False, True]


async def test_an_unknown_household_is_not_found(flow: Flow) -> None:
    path = "/households/0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10"
    assert (await flow.client.get(path)).status_code == 404
    body = {"provider_code": "tonle", "account": "+85511111111"}
    assert (await flow.client.put(f"{path}/payee-account", json=body)).status_code == 404
