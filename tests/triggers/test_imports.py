"""Files of figures that are sent by hand, from a person's desk to recorded figures."""

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from services.triggers.definitions.shipped import shipped_document as shipped_definition
from services.triggers.feeds.shipped import shipped_document
from services.triggers.worker import create_worker
from tests.conftest import NOON
from tests.triggers.alert_files import alert
from tests.triggers.data import FLOOD_INDICATOR, RICE_INDICATOR
from tests.triggers.feed_server import always, publishing
from tests.triggers.flow import Flow
from tests.triggers.test_formats import WHOLE
from tests.two_persons import CHECKER

RICE = "rice-wholesale-price"
FEED = "wfp-food-prices"
NOTE = "Their server is away; it came by mail."
TODAY = NOON.date()
FLOOD_IMPACT = "flood-reported-impact"
AWAY = {"every_minutes": 60, "stale_after_hours": 48, "enabled": False}


async def send(flow: Flow, feed: str, content: bytes | str, *, into: str | None = None) -> Any:
    """A file, announced and sent; what came of it."""
    answer = await sent(flow, feed, content, into=into)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def sent(
    flow: Flow, feed: str, content: bytes | str, *, into: str | None = None
) -> httpx.Response:
    """The answer to a file that is sent under an import, or a new one."""
    if into is None:
        into = (await flow.created("/observations/imports", {"feed": feed, "note": NOTE}))["id"]
    return await flow.client.put(
        f"/observations/imports/{into}/file", content=content, headers={"Content-Type": "text/csv"}
    )


async def prices(flow: Flow) -> None:
    """The shipped feed of prices, which is never pulled here."""
    await flow.created("/indicators", RICE_INDICATOR)
    await flow.created("/feeds", {**shipped_document(FEED), "enabled": False})


async def test_a_file_is_read_as_a_feed_is_and_one_bad_row_concerns_itself(flow: Flow) -> None:
    unknown = await flow.post("/observations/imports", {"feed": FEED, "note": NOTE})
    assert unknown.status_code == 409
    assert "enabled false" in unknown.json()["detail"]
    await prices(flow)
    free = WHOLE.splitlines()[2].replace("Takeo,Doun Kaev,Takeo", "Kandal,X,Ta Khmau")
    content = WHOLE + free.replace("0.4800", "0")

    first = await send(flow, FEED, content)
    assert (first["seen"], first["recorded"], first["refused"]) == (6, 1, 4)
    assert [refusal["where"] for refusal in first["refusals"]] == [
        f"line {number}" for number in range(5, 9)
    ]
    assert "above zero" in first["refusals"][3]["reason"]
    assert (first["note"], first["approval_id"]) == (NOTE, None)
    (figure,) = (await flow.got("/observations", indicator=RICE))["items"]
    assert (figure["area"], figure["place"], figure["value"]) == ("21", "Takeo", 0.48)
    # The figure is its publisher's, and the hand is a person's.
    assert (figure["source"], figure["posted_by"]) == ("WFP", first["sent_by"])
    assert (figure["published"], figure["approved_by"]) == (False, None)

    # Sent again, under the same import or another, it changes nothing.
    again = await send(flow, FEED, content, into=first["id"])
    assert (again["recorded"], again["unchanged"], again["refused"]) == (1, 1, 4)
    other = await send(flow, FEED, content)
    assert (other["recorded"], other["unchanged"]) == (0, 1)
    assert len((await flow.got("/observations", indicator=RICE, revisions="all"))["items"]) == 1
    assert len(await flow.events("observations-recorded")) == 1

    listed = (await flow.got("/observations/imports", feed=FEED))["items"]
    assert [each["id"] for each in listed] == [other["id"], first["id"]]
    assert await flow.got(f"/observations/imports/{first['id']}") == again


async def test_who_sent_what_is_in_the_audit_record(flow: Flow) -> None:
    await prices(flow)
    first = await send(flow, FEED, WHOLE)
    rows = await flow.owner.fetch(
        "SELECT subject, after FROM triggers.audit_record WHERE operation LIKE 'PUT %/file' "
        "ORDER BY id"
    )
    told = [json.loads(row["after"]) for row in rows]
    assert {row["subject"] for row in rows} == {first["sent_by"]}
    assert [each["digest"] for each in told] == [first["digest"]] * 2
    assert (told[-1]["recorded"], told[-1]["feed_code"]) == (1, FEED)


