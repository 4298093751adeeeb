"""Why it fired, or why not, over HTTP: in two languages, with its figures, drawn, on a page."""

from datetime import date
from html import escape
from typing import Any

import httpx

from shared.ids import new_id
from tests.triggers.data import FLOOD_INDICATOR, flood_reports
from tests.triggers.flow import Flow

TRIGGER = "flood-reported-impact"
PNG = b"\x89PNG"
HOSTILE = "Said by telephone: </p><script>alert(1)</script> $\\frac{1}{$ <![CDATA[ ]]> && \"'"


async def fired(flow: Flow) -> dict[str, Any]:
    """The activation of October 2020 by its first two reports, of which one widens nothing."""
    flow.go_to(date(2020, 10, 1))
    await flow.set_up(FLOOD_INDICATOR, TRIGGER)
    for day, rows in list(flood_reports())[:2]:
        flow.go_to(day)
        await flow.record(FLOOD_INDICATOR, [*rows, _small(day)])
        await flow.caught_up()
    (activation,) = await flow.activations()
    return activation


def _small(day: date) -> dict[str, Any]:
    """Kratie, below what an area is taken in from."""
    return {
        "area": "10",
        "source": "HRF",
        "observed_on": day.isoformat(),
        "published_on": day.isoformat(),
        "value": 12,
    }


async def test_an_activation_says_why_in_both_languages_with_everything_it_used(
    working: Flow,
) -> None:
    activation = await fired(working)
    path = f"/activations/{activation['id']}/evidence"
    evidence = await working.got(path)

    english = " ".join(said["en"] for said in evidence["said"])
    khmer = " ".join(said["km"] for said in evidence["said"])
    total = evidence["evaluations"][-1]["evidence"]["national_households"]
    assert f"counts {total:,} households" in english
    assert "Activation needs 20,000 households" in english
    assert "២០,០០០" in khmer
    assert "ខេត្តបាត់ដំបង" in khmer
    assert evidence["document"] == f"/v1/triggers/{TRIGGER}/versions/1"

    decisive = [each for each in evidence["evaluations"] if each["evidence"]]
    assert [each["outcome"] for each in evidence["evaluations"]] == ["proposed", "quiet"]
    assert [each["judged_on"] for each in decisive] == ["2020-10-14"]
    (figures,) = evidence["figures"]
    assert figures["known_until"] == decisive[0]["known_at"]
    # All that is needed to judge it again: what each area's figure was, and by which report.
    highest = {
        area["area"]: area["households"]
        for area in decisive[0]["evidence"]["areas"]
        if area["households"] is not None
    }
    known: dict[str, float] = {}
    for row in figures["items"]:
        if row["value"] is not None:
            known[row["area"]] = max(known.get(row["area"], 0), row["value"])
    assert known == highest
    listed = await working.got(figures["path"].removeprefix("/v1"))
    assert len(listed["items"]) == figures["count"] == len(figures["items"])

    assert [area["area"] for area in evidence["areas_reached"]] == ["01", "02", "15", "20"]
    left = {area["area"]: area for area in evidence["areas_not_reached"]}
    assert left["10"]["name"]["en"] == "Kratié"
    assert "below" in left["10"]["because"]["en"]
    # Two that were named have no commune that floods often enough for the filter.
    assert left.keys() == {"10", "19", "24"}
    assert all("filter takes no commune" in left[area]["because"]["en"] for area in ("19", "24"))
    assert evidence["estimate"]["ceiling_households"] == 200_000

    for name, begins in (("chart.png", PNG), ("map.svg", b"<?xml")):
        answer = await working.client.get(f"{path}/{name}", params={"language": "km"})
        assert answer.status_code == 200, answer.text
        assert answer.content.startswith(begins)
    again = await working.client.get(
        f"{path}/map.svg",
        params={"language": "km"},
        headers={"If-None-Match": answer.headers["ETag"]},
    )
    assert (again.status_code, again.content) == (304, b"")
    assert "style-src" in answer.headers["Content-Security-Policy"]
    english_map = await working.client.get(f"{path}/map.svg")
    assert english_map.headers["ETag"] != answer.headers["ETag"]


async def test_an_evaluation_says_why_it_did_not_fire(working: Flow) -> None:
    working.go_to(date(2020, 10, 12))
    await working.set_up(FLOOD_INDICATOR, TRIGGER)
    await working.record(FLOOD_INDICATOR, [_small(date(2020, 10, 12))])
    await working.caught_up()
    (evaluation,) = await working.evaluations(TRIGGER)
    path = f"/triggers/{TRIGGER}/evaluations/{evaluation['id']}/evidence"
    evidence = await working.got(path)
    assert (evidence["activation_id"], evidence["estimate"]) == (None, None)
    assert "did not fire" in evidence["said"][-1]["en"]
    assert evidence["areas_reached"] == []
    assert [area["area"] for area in evidence["areas_not_reached"]] == ["10"]
    assert (await working.client.get(f"{path}/chart.svg")).status_code == 200
    unknown = f"/triggers/{TRIGGER}/evaluations/{new_id()}/evidence"
    assert (await working.client.get(unknown)).status_code == 404


async def test_a_declared_activation_has_a_map_and_a_page_that_nothing_written_breaks(
    flow: Flow,
) -> None:
    flow.go_to(date(2022, 10, 2))
    await flow.set_up(FLOOD_INDICATOR, TRIGGER)
    proposal = await flow.post(
        "/activations",
        {
            "trigger": TRIGGER,
            "areas": ["12", "0801"],
            "severity": "severe",
            "observed_on": "2022-10-02",
            "reason": HOSTILE,
        },
    )
    assert proposal.status_code == 202, proposal.text
    # Whoever decides is led to it.
    path = proposal.json()["document"]["evidence"].removeprefix("/v1")
    evidence = await flow.got(path)
    assert evidence["estimate"]["proposal"] == f"/v1/approvals/{proposal.json()['id']}"
    assert evidence["estimate"]["households"] == proposal.json()["households"]
    assert evidence["pictures"]["chart_svg"] is None
    chart = await flow.client.get(f"{path}/chart.svg")
    assert chart.status_code == 404
    assert "map.svg" in chart.json()["detail"]
    page = await flow.client.get(f"{path}.html")
    assert page.status_code == 200
    assert_safe(page)


def assert_safe(page: httpx.Response) -> None:
    assert "<script" not in page.text
    assert escape(HOSTILE) in page.text
    policy = page.headers["Content-Security-Policy"]
    assert "script-src" not in policy
    assert policy.startswith("default-src 'none'")
