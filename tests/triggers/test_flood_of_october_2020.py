"""The floods of October 2020, report by report, over HTTP: opens once, widens, never shrinks."""

from datetime import date, timedelta

from tests.triggers.data import FLOOD_INDICATOR, flood_reports
from tests.triggers.flow import Flow

TRIGGER = "flood-reported-impact"
BEFORE = date(2020, 10, 1)
"""The clock only goes on: what is put in force is judged at once, by the day that it is then."""


async def replay(flow: Flow) -> None:
    flow.go_to(BEFORE)
    await flow.set_up(FLOOD_INDICATOR, TRIGGER)
    for day, rows in flood_reports():
        flow.go_to(day)
        await flow.record(FLOOD_INDICATOR, rows)
        await flow.caught_up()


async def test_it_opens_on_the_first_report_and_widens_with_the_last(working: Flow) -> None:
    await replay(working)
    (activation,) = await working.activations()
    assert (activation["state"], activation["opened_on"]) == ("open", "2020-10-12")
    assert (activation["evidence_from"], activation["evidence_to"]) == (
        "2020-10-12",
        "2020-10-20",
    )
    assert len(activation["areas"]) == 19

    (opened,) = await working.events("activation-opened")
    assert opened == {
        "activation_id": activation["id"],
        "trigger": TRIGGER,
        "trigger_version": 1,
        "scheme": "flood-2022",
        "shock": "flood",
        "areas": ["01", "02", "15", "19", "20", "24"],
        "area_filter": "flood_hazard_index >= 5",
        "severity": "severe",
        "opened_on": "2020-10-12",
        "observed_on": "2020-10-12",
        # Those of its trigger: it opened by itself.
        "ceiling_households": 200_000,
        "ceiling_minor": 120_000_000_000,
    }
    (widened,) = await working.events("activation-widened")
    assert widened["activation_id"] == activation["id"]
    assert widened["observed_on"] == "2020-10-20"
    assert widened["areas"] == [
        *("03", "04", "05", "06", "08", "09", "11", "12", "13", "17", "18", "21", "22")
    ]


async def test_every_evaluation_says_which_report_decided(working: Flow) -> None:
    await replay(working)
    evaluations = await working.evaluations(TRIGGER)
    assert [(evaluation["judged_on"], evaluation["outcome"]) for evaluation in evaluations] == [
        ("2020-10-12", "proposed"),
        ("2020-10-14", "quiet"),
        ("2020-10-16", "quiet"),
        ("2020-10-19", "raised"),
        ("2020-10-20", "widened"),
    ]
    figures = {each["area"]: each for each in evaluations[3]["evidence"]["areas"]}
    # Pursat was 18,365 on the 14th and 15,622 on the 19th.
    assert figures["15"] == {
        "area": "15",
        "households": 18365,
        "source": "HRF",
        "reported_on": "2020-10-14",
        "published_on": "2020-10-14",
        "taken_in": True,
    }
    assert figures["24"]["households"] is None
    assert evaluations[3]["evidence"]["national_households"] == 103_888


async def test_everything_judged_again_changes_nothing(working: Flow) -> None:
    await replay(working)
    before = await working.activations(), await working.evaluations(TRIGGER)
    await working.owner.execute("UPDATE triggers.indicator SET judge_at = '2020-01-01'")
    await working.caught_up()
    assert (await working.activations(), await working.evaluations(TRIGGER)) == before
    assert len(await working.events("activation-opened")) == 1
    assert len(await working.events("activation-widened")) == 1


async def test_a_partner_follows_it_in_the_feed_page_by_page(working: Flow) -> None:
    await replay(working)
    types: list[str] = []
    more: dict[str, str] = {}
    while True:
        page = await working.got("/events", limit=2, **more)
        if not page["items"]:
            break
        types += [event["type"].split(".")[2] for event in page["items"]]
        more = {"cursor": page["next_cursor"]}
    recorded = "observations-recorded"
    assert types == [
        *(recorded, "trigger-readied", "activation-opened"),
        *[recorded] * 4,
        # With the last report there are more areas to prepare, and to pay in.
        *("trigger-readied", "activation-widened"),
    ]


