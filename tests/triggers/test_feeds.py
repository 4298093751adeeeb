"""Feeds that are pulled, from a publisher to recorded figures."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from services.triggers.feeds.document import FeedDocument
from services.triggers.feeds.fetching import Fetcher, FetchFailed
from services.triggers.feeds.service import require_public
from services.triggers.feeds.shipped import shipped_document
from services.triggers.worker import create_worker
from shared.errors import Unprocessable
from shared.production import Environment
from shared.worker import Worker
from tests.conftest import NOON
from tests.triggers.alert_files import alert
from tests.triggers.data import FLOOD_INDICATOR, RICE_INDICATOR
from tests.triggers.feed_server import (
    Publisher,
    always,
    asking_for_less,
    never,
    packed,
    publishing,
    redirecting,
    without_end,
)
from tests.triggers.flow import Flow
from tests.triggers.test_formats import WHOLE
from tests.two_persons import CHECKER

CODE = "wfp-food-prices"
TODAY = NOON.date()


@pytest.fixture
async def publisher() -> AsyncIterator[Publisher]:
    async with publishing() as running:
        yield running


@pytest.fixture
async def worker(flow: Flow) -> AsyncIterator[Worker]:
    """The unmodified worker, of which a test does single steps."""
    created = create_worker()
    yield created
    await created.close()


async def posted(flow: Flow, publisher: Publisher, **changes: Any) -> Any:
    """A feed in force, with all that it needs."""
    await flow.created("/indicators", RICE_INDICATOR)
    document = {**shipped_document(CODE), "url": f"{publisher.url}/prices.csv", **changes}
    return await flow.created("/feeds", document)


async def pull(flow: Flow, worker: Worker, code: str = CODE) -> dict[str, Any]:
    """Have a feed pulled at once; what came of it."""
    assert (await flow.post(f"/feeds/{code}/pulls", None)).status_code == 202
    assert await worker.step("pull") == 1
    newest: dict[str, Any] = (await flow.got(f"/feeds/{code}/pulls", limit=1))["items"][0]
    return newest


async def test_a_feed_is_pulled_from_its_approval_on_and_one_bad_row_concerns_itself(
    flow: Flow, worker: Worker, publisher: Publisher
) -> None:
    unknown = await flow.post("/feeds", shipped_document(CODE))
    assert "no indicator 'rice-wholesale-price'" in unknown.json()["detail"]
    free = WHOLE.splitlines()[2].replace("Takeo,Doun Kaev,Takeo", "Kandal,X,Ta Khmau")
    publisher.answers["/prices.csv"] = always(WHOLE + free.replace("0.4800", "0"), etag='"1"')
    feed = await posted(flow, publisher)
    assert feed["version"] == 1

    assert await worker.step("pull") == 1
    assert await worker.step("pull") == 0
    (pulled,) = (await flow.got(f"/feeds/{CODE}/pulls"))["items"]
    assert (pulled["outcome"], pulled["status"], pulled["seen"]) == ("read", 200, 6)
    assert (pulled["recorded"], pulled["refused"]) == (1, 4)
    assert [refusal["where"] for refusal in pulled["refusals"]] == [
        f"line {number}" for number in range(5, 9)
    ]
    # What no reader knows, the register says.
    assert "above zero" in pulled["refusals"][3]["reason"]
    (figure,) = (await flow.got("/observations", indicator="rice-wholesale-price"))["items"]
    assert (figure["area"], figure["place"], figure["value"]) == ("21", "Takeo", 0.48)
    assert (figure["posted_by"], figure["published"]) == (f"feed:{CODE}", True)
    assert len(await flow.events("observations-recorded")) == 1
    health = (await flow.got(f"/feeds/{CODE}"))["health"]
    assert health["new_at"] == health["answered_at"] is not None
    assert health["alarm"] is None

    # Asked again with what it said of its version, it says no more than that.
    again = await pull(flow, worker)
    assert (again["outcome"], again["status"]) == ("unchanged", 304)
    assert publisher.asked[-1].headers["If-None-Match"] == '"1"'

    # What is known is not recorded again, and a price that changed is published today.
    publisher.answers["/prices.csv"] = always(WHOLE.replace("0.4800", "0.4900", 1), etag='"2"')
    third = await pull(flow, worker)
    assert (third["outcome"], third["recorded"], third["unchanged"]) == ("read", 1, 0)
    (figure,) = (await flow.got("/observations", indicator="rice-wholesale-price"))["items"]
    assert (figure["value"], figure["published_on"]) == (0.49, TODAY.isoformat())


async def test_what_a_feed_says_that_is_doubtful_waits_once_however_often_it_is_read(
    flow: Flow, worker: Worker, publisher: Publisher
) -> None:
    publisher.answers["/prices.csv"] = always(WHOLE, etag='"1"')
    await flow.created("/indicators", {**RICE_INDICATOR, "places": "listed"})
    document = {**shipped_document(CODE), "url": f"{publisher.url}/prices.csv"}
    await flow.created("/feeds", document)
    first = await pull(flow, worker)
    (doubtful,) = (await flow.got("/doubtful-observations"))["items"]
    assert (doubtful["reason"], doubtful["posted"]["place"]) == ("place-unknown", "Takeo")
    assert (first["recorded"], first["unchanged"], first["set_aside"]) == (0, 0, 1)

    # On another day, without a word on when it was published, it is the same.
    flow.go_to(TODAY + timedelta(days=2))
    publisher.answers["/prices.csv"] = always(WHOLE + "\n", etag='"2"')
    again = await pull(flow, worker)
    assert (again["recorded"], again["unchanged"]) == (0, 1)
    assert len((await flow.got("/doubtful-observations"))["items"]) == 1

    # Once it is known which place is meant, neither the old nor the new name brings it twice.
    place = {"code": "m-takeo", "name": "Doun Kaev", "kind": "market", "area": "21"}
    await flow.created("/places", place)
    async with flow.client_of(CHECKER) as checker:
        named = await checker.post(
            "/places/m-takeo/aliases", json={"name": "Takeo"}, headers={"Idempotency-Key": "a"}
        )
    assert named.json()["released"] == 1
    publisher.answers["/prices.csv"] = always(WHOLE + "\n\n", etag='"3"')
    assert (await pull(flow, worker))["recorded"] == 0
    (figure,) = (await flow.got("/observations", indicator=RICE_INDICATOR["code"]))["items"]
    assert (figure["place"], figure["value"]) == ("Doun Kaev", 0.48)


async def test_what_does_not_answer_rightly_fails_and_is_tried_again_and_alarms(
    flow: Flow, worker: Worker, publisher: Publisher
) -> None:
    feed = await posted(flow, publisher, timeout_seconds=1, maximum_bytes=10_000)
    for answer, status, detail in (
        (always("", status=500), 500, "status 500"),
        (never, None, "did not answer whole within 1 seconds"),
        (without_end, 200, "more than 10,000 bytes"),
        (redirecting("/prices.csv"), 302, "redirects more than 3 times"),
        (redirecting("http://localhost:1/"), 302, "another host"),
        (packed, 200, "packed"),
    ):
        publisher.answers["/prices.csv"] = answer
        pulled = await pull(flow, worker)
        assert (pulled["outcome"], pulled["status"]) == ("failed", status)
        assert detail in pulled["detail"]
    publisher.answers["/prices.csv"] = always("<html>Moved</html>")
    pulled = await pull(flow, worker)
    assert (pulled["outcome"], pulled["digest"] is None) == ("unreadable", False)

    health = (await flow.got("/feeds"))["items"][0]["health"]
    assert (health["failures"], health["alarm"]) == (7, "failing")
    waits = await flow.owner.fetchval(
        "SELECT extract(epoch FROM pull_at - clock_timestamp()) FROM triggers.feed_state"
    )
    # The sixth doubling of half a minute, with up to a fifth more.
    assert 30 * 2**6 - 60 < waits < 30 * 2**6 * 1.2
    (event,) = await flow.events("feed-stale")
    assert event["because"] == "failing"

    publisher.answers["/prices.csv"] = asking_for_less(20_000)
    assert (await pull(flow, worker))["status"] == 429
    waits = await flow.owner.fetchval(
        "SELECT extract(epoch FROM pull_at - clock_timestamp()) FROM triggers.feed_state"
    )
    assert waits > 19_000

    # A new version has shown nothing yet: what it brings ends the alarm, and that is told.
    await flow.created(f"/feeds/{CODE}/versions", {**feed["document"], "name": "Prices"})
    assert (await flow.got(f"/feeds/{CODE}"))["health"]["alarm"] == "failing"
    publisher.answers["/prices.csv"] = always(WHOLE)
    assert (await pull(flow, worker))["outcome"] == "read"
    assert (await flow.got(f"/feeds/{CODE}"))["health"]["alarm"] is None
    assert len(await flow.events("feed-recovered")) == 1


async def test_a_feed_that_brings_nothing_new_for_too_long_alarms_until_it_does(
    flow: Flow, worker: Worker, publisher: Publisher
) -> None:
    publisher.answers["/prices.csv"] = always(WHOLE)
    await posted(flow, publisher, stale_after_hours=48)
    assert (await pull(flow, worker))["recorded"] == 1
    flow.go_to(TODAY + timedelta(days=1))
    assert await worker.step("silent") == 0
    flow.go_to(TODAY + timedelta(days=3))
    assert (await pull(flow, worker))["outcome"] == "unchanged"
    assert await worker.step("silent") == 1
    assert await worker.step("silent") == 0
    assert (await flow.got(f"/feeds/{CODE}"))["health"]["alarm"] == "silent"
    (event,) = await flow.events("feed-stale")
    assert (event["feed"], event["because"]) == (CODE, "silent")

    publisher.answers["/prices.csv"] = always(WHOLE.replace("0.4800", "0.4900", 1))
    assert (await pull(flow, worker))["recorded"] == 1
    assert (await flow.got(f"/feeds/{CODE}"))["health"]["alarm"] is None
    assert len(await flow.events("feed-recovered")) == 1


async def test_two_workers_pull_once_and_a_new_version_reads_anew(
    flow: Flow, worker: Worker, publisher: Publisher
) -> None:
    publisher.answers["/prices.csv"] = always(WHOLE, etag='"1"')
    feed = await posted(flow, publisher)
    other = create_worker()
    try:
        assert sorted(await asyncio.gather(worker.step("pull"), other.step("pull"))) == [0, 1]
    finally:
        await other.close()
    assert len(publisher.asked) == 1

    changed = {**feed["document"], "name": "Prices"}
    await flow.created(f"/feeds/{CODE}/versions", changed)
    assert await worker.step("pull") == 1
    assert "If-None-Match" not in publisher.asked[-1].headers
    newest, first = (await flow.got(f"/feeds/{CODE}/pulls"))["items"]
    assert (newest["feed_version"], newest["unchanged"]) == (2, 1)
    assert first["feed_version"] == 1

    # A feed that is retired is pulled no more.
    await flow.created(f"/feeds/{CODE}/versions", {**changed, "enabled": False})
    assert await worker.step("pull") == 0
    assert (await flow.post(f"/feeds/{CODE}/pulls", None)).status_code == 409


async def test_alerts_are_pulled_from_an_atom_feed_with_what_it_links_to(
    flow: Flow, worker: Worker, publisher: Publisher
) -> None:
    embedded = alert("a1", sent="2026-01-05T11:00:00+07:00").decode().partition("?>")[2]
    publisher.answers["/alerts"] = always(
        f"""<feed xmlns="http://www.w3.org/2005/Atom">
        <entry><content type="text/xml">{embedded}</content></entry>
        <entry><link href="/a2.cap" type="application/cap+xml"/></entry>
        <entry><link href="/gone.cap" type="application/cap+xml"/></entry>
        <entry><link href="https://elsewhere.example/a.cap" type="application/cap+xml"/></entry>
        </feed>"""
    )
    kampot = "<circle>10.61,104.18 5</circle>"
    publisher.answers["/a2.cap"] = always(
        alert("a2", severity="Minor", area=kampot, sent="2026-01-05T11:30:00+07:00")
    )
    indicator = {**FLOOD_INDICATOR, "code": "alerts", "unit": "rank", "kind": "alert"}
    await flow.created("/indicators", indicator)
    await flow.created(
        "/feeds",
        {
            "code": "mowram",
            "name": "Warnings of floods",
            "url": f"{publisher.url}/alerts",
            "source": "MOWRAM",
            "format": {"kind": "cap-atom", "series": [{"indicator": "alerts"}]},
            "every_minutes": 5,
            "stale_after_hours": 2,
            "stale_by": "answer",
        },
    )
    pulled = await pull(flow, worker, "mowram")
    figures = (await flow.got("/observations", indicator="alerts"))["items"]
    assert {(figure["area"], figure["value"]) for figure in figures} == {
        ("07", 1),
        ("08", 3),
        ("12", 3),
    }
    reasons = " ".join(refusal["reason"] for refusal in pulled["refusals"])
    assert "status 404" in reasons
    assert "another host" in reasons


# Where feeds may not lead.


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/a",
        "ftp://example.org/a",
        "https://name:word@example.org/a",
        "https://example.org/#a",
        "https:///a",
        "https://example.org:99999999/",
        "https://exa mple.org/",
    ],
)
def test_an_address_that_cannot_be_trusted_is_refused(url: str) -> None:
    with pytest.raises(ValueError):
        FeedDocument.model_validate({**shipped_document(CODE), "url": url})


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/a", "https://localhost/a", "https://169.254.169.254/a"]
)
def test_production_takes_no_feed_from_within(url: str) -> None:
    document = FeedDocument.model_validate({**shipped_document(CODE), "url": url})
    require_public(document, Environment.DEVELOPMENT)
    with pytest.raises(Unprocessable):
        require_public(document, Environment.PRODUCTION)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
async def test_production_connects_to_nothing_within(host: str) -> None:
    fetcher = Fetcher(only_public=True)
    try:
        with pytest.raises(FetchFailed, match="private network"):
            await fetcher.fetch(f"https://{host}:1/", timeout_seconds=5, maximum_bytes=1_000)
    finally:
        await fetcher.close()