async def test_what_a_pull_brings_later_is_known_from_the_file_and_the_other_way_round(
    flow: Flow,
) -> None:
    worker = create_worker()
    async with publishing() as publisher:
        publisher.answers["/prices.csv"] = always(WHOLE)
        await flow.created("/indicators", RICE_INDICATOR)
        address = {"url": f"{publisher.url}/prices.csv"}
        await flow.created("/feeds", {**shipped_document(FEED), **address})
        await send(flow, FEED, WHOLE)
        flow.go_to(TODAY + timedelta(days=1))
        assert await worker.step("pull") == 1
        (pulled,) = (await flow.got(f"/feeds/{FEED}/pulls"))["items"]
        assert (pulled["recorded"], pulled["unchanged"]) == (0, 1)
        assert (await send(flow, FEED, WHOLE))["unchanged"] == 1
        # A price that changed was published when it was seen to have.
        await send(flow, FEED, WHOLE.replace("0.4800", "0.4900", 1))
    await worker.close()
    (figure,) = (await flow.got("/observations", indicator=RICE))["items"]
    assert (figure["value"], figure["revision"]) == (0.49, 2)
    assert figure["published_on"] == (TODAY + timedelta(days=1)).isoformat()


async def test_what_is_doubtful_of_a_file_is_set_aside_once(flow: Flow) -> None:
    await flow.created("/indicators", {**RICE_INDICATOR, "places": "listed"})
    await flow.created("/feeds", {**shipped_document(FEED), "enabled": False})
    first = await send(flow, FEED, WHOLE)
    assert (first["recorded"], first["set_aside"]) == (0, 1)
    (doubtful,) = (await flow.got("/doubtful-observations"))["items"]
    assert (doubtful["reason"], doubtful["posted_by"]) == ("place-unknown", first["sent_by"])
    assert (await send(flow, FEED, WHOLE))["unchanged"] == 1
    assert len((await flow.got("/doubtful-observations"))["items"]) == 1


async def test_a_row_in_another_unit_is_brought_into_the_indicators_or_set_aside_alone(
    flow: Flow,
) -> None:
    gauges = {"name": "Stage", "unit": "metres", "kind": "river_stage", "area_level": "province"}
    await flow.created("/indicators", {**gauges, "code": "stage"})
    await flow.created(
        "/feeds",
        {
            "code": "gauges",
            "name": "Stages of the Mekong",
            "url": "https://gauges.example/stages.json",
            "source": "MRC",
            "format": {"kind": "observations", "indicators": ["stage"]},
            **AWAY,
        },
    )
    day = {"source": "MRC", "observed_on": str(TODAY), "published_on": str(TODAY)}
    content = json.dumps(
        [
            {
                "indicator": "stage",
                "unit": "cm",
                "observations": [
                    {**day, "area": "10", "place": "Kratie", "value": 1_850},
                    {**day, "area": "03", "place": "Kompong Cham", "value": 40, "unit": "ft"},
                    {**day, "area": "12", "place": "Bassac", "value": 9, "unit": "m3/s"},
                ],
            },
            {
                "indicator": "stage",
                "unit": "metres",
                "observations": [{**day, "area": "19", "place": "Stung Treng", "value": 7.5}],
            },
        ]
    )
    first = await send(flow, "gauges", content)
    assert (first["recorded"], first["set_aside"], first["refused"]) == (3, 1, 0)
    figures = (await flow.got("/observations", indicator="stage"))["items"]
    kept = {
        figure["place"]: (figure["value"], figure["said_value"], figure["said_unit"])
        for figure in figures
    }
    assert kept == {
        "Kratie": (18.5, 1_850, "cm"),
        "Kompong Cham": (12.192, 40, "ft"),
        "Stung Treng": (7.5, None, None),
    }
    (doubtful,) = (await flow.got("/doubtful-observations"))["items"]
    assert (doubtful["reason"], doubtful["posted"]["unit"]) == ("unit-differs", "m3/s")
    assert "in m3/s, and the indicator in metres" in doubtful["says"]
    again = await send(flow, "gauges", content)
    assert (again["recorded"], again["unchanged"]) == (0, 3)
    assert len((await flow.got("/doubtful-observations"))["items"]) == 1


