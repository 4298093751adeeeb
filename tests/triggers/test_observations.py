"""Observations over HTTP: sets, revisions, one event for each batch, and append-only."""

import asyncio
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import asyncpg
import pytest
from sqlalchemy.engine import make_url

from services.registry.areas.gazetteer import shipped_areas
from services.registry.areas.tables import Level
from shared.clock import FileClock, set_clock
from tests.exposition import watched
from tests.server import eventually
from tests.triggers.data import FLOOD_INDICATOR, RICE_INDICATOR
from tests.triggers.flow import PUBLISHER, Flow, batch

DAY = date(2020, 10, 12)


def row(area: str = "02", value: object = 100, **changes: Any) -> dict[str, Any]:
    return {
        "area": area,
        "source": "HRF",
        "observed_on": "2020-10-12",
        "published_on": "2020-10-12",
        "value": value,
        **changes,
    }


@pytest.fixture
async def flood(flow: Flow) -> Flow:
    flow.go_to(DAY)
    await flow.created("/indicators", FLOOD_INDICATOR)
    return flow


async def test_a_batch_is_one_event(flood: Flow) -> None:
    earlier = row("15", observed_on="2020-10-10")
    recorded = await flood.record(FLOOD_INDICATOR, [row("02"), row("01", None), earlier])
    assert recorded == {
        "indicator": "flood-affected-households",
        "received": 3,
        "recorded": 3,
        "unchanged": 0,
        # What is published of an event is judged at once.
        "judged_at": recorded["judged_at"],
        "set_aside": 0,
        "old": 0,
        "areas_unchecked": [],
    }
    assert recorded["judged_at"].startswith("2020-10-12T12:00:")
    assert await flood.events("observations-recorded") == [
        {
            "indicator": "flood-affected-households",
            "count": 3,
            "first_on": "2020-10-10",
            "last_on": "2020-10-12",
        }
    ]


async def test_the_same_batch_again_is_no_event_and_no_row(flood: Flow) -> None:
    rows = [row("02"), row("01", None)]
    await flood.record(FLOOD_INDICATOR, rows)
    again = await flood.record(FLOOD_INDICATOR, rows)
    assert (again["recorded"], again["unchanged"]) == (0, 2)
    assert len(await flood.events("observations-recorded")) == 1


async def test_every_word_on_a_thing_is_kept_and_the_latest_published_counts(flood: Flow) -> None:
    recorded = [
        await flood.record(FLOOD_INDICATOR, [row(value=value, issue=issue)])
        for issue, value in ((1, 100), (2, 120), (3, None), (2, 130), (3, 110), (1, 100))
    ]
    # What contradicts an issue is set aside once it is judged; what was said first, and is sent
    # again at last, changes nothing.
    assert [(each["recorded"], each["set_aside"]) for each in recorded] == [
        *((1, 0), (1, 0), (1, 0), (1, 0), (1, 0), (0, 0)),
    ]
    query = {"indicator": FLOOD_INDICATOR["code"]}
    (latest,) = (await flood.got("/observations", **query))["items"]
    assert (latest["issue"], latest["value"]) == (3, 110)
    everything = (await flood.got("/observations", **query, revisions="all"))["items"]
    assert [(kept["revision"], kept["value"]) for kept in everything] == [
        (1, 100),
        (2, 120),
        (3, None),
        (4, 130),
        (5, 110),
    ]


async def test_two_sources_are_kept_side_by_side_with_their_totals(flood: Flow) -> None:
    total = row("KH", source="NCDM", value=104_348)
    await flood.record(FLOOD_INDICATOR, [row(), row(source="NCDM", value=90), total])
    items = (await flood.got("/observations", indicator=FLOOD_INDICATOR["code"]))["items"]
    assert [(kept["area"], kept["source"], kept["revision"]) for kept in items] == [
        ("02", "HRF", 1),
        ("02", "NCDM", 1),
        ("KH", "NCDM", 1),
    ]


