"""Indicators over HTTP."""

from tests.triggers.data import FLOOD_INDICATOR, RICE_INDICATOR
from tests.triggers.flow import Flow


async def test_an_indicator_is_registered_once_and_read_back(flow: Flow) -> None:
    created = await flow.created("/indicators", RICE_INDICATOR)
    assert await flow.got(f"/indicators/{RICE_INDICATOR['code']}") == created
    again = await flow.post("/indicators", {**RICE_INDICATOR, "unit": "KHR/KG"})
    assert again.status_code == 409
    assert again.headers["content-type"] == "application/problem+json"


async def test_a_retry_with_the_same_key_gets_the_same_answer(flow: Flow) -> None:
    first = await flow.post("/indicators", RICE_INDICATOR, key="a-key-of-ours")
    second = await flow.post("/indicators", RICE_INDICATOR, key="a-key-of-ours")
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    other = await flow.post("/indicators", FLOOD_INDICATOR, key="a-key-of-ours")
    assert other.status_code in {409, 422}


async def test_without_an_idempotency_key_nothing_is_created(flow: Flow) -> None:
    answer = await flow.client.post("/indicators", json=RICE_INDICATOR)
    assert answer.status_code == 400
    assert (await flow.got("/indicators"))["items"] == []


async def test_pages_follow_each_other(flow: Flow) -> None:
    for code in ("c", "a", "b"):
        await flow.created("/indicators", {**RICE_INDICATOR, "code": code})
    first = await flow.got("/indicators", limit=2)
    assert [indicator["code"] for indicator in first["items"]] == ["a", "b"]
    second = await flow.got("/indicators", limit=2, cursor=first["next_cursor"])
    assert [indicator["code"] for indicator in second["items"]] == ["c"]
    assert second["next_cursor"] is None
    forged = await flow.client.get("/indicators", params={"cursor": "forged"})
    assert forged.status_code == 400


async def test_an_unknown_indicator_is_not_found(flow: Flow) -> None:
    answer = await flow.client.get("/indicators/no-such")
    assert answer.status_code == 404
    assert "GET /v1/indicators" in answer.json()["detail"]


async def test_a_kind_that_no_method_judges_is_refused(flow: Flow) -> None:
    answer = await flow.post("/indicators", {**RICE_INDICATOR, "kind": "mood"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/body/kind"
