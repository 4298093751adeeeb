"""What triggers asks the registry before it takes it: both services run, unless one is away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fastapi import FastAPI

from services.registry.app import create_app as create_registry
from services.triggers.checks import asking
from services.triggers.definitions.shipped import shipped_document
from tests.conftest import RunningService
from tests.server import eventually, serving
from tests.triggers.data import FLOOD_INDICATOR
from tests.triggers.flow import Flow

FLOOD = "flood-reported-impact"
DAY = "2026-01-05"
DECLARATION = {
    "trigger": FLOOD,
    "areas": ["12", "0801"],
    "severity": "severe",
    "observed_on": DAY,
    "reason": "Flash flood; the committee's count is late.",
}


@asynccontextmanager
async def running_registry() -> AsyncIterator[None]:
    """The unmodified registry, which can be stopped again."""
    app = create_registry()
    async with serving(app, app.state.settings.port):
        yield


def report(area: str) -> dict[str, Any]:
    return {
        "area": area,
        "source": "HRF",
        "observed_on": DAY,
        "published_on": DAY,
        "value": 100,
    }


def batch(*areas: str) -> dict[str, Any]:
    return {
        "indicator": FLOOD_INDICATOR["code"],
        "unit": "households",
        "observations": [report(area) for area in areas],
    }


def pointers(answer: Any) -> list[str]:
    assert answer.status_code == 422, answer.text
    return [error["pointer"] for error in answer.json()["errors"]]


async def known(flow: Flow) -> set[str]:
    rows = await flow.owner.fetch("SELECT code FROM triggers.known_area")
    return {row["code"] for row in rows}


async def test_a_row_about_an_area_that_there_is_not_is_named_and_nothing_saved(
    flow: Flow,
) -> None:
    await flow.created("/indicators", FLOOD_INDICATOR)
    refused = await flow.post("/observations", batch("02", "99", "15", "98"))
    assert pointers(refused) == ["/body/observations/1/area", "/body/observations/3/area"]
    assert "not in the registry's gazetteer" in refused.json()["errors"][0]["detail"]
    query = {"indicator": FLOOD_INDICATOR["code"]}
    assert (await flow.got("/observations", **query))["items"] == []
    assert await known(flow) == {"02", "15"}
    taken = await flow.created("/observations", batch("02", "15"))
    assert (taken["recorded"], taken["areas_unchecked"]) == (2, [])


@pytest.mark.parametrize("code", ["០១", "０１", "٠١", "1", "02x"])
async def test_an_area_code_is_of_plain_digits(flow: Flow, code: str) -> None:
    await flow.created("/indicators", FLOOD_INDICATOR)
    assert pointers(await flow.post("/observations", batch("02", code))) == [
        "/body/observations/1/area"
    ]
    await flow.created("/triggers", shipped_document(FLOOD))
    declared = await flow.post("/activations", {**DECLARATION, "areas": ["12", code]})
    assert pointers(declared) == ["/body/areas/1"]


async def test_a_trigger_is_refused_with_everything_by_which_nobody_could_be_enrolled(
    flow: Flow,
) -> None:
    await flow.created("/indicators", FLOOD_INDICATOR)
    document = shipped_document(FLOOD)
    wrong = {
        "areas": ["02", "99", "02010101"],
        "area_filter": "members >= 3",
        "scheme": "nobody-posted-this",
    }
    refused = await flow.post("/triggers", {**document, **wrong})
    assert pointers(refused) == [
        "/body/areas/1",
        "/body/areas/2",
        "/body/area_filter",
        "/body/scheme",
    ]
    details = [error["detail"] for error in refused.json()["errors"]]
    assert "smaller than a commune" in details[1]
    # In the registry's own words.
    assert details[2].startswith("members is not an attribute here. Use one of")
    assert "flood_hazard_index" in details[2]
    assert "No scheme 'nobody-posted-this' is posted" in details[3]
    assert (await flow.client.get(f"/triggers/{FLOOD}")).status_code == 404

    await flow.created("/triggers", document)
    version = {**document, "area_filter": "flood_hazard_index >="}
    assert pointers(await flow.post(f"/triggers/{FLOOD}/versions", version)) == [
        "/body/area_filter"
    ]
    # To retire a trigger is never refused for what is wrong with it.
    await flow.created(f"/triggers/{FLOOD}/versions", {**version, "enabled": False})


async def test_a_declaration_is_refused_where_nobody_could_be_enrolled(flow: Flow) -> None:
    await flow.set_up(FLOOD_INDICATOR, FLOOD)
    refused = await flow.post("/activations", {**DECLARATION, "areas": ["99", "12", "12010101"]})
    assert pointers(refused) == ["/body/areas/0", "/body/areas/2"]
    # As an earlier version took it.
    await flow.owner.execute("DELETE FROM registry.scheme_version WHERE code = 'flood-2022'")
    answer = await flow.post("/activations", DECLARATION)
    assert answer.status_code == 409
    assert "No scheme 'flood-2022' is posted" in answer.json()["detail"]
    assert await flow.activations() == []


async def test_while_the_registry_is_away_people_wait_and_feeds_do_not(alone: Flow) -> None:
    await alone.created("/indicators", FLOOD_INDICATOR)
    document = shipped_document(FLOOD)
    async with running_registry():
        await alone.created("/triggers", document)
        await alone.publish(batch("02"))

    for path, body in (
        ("/triggers", {**document, "code": "another"}),
        (f"/triggers/{FLOOD}/versions", {**document, "name": "Another"}),
        ("/activations", DECLARATION),
    ):
        answer = await alone.post(path, body)
        assert answer.status_code == 503, answer.text
        assert int(answer.headers["Retry-After"]) > 0
        assert "The registry does not answer" in answer.json()["detail"]
    await alone.created(f"/triggers/{FLOOD}/versions", {**document, "enabled": False})

    known_one = await alone.publish(batch("02"))
    assert known_one.json()["areas_unchecked"] == []
    unchecked = (await alone.publish(batch("15", "99"))).json()
    assert (unchecked["recorded"], unchecked["areas_unchecked"]) == (2, ["15", "99"])
    assert pointers(await alone.post("/observations", batch("០១"))) == ["/body/observations/0/area"]

    async with running_registry():
        assert pointers(await alone.post("/observations", batch("15", "99"))) == [
            "/body/observations/1/area"
        ]
        assert await known(alone) == {"02", "15"}


class StandIn:
    """Answers in the registry's place what it should not, or not at all."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.answer = asyncio.Event()
        self.app = FastAPI()
        self.app.post("/v1/checks/activations")(self._check)

    async def _check(self) -> dict[str, str]:
        self.asked.set()
        await self.answer.wait()
        return {"something": "else"}