WRONG_ROWS = [
    (row("0201"), "/area"),
    (row("2"), "/area"),
    (row("15"), ""),
    (row(published_on="2020-10-13"), "/published_on"),
    (row(published_on="2020-10-11"), "/observed_on"),
    (row(value=1.5), "/value"),
    (row(value=-1), "/value"),
    (row(value="NaN"), "/value"),
    (row(note="?"), "/note"),
]


async def test_one_wrong_row_and_nothing_is_saved(flood: Flow) -> None:
    for wrong, field in WRONG_ROWS:
        answer = await flood.post(
            "/observations",
            {
                "indicator": FLOOD_INDICATOR["code"],
                "unit": "households",
                "observations": [row("15"), wrong],
            },
        )
        assert answer.status_code == 422, answer.text
        pointers = [error["pointer"] for error in answer.json()["errors"]]
        assert pointers == [f"/body/observations/1{field}"]
    assert await flood.events("observations-recorded") == []
    listed = await flood.got("/observations", indicator=FLOOD_INDICATOR["code"])
    assert listed["items"] == []


async def test_a_price_is_monthly_positive_and_at_a_market(flow: Flow) -> None:
    flow.go_to(DAY)
    await flow.created("/indicators", RICE_INDICATOR)
    right = row(place="Boeung Chhouk", observed_on="2020-09-01", value=0.47)
    wrongs: list[tuple[str, Any]] = [("observed_on", "2020-09-02"), ("value", 0), ("place", None)]
    for field, value in wrongs:
        body = {
            "indicator": RICE_INDICATOR["code"],
            "unit": "USD/KG",
            "observations": [{**right, field: value}],
        }
        answer = await flow.post("/observations", body)
        assert answer.status_code == 422
        (error,) = answer.json()["errors"]
        assert error["pointer"] == f"/body/observations/0/{field}"
    assert (await flow.record(RICE_INDICATOR, [right]))["recorded"] == 1


async def test_another_unit_is_refused(flood: Flow) -> None:
    body = {"indicator": FLOOD_INDICATOR["code"], "unit": "persons", "observations": [row()]}
    answer = await flood.post("/observations", body)
    assert answer.status_code == 422
    assert "households" in answer.json()["detail"]


async def test_observations_of_an_unknown_indicator_are_refused(flow: Flow) -> None:
    body = {"indicator": "no-such", "unit": "households", "observations": [row()]}
    assert (await flow.post("/observations", body)).status_code == 409


async def test_concurrent_batches_of_one_key_make_consecutive_revisions(flood: Flow) -> None:
    flood.go_to(date(2020, 10, 31))
    days = [f"2020-10-{day}" for day in range(12, 20)]
    await asyncio.gather(
        *(
            flood.record(FLOOD_INDICATOR, [row(value=100 + turn, published_on=day)])
            for turn, day in enumerate(days)
        )
    )
    listed = await flood.got("/observations", indicator=FLOOD_INDICATOR["code"], revisions="all")
    assert [observation["revision"] for observation in listed["items"]] == list(range(1, 9))
    assert sorted(observation["value"] for observation in listed["items"]) == list(range(100, 108))