async def test_two_figures_of_a_file_that_contradict_each_other_are_held_against_each_other(
    working: Flow,
) -> None:
    flow = working
    flow.go_to(TODAY)
    await flow.created("/indicators", FLOOD_INDICATOR)
    members = {"name": "Forecast", "unit": "m3/s", "kind": "discharge", "area_level": "province"}
    await flow.created("/indicators", {**members, "code": "forecast", "forecast": True})
    await flow.created(
        "/feeds",
        {
            "code": "ncdm",
            "name": "Reports of the committee",
            "url": "https://ncdm.example/reports.json",
            "source": "NCDM",
            "format": {
                "kind": "observations",
                "indicators": [FLOOD_INDICATOR["code"], "forecast"],
            },
            **AWAY,
        },
    )
    row = {"area": "01", "source": "NCDM", "observed_on": str(TODAY), "published_on": str(TODAY)}
    said = [{**row, "value": 26_000}, {**row, "value": 2_600}, {**row, "value": 2_600}]
    # The members of one forecast contradict each other nowhere.
    forecast = [{**row, "place": "Kratie", "value": 40_000 + n, "member": n} for n in range(5)]
    content = json.dumps(
        [
            {"indicator": FLOOD_INDICATOR["code"], "unit": "households", "observations": said},
            {"indicator": "forecast", "unit": "m3/s", "observations": forecast},
        ]
    )
    first = await send(flow, "ncdm", content)
    assert (first["recorded"], first["unchanged"], first["refused"]) == (7, 1, 0)
    await flow.caught_up()
    (doubtful,) = (await flow.got("/doubtful-observations"))["items"]
    assert (doubtful["reason"], doubtful["posted"]["value"]) == ("contradiction", "26000")
    (counts,) = (await flow.got("/observations", indicator=FLOOD_INDICATOR["code"]))["items"]
    assert counts["value"] == 2_600
    again = await send(flow, "ncdm", content)
    assert (again["recorded"], again["unchanged"]) == (0, 8)


async def test_a_price_of_another_package_is_one_of_the_indicators_quantity(flow: Flow) -> None:
    await flow.created("/indicators", {**RICE_INDICATOR, "places": "listed"})
    document = {**shipped_document(FEED), "enabled": False}
    (series,) = document["format"]["series"]
    riel = {**document["format"], "series": [{**series, "currency": "KHR"}]}
    refused = await flow.post("/feeds", {**document, "format": riel})
    assert refused.status_code == 409
    assert "in KHR/KG, and 'rice-wholesale-price' is in USD/KG" in refused.json()["detail"]
    half = {**document["format"], "series": [{**series, "unit": "500 G"}]}
    await flow.created("/feeds", {**document, "format": half})

    # What is set aside for its place is the same on another day, in whichever package.
    content = WHOLE.replace(",KG,", ",500 G,")
    assert (await send(flow, FEED, content))["set_aside"] == 1
    flow.go_to(TODAY + timedelta(days=2))
    assert (await send(flow, FEED, content))["unchanged"] == 1
    await flow.created("/places", {"code": "t", "name": "Takeo", "kind": "market", "area": "21"})
    (doubtful,) = (await flow.got("/doubtful-observations"))["items"]
    async with flow.client_of(CHECKER) as checker:
        released = await checker.post(
            f"/doubtful-observations/{doubtful['id']}/release", json={"reason": "It is listed now."}
        )
    assert released.status_code == 200, released.text
    (figure,) = (await flow.got("/observations", indicator=RICE))["items"]
    assert (figure["value"], figure["said_value"]) == (0.96, 0.48)
    assert figure["said_unit"] == "USD/500 G"
    assert (await send(flow, FEED, content))["unchanged"] == 1


async def test_what_a_trigger_in_force_reads_waits_for_a_second_person(working: Flow) -> None:
    flow = working
    flow.go_to(TODAY)
    await flow.set_up(FLOOD_INDICATOR, FLOOD_IMPACT)
    await flow.created("/indicators", {**FLOOD_INDICATOR, "code": "houses", "unit": "houses"})
    await flow.created(
        "/feeds",
        {
            "code": "ncdm",
            "name": "Reports of the committee",
            "url": "https://ncdm.example/reports.json",
            "source": "NCDM",
            "format": {"kind": "observations", "indicators": [FLOOD_INDICATOR["code"], "houses"]},
            **AWAY,
        },
    )
    row = {"source": "NCDM", "observed_on": str(TODAY), "published_on": str(TODAY)}
    content = json.dumps(
        [
            {
                "indicator": FLOOD_INDICATOR["code"],
                "unit": "households",
                "observations": [
                    {**row, "area": "01", "value": 24_156},
                    {**row, "area": "98", "value": 3},
                ],
            },
            {
                "indicator": "houses",
                "unit": "houses",
                "observations": [{**row, "area": "01", "value": 9}],
            },
        ]
    )
    first = await send(flow, "ncdm", content)
    # No trigger reads the houses; of the others one is nowhere, and one waits.
    assert (first["recorded"], first["proposed"], first["refused"]) == (1, 1, 1)
    assert "gazetteer" in first["refusals"][0]["reason"]
    (proposal,) = await flow.proposals("observation_import")
    assert proposal["id"] == first["approval_id"]
    assert "sent by hand and read as the feed 'ncdm'" in proposal["what"]
    assert proposal["reason"] == NOTE
    await flow.caught_up()
    assert not await flow.activations()

    # It is asked once, however often the file comes, and not by whoever sent it.
    again = await send(flow, "ncdm", content, into=first["id"])
    assert (again["approval_id"], again["recorded"]) == (first["approval_id"], 1)
    own = await flow.client.post(f"/approvals/{proposal['id']}/approval", json={"reason": "Mine."})
    assert own.status_code in (403, 409)
    assert (await flow.decide(proposal)).status_code == 200
    await flow.caught_up()
    (activation,) = await flow.activations()
    assert activation["trigger"] == FLOOD_IMPACT
    (figure,) = (await flow.got("/observations", indicator=FLOOD_INDICATOR["code"]))["items"]
    assert (figure["posted_by"], figure["approved_by"]) == (first["sent_by"], CHECKER)
    assert (await flow.got(f"/observations/imports/{first['id']}"))["recorded"] == 2

    # What is known is proposed to nobody.
    last = await send(flow, "ncdm", content)
    assert (last["recorded"], last["unchanged"], last["proposed"]) == (0, 2, 0)
    assert last["approval_id"] is None