@pytest.fixture
async def stand_in(environment: dict[str, str]) -> AsyncIterator[StandIn]:
    stand_in = StandIn()
    port = int(environment["REGISTRY_PORT"])
    async with serving(stand_in.app, port):
        yield stand_in
        stand_in.answer.set()


async def test_nothing_is_open_in_the_database_while_the_registry_is_asked(
    alone: Flow, stand_in: StandIn
) -> None:
    await alone.created("/indicators", FLOOD_INDICATOR)
    for path, body in (
        ("/triggers", shipped_document(FLOOD)),
        ("/observations", batch("15")),
    ):
        stand_in.asked.clear()
        stand_in.answer.clear()
        posting = asyncio.create_task(alone.post(path, body))
        await stand_in.asked.wait()
        open_transactions = await alone.owner.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'triggers-api' "
            "AND datname = current_database() AND xact_start IS NOT NULL"
        )
        stand_in.answer.set()
        answer = await posting
        assert open_transactions == 0, path
        # What it answers is no answer.
        assert answer.status_code == (503 if path == "/triggers" else 201)


async def test_a_registry_that_hangs_is_waited_for_briefly(
    alone: Flow, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "_ANSWER_SECONDS", 0.2)
    await alone.created("/indicators", FLOOD_INDICATOR)
    assert (await alone.post("/triggers", shipped_document(FLOOD))).status_code == 503
    taken = await alone.created("/observations", batch("15"))
    assert taken["areas_unchecked"] == ["15"]


async def test_what_came_unchecked_is_enrolled_where_it_can_be(
    alone: Flow, run_worker: Any, registry: RunningService
) -> None:
    """Through both services: the areas that there are, and the others listed."""
    flow = alone
    await flow.set_up(FLOOD_INDICATOR, FLOOD)
    async with run_worker("triggers"), run_worker("registry"):
        # A feed's rows that came while the registry was away.
        await flow.owner.execute(
            "INSERT INTO triggers.known_area (code, heard_at) VALUES ('99', now())"
        )
        rows = [{**report("02"), "value": 30_000}, {**report("99"), "value": 5_000}]
        await flow.record(FLOOD_INDICATOR, rows)
        await flow.caught_up()
        (activation,) = await flow.activations()
        async with registry.client() as client:

            async def enrolled() -> bool:
                answer = await client.get(f"/activations/{activation['id']}")
                return answer.status_code == 200 and bool(answer.json()["runs"])

            await eventually(enrolled)
            page = (await client.get(f"/activations/{activation['id']}")).json()
        (activation,) = await flow.activations()
    assert activation["enrolment"] == {
        "not_enrolled": None,
        "areas_refused": {"99": "Not enrolled: It is not in the gazetteer."},
    }
    assert page["areas"] == ["02", "99"]
    assert page["areas_refused"] == {"99": "Not enrolled: It is not in the gazetteer."}
    assert page["progress"]["communes"] > 0


async def test_an_activation_s_own_page_says_why_nobody_is_enrolled(
    alone: Flow, run_worker: Any
) -> None:
    flow = alone
    async with running_registry(), run_worker("registry"):
        await flow.set_up(FLOOD_INDICATOR, FLOOD)
        proposal = (await flow.post("/activations", DECLARATION)).json()
        path = f"/activations/{proposal['document']['activation_id']}"
        assert (await flow.got(path))["enrolment"] is None
        await flow.owner.execute("DELETE FROM registry.scheme_version WHERE code = 'flood-2022'")
        assert (await flow.decide(proposal)).status_code == 200

        async def heard() -> bool:
            return (await flow.got(path))["enrolment"] is not None

        await eventually(heard)
        enrolment = (await flow.got(path))["enrolment"]
        assert enrolment["not_enrolled"].startswith(
            "Not enrolled: The scheme 'flood-2022', which pays, is not posted."
        )
    # Without the registry it is read all the same.
    assert (await flow.got(path))["enrolment"] is None
