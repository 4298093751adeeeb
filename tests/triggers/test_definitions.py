"""Triggers over HTTP: versioned documents, posted and never edited."""

from typing import Any

from services.triggers.definitions.shipped import shipped_document
from tests.triggers.data import FLOOD_INDICATOR, RICE_INDICATOR
from tests.triggers.flow import Flow
from tests.two_persons import CHECKER, approved

FLOOD = "flood-reported-impact"
RICE = "rice-price-spike"


async def test_the_shipped_documents_are_posted_and_read_back(flow: Flow) -> None:
    for indicator, code in ((RICE_INDICATOR, RICE), (FLOOD_INDICATOR, FLOOD)):
        posted = await flow.set_up(indicator, code)
        assert posted["version"] == 1
        assert posted["document"] == shipped_document(code)
        assert await flow.got(f"/triggers/{code}") == posted
    listed = await flow.got("/triggers")
    assert [trigger["code"] for trigger in listed["items"]] == [FLOOD, RICE]


async def test_a_change_is_a_new_version_and_the_old_one_stays(flow: Flow) -> None:
    await flow.set_up(FLOOD_INDICATOR, FLOOD)
    changed = {**shipped_document(FLOOD), "area_filter": "flood_hazard_index >= 10"}
    second = await flow.created(f"/triggers/{FLOOD}/versions", changed)
    assert second["version"] == 2
    assert (await flow.got(f"/triggers/{FLOOD}"))["version"] == 2
    assert (await flow.got(f"/triggers/{FLOOD}/versions/1"))["document"] == shipped_document(FLOOD)
    assert [
        version["version"] for version in (await flow.got(f"/triggers/{FLOOD}/versions"))["items"]
    ] == [
        2,
        1,
    ]
    assert [trigger["version"] for trigger in (await flow.got("/triggers"))["items"]] == [2]
    missing = await flow.client.get(f"/triggers/{FLOOD}/versions/3")
    assert missing.status_code == 404


async def test_a_code_is_posted_once(flow: Flow) -> None:
    await flow.set_up(FLOOD_INDICATOR, FLOOD)
    again = await flow.post("/triggers", shipped_document(FLOOD))
    assert again.status_code == 409
    assert "/versions" in again.json()["detail"]


async def test_a_version_cannot_become_another_trigger(flow: Flow) -> None:
    await flow.set_up(FLOOD_INDICATOR, FLOOD)
    for field, value in (("scheme", "inflation-2022"), ("shock", "storm"), ("code", "other")):
        answer = await flow.post(
            f"/triggers/{FLOOD}/versions", {**shipped_document(FLOOD), field: value}
        )
        assert answer.status_code == 409


async def test_a_version_of_an_unknown_trigger_is_not_found(flow: Flow) -> None:
    answer = await flow.post(f"/triggers/{FLOOD}/versions", shipped_document(FLOOD))
    assert answer.status_code == 404


async def test_a_trigger_needs_its_indicator_and_one_of_the_right_kind(flow: Flow) -> None:
    assert (await flow.post("/triggers", shipped_document(FLOOD))).status_code == 409
    await flow.created("/indicators", {**RICE_INDICATOR, "code": FLOOD_INDICATOR["code"]})
    wrong = await flow.post("/triggers", shipped_document(FLOOD))
    assert wrong.status_code == 409
    assert "households_affected" in wrong.json()["detail"]


async def test_what_is_judged_by_the_month_is_not_given_days_and_events(flow: Flow) -> None:
    rain = {"name": "Rain", "unit": "mm", "kind": "rainfall", "area_level": "province"}
    document = shipped_document("rainfall-deficit")
    (leg,) = document["legs"]
    await flow.created("/indicators", {**rain, "code": "rain"})
    refused = await flow.post("/triggers", {**document, "legs": [{**leg, "indicator": "rain"}]})
    assert refused.status_code == 409
    assert '"frequency": "month"' in refused.json()["detail"]
    by_month = {**rain, "code": leg["indicator"], "calendar": {"frequency": "month"}}
    await flow.created("/indicators", by_month)
    assert (await flow.created("/triggers", document))["version"] == 1