async def test_filters_and_pages(flood: Flow) -> None:
    areas = ["01", "02", "03", "04", "05"]
    await flood.record(
        FLOOD_INDICATOR,
        [row(area) for area in areas] + [row("01", observed_on="2020-10-01")],
    )
    query = {"indicator": FLOOD_INDICATOR["code"]}
    found, cursor = [], None
    while True:
        more: dict[str, str] = {"cursor": cursor} if cursor else {}
        page = await flood.got(
            "/observations", **query, observed_from="2020-10-02", limit=2, **more
        )
        found += [observation["area"] for observation in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert found == areas
    only = await flood.got("/observations", **query, area="01", observed_to="2020-10-05")
    assert [observation["observed_on"] for observation in only["items"]] == ["2020-10-01"]
    unknown = await flood.client.get("/observations", params={"indicator": "no-such"})
    assert unknown.status_code == 404


async def test_the_service_role_cannot_change_or_delete_what_is_evidence(
    environment: dict[str, str],
) -> None:
    url = make_url(environment["TRIGGERS_DATABASE_URL"]).set(drivername="postgresql")
    connection = await asyncpg.connect(url.render_as_string(hide_password=False))
    columns = {
        "indicator": "unit",
        "observation": "value",
        "trigger_definition": "document",
        "evaluation": "evidence",
        "activation": "reason",
        "activation_area": "area_code",
        "activation_move": "reason",
    }
    try:
        for table, column in columns.items():
            for statement in (
                f"DELETE FROM triggers.{table}",
                f"TRUNCATE triggers.{table}",
                f"UPDATE triggers.{table} SET {column} = NULL",
            ):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.execute(statement)
    finally:
        await connection.close()


async def test_five_thousand_rows_are_taken_and_one_more_is_not(flood: Flow) -> None:
    villages = {**FLOOD_INDICATOR, "code": "by-village", "area_level": "village"}
    await flood.created("/indicators", villages)
    codes = [area.code for area in shipped_areas() if area.level is Level.VILLAGE]
    rows = [row(code) for code in codes[:5_001]]
    too_many = {"indicator": "by-village", "unit": "households", "observations": rows}
    assert (await flood.post("/observations", too_many)).status_code == 422
    recorded = await flood.record(villages, rows[:5_000])
    assert recorded["recorded"] == 5_000


FORECAST = {**FLOOD_INDICATOR, "code": "flood-forecast-households", "forecast": True}


async def test_a_forecast_is_published_before_the_day_that_it_is_about(flood: Flow) -> None:
    assert not (await flood.got(f"/indicators/{FLOOD_INDICATOR['code']}"))["forecast"]
    assert (await flood.created("/indicators", FORECAST))["forecast"]
    ahead = row(observed_on="2020-10-17", published_on="2020-10-12")
    assert (await flood.record(FORECAST, [ahead]))["recorded"] == 1
    to_come = {**ahead, "published_on": "2020-10-13"}
    refused = await flood.post(
        "/observations",
        {"indicator": FORECAST["code"], "unit": "households", "observations": [to_come]},
    )
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "/body/observations/0/published_on"


async def test_forecasts_of_one_day_are_kept_by_the_day_that_they_were_issued_on(
    flood: Flow,
) -> None:
    await flood.created("/indicators", FORECAST)
    flood.go_to(date(2020, 10, 14))
    first, second = (
        row(observed_on="2020-10-17", published_on=issued, value=100)
        for issued in ("2020-10-12", "2020-10-13")
    )
    # The same figure on another day is another forecast; a changed issue a revision.
    assert (await flood.record(FORECAST, [first, second]))["recorded"] == 2
    again = await flood.record(FORECAST, [first, {**second, "value": 120, "issue": 2}])
    assert (again["recorded"], again["unchanged"]) == (1, 1)
    query = {"indicator": FORECAST["code"]}
    latest = (await flood.got("/observations", **query))["items"]
    assert [(kept["published_on"], kept["revision"], kept["value"]) for kept in latest] == [
        ("2020-10-12", 1, 100),
        ("2020-10-13", 2, 120),
    ]
    assert len((await flood.got("/observations", **query, revisions="all"))["items"]) == 3


async def test_the_database_itself_takes_forecasts_of_forecast_indicators_only(
    flood: Flow,
) -> None:
    insert = """
        INSERT INTO triggers.observation (indicator_code, forecast, observed_on, area_code, place,
            source, revision, value, published_on, recorded_at, posted_by)
        VALUES ($1, $2, '2020-10-17', '02', '', 'HRF', 1, 1, '2020-10-12', now(), 'test')
    """
    with pytest.raises(asyncpg.CheckViolationError):
        await flood.owner.execute(insert, FLOOD_INDICATOR["code"], False)
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await flood.owner.execute(insert, FLOOD_INDICATOR["code"], True)


async def test_rows_say_who_posted_them(flood: Flow) -> None:
    await flood.record(FLOOD_INDICATOR, [row()])
    # No trigger reads it yet: what a person posts is history, and recorded at once.
    await flood.created("/observations", batch(FLOOD_INDICATOR, [row("15")]))
    kept = (await flood.got("/observations", indicator=FLOOD_INDICATOR["code"]))["items"]
    assert [(each["posted_by"], each["published"], each["approved_by"]) for each in kept] == [
        (PUBLISHER, True, None),
        ("officer@test", False, None),
    ]
    indicator = await flood.got(f"/indicators/{FLOOD_INDICATOR['code']}")
    assert indicator["posted_by"] == "officer@test"


async def test_a_clock_that_was_set_back_takes_nothing_and_says_so(
    flood: Flow, working: Flow
) -> None:
    """What was recorded then would never be judged, until the clock is there again."""
    await flood.record(FLOOD_INDICATOR, [row("02")])
    await flood.caught_up()
    flood.go_to(date(2020, 10, 10))
    refused = await flood.publish(
        batch(FLOOD_INDICATOR, [row("03", observed_on="2020-10-09", published_on="2020-10-09")])
    )
    assert refused.status_code == 503, refused.text
    detail = refused.json()["detail"]
    assert "The clock says 2020-10-10" in detail
    assert "until 2020-10-12" in detail
    assert "Nothing was saved" in detail
    flood.go_to(DAY)
    recorded = await flood.record(
        FLOOD_INDICATOR, [row("03", observed_on="2020-10-09", published_on="2020-10-09")]
    )
    assert recorded["recorded"] == 1


async def test_whoever_posted_figures_sees_when_they_are_judged(
    flood: Flow, run_worker: Callable[[str], Any]
) -> None:
    before = await flood.got("/events/progress")
    judged = {"consumer": "judging", "waiting": 0, "oldest_waiting_at": None, "failed": 0}
    assert (before["all_worked"], before["consumers"]) == (True, [judged])
    recorded = await flood.record(FLOOD_INDICATOR, [row()])
    waiting = await flood.got("/events/progress")
    assert not waiting["all_worked"]
    [judging] = waiting["consumers"]
    assert (judging["waiting"], judging["oldest_waiting_at"]) == (1, waiting["worked_up_to"])
    assert judging["oldest_waiting_at"][:19] == recorded["judged_at"][:19]
    told = await watched(flood.client)
    assert told.figure("events_waiting", consumer="judging") == 1
    async with run_worker("triggers"):

        async def all_is_worked() -> bool:
            return bool((await flood.got("/events/progress"))["all_worked"])

        await eventually(all_is_worked)


async def test_an_indicator_that_cannot_be_judged_says_so_until_it_can(
    flow: Flow, run_worker: Callable[[str], Any]
) -> None:
    flow.go_to(DAY)
    await flow.set_up(FLOOD_INDICATOR, "flood-reported-impact")
    path = f"/indicators/{FLOOD_INDICATOR['code']}"
    assert (await flow.got(path))["failing_since"] is None
    await flow.owner.execute("ALTER TABLE triggers.trigger_standing RENAME TO elsewhere")

    async def progress() -> dict[str, Any]:
        told = await flow.got("/events/progress")
        [judging] = told["consumers"]
        return {"all_worked": told["all_worked"], **judging}

    async def fails() -> bool:
        return bool((await progress())["failed"])

    async def is_judged() -> bool:
        return bool((await progress())["all_worked"])

    async with run_worker("triggers"):
        await flow.record(FLOOD_INDICATOR, [row()])
        await eventually(fails)
        # It is put off, and waits all the same.
        told = await progress()
        assert (told["all_worked"], told["waiting"], told["failed"]) == (False, 1, 1)
        since = (await flow.got(path))["failing_since"]
        assert since == told["oldest_waiting_at"]
        assert (await watched(flow.client)).figure("events_failed", consumer="judging") == 1
        # Since when it stays so, however often it is tried.
        clock = FileClock(flow.clock_file)
        set_clock(flow.clock_file, clock.now() + timedelta(minutes=2))

        async def is_put_off_again() -> bool:
            return bool((await flow.got(path))["judge_at"] > clock.now().isoformat())

        await eventually(is_put_off_again)
        assert (await flow.got(path))["failing_since"] == since
        await flow.owner.execute("ALTER TABLE triggers.elsewhere RENAME TO trigger_standing")
        set_clock(flow.clock_file, clock.now() + timedelta(minutes=2))
        await eventually(is_judged)
        assert (await flow.got(path))["failing_since"] is None