async def test_more_than_a_person_looks_through_is_refused_before_anything_is_recorded(
    flow: Flow,
) -> None:
    await prices(flow)
    await flow.created("/triggers", shipped_definition("rice-price-spike"))
    header, _, line = WHOLE.splitlines()[:3]
    lines = [line.replace("Takeo,Doun Kaev,Takeo", f"Takeo,D,M{n}") for n in range(2_001)]
    refused = await sent(flow, FEED, "\n".join([header, *lines]))
    assert refused.status_code == 422, refused.text
    assert "2,001 values" in refused.json()["detail"]
    assert not (await flow.got("/observations", indicator=RICE, revisions="all"))["items"]
    assert not await flow.proposals("observation_import")


async def test_alerts_come_alone_or_in_an_atom_feed_and_nothing_is_fetched(flow: Flow) -> None:
    indicator = {**FLOOD_INDICATOR, "code": "alerts", "unit": "rank", "kind": "alert"}
    await flow.created("/indicators", indicator)
    await flow.created(
        "/feeds",
        {
            "code": "mowram",
            "name": "Warnings of floods",
            "url": "https://mowram.example/alerts",
            "source": "MOWRAM",
            "format": {"kind": "cap-atom", "series": [{"indicator": "alerts"}]},
            **AWAY,
        },
    )
    alone = await send(flow, "mowram", alert("a1", sent="2026-01-05T11:00:00+07:00"))
    assert alone["recorded"] == 2
    embedded = alert("a1", sent="2026-01-05T11:00:00+07:00").decode().partition("?>")[2]
    atom = f"""<feed xmlns="http://www.w3.org/2005/Atom">
        <entry><content type="text/xml">{embedded}</content></entry>
        <entry><link href="/a2.cap" type="application/cap+xml"/></entry></feed>"""
    both = await send(flow, "mowram", atom)
    assert (both["recorded"], both["unchanged"]) == (0, 2)
    assert "not fetched" in " ".join(refusal["reason"] for refusal in both["refusals"])


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "It has no column"),
        (b"\xff\xfe\x00", "no text in UTF-8"),
        (b"a,b\n1,2\n", "It has no column"),
        (b"{}", "It has no column"),
    ],
)
async def test_what_is_no_such_file_is_said_to_be_none(
    flow: Flow, content: bytes, says: str
) -> None:
    await prices(flow)
    refused = await sent(flow, FEED, content)
    assert refused.status_code == 422
    assert says in refused.json()["detail"]
    (kept,) = (await flow.got("/observations/imports"))["items"]
    assert (kept["read_at"], kept["digest"]) == (None, None)


async def test_a_file_is_as_large_as_its_feed_says_and_one_import_is_one_file(flow: Flow) -> None:
    await flow.created("/indicators", RICE_INDICATOR)
    document = {**shipped_document(FEED), "maximum_bytes": 1_024, "enabled": False}
    await flow.created("/feeds", document)
    small = "\n".join(WHOLE.splitlines()[:3]) + "\n"
    first = await send(flow, FEED, small)
    assert first["recorded"] == 1
    other = await sent(flow, FEED, small + "\n", into=first["id"])
    assert other.status_code == 409
    large = await sent(flow, FEED, small + "\n" * 1_024)
    assert large.status_code == 413
    assert "1,024 bytes" in large.json()["detail"]
    nowhere = await sent(flow, FEED, small, into=str(uuid4()))
    assert nowhere.status_code == 404