MALFORMED: dict[str, Any] = {
    "code": "Flood",
    "areas": ["2"],
    "stages": {"activation": {"approval": "nobody"}},
    "legs": [{"indicator": "flood-affected-households", "method": {"kind": "guess"}}],
    "comment": "?",
    "judge_within_days": 0,
}


async def test_a_malformed_document_is_refused_with_the_field(flow: Flow) -> None:
    await flow.created("/indicators", FLOOD_INDICATOR)
    for field, value in MALFORMED.items():
        answer = await flow.post("/triggers", {**shipped_document(FLOOD), field: value})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"].startswith(f"/body/{field}")


async def test_a_retired_trigger_is_not_evaluated(working: Flow) -> None:
    await working.set_up(FLOOD_INDICATOR, FLOOD, enabled=False)
    row = {
        "area": "02",
        "source": "HRF",
        "observed_on": "2026-01-04",
        "published_on": "2026-01-04",
        "value": 30_000,
    }
    await working.record(FLOOD_INDICATOR, [row])
    await working.caught_up()
    assert await working.evaluations(FLOOD) == []
    await working.created(f"/triggers/{FLOOD}/versions", shipped_document(FLOOD))
    await working.record(FLOOD_INDICATOR, [{**row, "value": 30_001}])
    await working.caught_up()
    (evaluation,) = await working.evaluations(FLOOD)
    assert (evaluation["outcome"], evaluation["trigger_version"]) == ("proposed", 2)
    (opened,) = await working.events("activation-opened")
    assert opened["trigger_version"] == 2


async def test_a_version_says_who_posted_it(flow: Flow) -> None:
    posted = await flow.set_up(FLOOD_INDICATOR, FLOOD)
    assert posted["posted_by"] == "officer@test"
    async with flow.client_of("director@test") as client:
        again = await client.post(
            f"/triggers/{FLOOD}/versions",
            json=shipped_document(FLOOD),
            headers={"Idempotency-Key": "of-the-director"},
        )
    assert again.json()["proposed_by"] == "director@test"
    second = await approved(flow.client_of(CHECKER), again.json())
    assert second["posted_by"] == "director@test"


async def test_legs_that_cannot_be_judged_are_refused_with_what_to_do(flow: Flow) -> None:
    await flow.created("/indicators", FLOOD_INDICATOR)
    (leg,) = shipped_document(FLOOD)["legs"]
    wrongs: list[tuple[dict[str, Any], str, str]] = [
        ({"legs": [leg, leg]}, "/body/legs", "twice"),
        ({"legs": []}, "/body/legs", "at least 1"),
        ({"join": {"at_least": 2}}, "/body", "more than there are legs"),
    ]
    for changes, pointer, words in wrongs:
        answer = await flow.post("/triggers", {**shipped_document(FLOOD), **changes})
        assert answer.status_code == 422
        (error,) = answer.json()["errors"]
        assert error["pointer"] == pointer
        assert words in error["detail"]
    for number, join in enumerate(("any", "all", {"at_least": 1})):
        document = {**shipped_document(FLOOD), "join": join, "code": f"joined-{number}"}
        assert (await flow.created("/triggers", document))["document"]["join"] == join


async def test_a_method_that_reads_no_forecasts_is_not_given_one(flow: Flow) -> None:
    await flow.created("/indicators", {**FLOOD_INDICATOR, "forecast": True})
    answer = await flow.post("/triggers", shipped_document(FLOOD))
    assert answer.status_code == 409
    assert "forecast" in answer.json()["detail"]


async def test_the_examples_of_a_trigger_s_routes_are_of_one_trigger(flow: Flow) -> None:
    document = (await flow.client.get(flow.client.base_url.join("/openapi.json"))).json()
    operation = document["paths"]["/v1/triggers/{code}/versions"]["post"]
    (code,) = (
        parameter["schema"]["examples"]
        for parameter in operation["parameters"]
        if parameter["name"] == "code"
    )
    schema = document["components"]["schemas"]["TriggerDocument"]
    assert [example["code"] for example in schema["examples"]] == code