async def test_a_report_sent_twice_changes_nothing(working: Flow) -> None:
    await replay(working)
    for _, rows in flood_reports():
        recorded = await working.record(FLOOD_INDICATOR, rows)
        assert (recorded["recorded"], recorded["unchanged"]) == (0, len(rows))
    assert len(await working.events("observations-recorded")) == 5


async def test_september_2021_does_not_fire_and_ends_the_widening(working: Flow) -> None:
    await replay(working)
    day = date(2021, 9, 29)
    working.go_to(day)
    await working.record(
        FLOOD_INDICATOR,
        [
            {
                "area": area,
                "source": "HRF",
                "observed_on": day.isoformat(),
                "published_on": day.isoformat(),
                "value": value,
            }
            for area, value in (("01", 9000), ("02", 8000), ("15", 2193))
        ],
    )
    await working.caught_up()
    (activation,) = await working.activations()
    assert activation["state"] == "closed"
    assert len(activation["areas"]) == 19
    last = (await working.evaluations(TRIGGER))[-1]
    assert (last["stage"], last["outcome"]) == ("readiness", "none")
    assert last["evidence"]["national_households"] == 19193


async def test_a_later_flood_opens_another_activation(working: Flow) -> None:
    await replay(working)
    day = date(2022, 10, 2)
    working.go_to(day)
    row = {"source": "HRF", "observed_on": day.isoformat(), "published_on": day.isoformat()}
    await working.record(FLOOD_INDICATOR, [{**row, "area": "02", "value": 26_000}])
    await working.caught_up()
    first, second = await working.activations()
    assert (first["state"], second["state"]) == ("closed", "open")
    assert [area["area"] for area in second["areas"]] == ["02"]


async def test_old_reports_are_history_and_open_nothing(working: Flow) -> None:
    working.go_to(BEFORE)
    await working.set_up(FLOOD_INDICATOR, TRIGGER)
    last = date(2020, 10, 20)
    working.go_to(last + timedelta(days=93))
    for _, rows in flood_reports():
        await working.record(FLOOD_INDICATOR, rows)
    await working.caught_up()
    assert await working.activations() == []
    assert await working.evaluations(TRIGGER) == []


async def test_a_late_report_of_the_same_flood_widens_it(working: Flow) -> None:
    await replay(working)
    working.go_to(date(2020, 12, 1))
    row = {"source": "NCDM", "observed_on": "2020-11-15", "published_on": "2020-11-20"}
    await working.record(FLOOD_INDICATOR, [{**row, "area": "14", "value": 1_500}])
    await working.caught_up()
    (activation,) = await working.activations()
    assert activation["state"] == "open"
    assert "14" in {area["area"] for area in activation["areas"]}
    assert activation["evidence_to"] == "2020-11-15"


async def test_a_correction_of_a_report_replaces_it(working: Flow) -> None:
    working.go_to(BEFORE)
    await working.set_up(FLOOD_INDICATOR, TRIGGER)
    day = date(2020, 10, 12)
    working.go_to(day)
    row = {
        "area": "02",
        "source": "HRF",
        "observed_on": day.isoformat(),
        "published_on": day.isoformat(),
    }
    await working.record(FLOOD_INDICATOR, [{**row, "value": 15_000}])
    await working.caught_up()
    next_day = date(2020, 10, 13)
    working.go_to(next_day)
    corrected = {**row, "published_on": next_day.isoformat(), "value": 1_500}
    await working.record(FLOOD_INDICATOR, [corrected])
    await working.caught_up()
    # A report of the first day that comes late: with what it said before, the first would have
    # been enough. It is known by now that it was wrong, and nothing begins.
    await working.record(FLOOD_INDICATOR, [{**row, "area": "15", "value": 18_000}])
    await working.caught_up()
    told = [
        (evaluation["decided_on"], evaluation["stage"], evaluation["outcome"])
        for evaluation in await working.evaluations(TRIGGER)
    ]
    assert told == [
        ("2020-10-12", "readiness", "none"),
        ("2020-10-13", "none", "none"),
        ("2020-10-12", "activation", "quiet"),
        ("2020-10-13", "readiness", "none"),
    ]
    assert await working.activations() == []
