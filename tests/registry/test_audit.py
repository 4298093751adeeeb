"""Who saw whose name, who redirected whose money and who sent which households is never lost."""

from typing import Any

import httpx

from services.registry.schemes.shipped import shipped_document
from shared.ids import new_id
from tests.registry.flow import CSV, Flow, body_of, rows

PURPOSE = "បណ្តឹង 2020-118"


async def records(flow: Flow, **wanted: str) -> list[dict[str, Any]]:
    page = await flow.get("/audit", **wanted)
    return list(page["items"])


async def test_an_unmasked_read_is_recorded_with_whose_and_what_for(flow: Flow) -> None:
    first, second = given = rows(2)
    await flow.register(given)
    ids = {await flow.household_id(row.registration_number) for row in given}
    told: list[httpx.Response] = []
    async with flow.service.client(
        "households:read", "households:search", subject="clerk@test"
    ) as clerk:
        for client in (flow.client, clerk):
            headers = {b"Access-Purpose": PURPOSE.encode()}
            for path in (f"/households/{min(ids)}", "/households?area=0201"):
                told.append(await client.get(path, headers=headers))
            search = {"registration_number": first.registration_number}
            told.append(await client.post("/households/search", json=search, headers=headers))

    assert [answer.status_code for answer in told] == [200] * 6
    assert await records(flow, subject="clerk@test") == []
    found, listed, read, *_ = await records(flow, subject="officer@test")
    assert {record["action"] for record in (found, listed, read)} == {"unmasked-read"}
    assert {record["reason"] for record in (found, listed, read)} == {PURPOSE}
    assert [record["request_id"] for record in (read, listed, found)] == [
        answer.headers["x-request-id"] for answer in told[:3]
    ]
    assert read["objects"] == [f"households/{min(ids)}"]
    assert sorted(listed["objects"]) == sorted(f"households/{one_id}" for one_id in ids)
    assert found["operation"] == "POST /v1/households/search"
    about_second = await records(
        flow, object=f"households/{await flow.household_id(second.registration_number)}"
    )
    assert [record["operation"] for record in about_second][1] == "GET /v1/households"


async def test_a_purpose_that_is_no_text_is_refused(flow: Flow) -> None:
    for purpose in (b"\xff\xfe\xfd", b"x", b"y" * 900):
        refused = await flow.client.get("/households", headers={b"Access-Purpose": purpose})
        assert refused.status_code == 422, purpose


async def test_who_redirects_a_household_is_kept_and_where_to_only_sealed(flow: Flow) -> None:
    (row,) = rows(1)
    await flow.register([row])
    household_id = await flow.household_id(row.registration_number)
    account = {"provider_code": "mekong", "account": "+85599999999"}
    for _ in range(2):
        async with flow.service.client("households:write", subject="clerk@test") as clerk:
            changed = await clerk.put(f"/households/{household_id}/payee-account", json=account)
        assert changed.status_code == 200

    (recorded,) = await records(flow, subject="clerk@test")
    assert recorded["objects"] == [f"households/{household_id}"]
    assert recorded["before"]["provider_code"] == "mekong"
    assert recorded["before"]["account_sealed"] != recorded["after"]["account_sealed"]
    assert "9999999" not in str(recorded)
    assert await flow.owner.fetch(
        "SELECT changed_by FROM registry.payee_account ORDER BY began_at"
    ) == [("officer@test",), ("clerk@test",)]


async def test_who_sends_an_import_is_kept_even_where_it_breaks_off(flow: Flow) -> None:
    made = await flow.post("/imports", {"source": "test"})
    path = f"/imports/{made['id']}/rows"
    async with flow.service.client("households:write", subject="clerk@test") as clerk:
        broken = await clerk.put(path, content=body_of(rows(2)) + '"', headers=CSV)
        whole = await clerk.put(path, content=body_of(rows(2)), headers=CSV)

    assert broken.status_code == 422
    assert whole.json()["sent_by"] == "clerk@test"
    assert whole.json()["created_by"] == "officer@test"
    ended, begun, begun_before = await records(
        flow, object=f"imports/{made['id']}", subject="clerk@test"
    )
    assert ended["after"]["households_unchanged"] + ended["after"]["households_added"] == 2
    for record in (begun, begun_before):
        assert record["after"] == {"status": "receiving"}
        assert record["operation"] == "PUT /v1/imports/{import_id}/rows"


async def test_who_proposes_and_who_decides_is_recorded_of_each_proposal(flow: Flow) -> None:
    proposed = await flow.post("/schemes", shipped_document("flood-2022"), status=202)
    async with flow.service.client("registry:approve", subject="checker@test") as checker:
        decided = await checker.post(
            "/approvals/decisions",
            json={
                "approval_ids": [str(new_id()), proposed["id"]],
                "decision": "approved",
                "reason": "As the council decided.",
            },
            headers=flow.key(),
        )

    assert [result["decided"] for result in decided.json()["results"]] == [False, True]
    approved, proposal = await records(flow, object=f"approvals/{proposed['id']}")
    posted, *_ = await records(flow, object="schemes/flood-2022")
    assert proposal["subject"] == "officer@test"
    assert proposal["after"]["document"]["document"]["code"] == "flood-2022"
    assert approved["subject"] == posted["subject"] == "checker@test"
    assert approved["before"] == {"status": "waiting", "proposed_by": "officer@test"}
    assert approved["after"]["status"] == "approved"
    assert approved["reason"] == posted["reason"] == "As the council decided."
    assert posted["after"] == {"version": 1, "posted_by": "officer@test"}
    assert len(await records(flow, subject="checker@test")) == 2
