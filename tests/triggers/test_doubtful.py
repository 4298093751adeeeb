"""What is doubtful over HTTP: places by a list, set aside with a reason, released or rejected."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.triggers.observations import screening
from services.triggers.places.names import PlaceName, find_place, key_of, likeliest
from shared.clock import SystemClock
from shared.database import Database
from shared.ids import new_id
from tests.triggers.data import FLOOD_INDICATOR, RICE_INDICATOR, published_in, rice_by_month
from tests.triggers.flow import PUBLISHER, REASON, Flow, batch
from tests.triggers.test_same_evidence import rejudged
from tests.two_persons import CHECKER

RICE = {**RICE_INDICATOR, "places": "listed"}
RICE_IN_RIEL = {**RICE, "code": "rice-in-riel", "unit": "KHR/KG"}
FLOOD = "flood-reported-impact"
NOBODYS_ID = "0199c1de-8000-7a54-8f62-0d6f0a6f5b30"


def listed(code: str, name: str, area: str, **changes: Any) -> dict[str, Any]:
    return {"code": code, "name": name, "kind": "market", "area": area, **changes}


async def sent(flow: Flow, path: str, body: Any, *, by: str = CHECKER) -> tuple[int, Any]:
    """The status and the body of the answer to a POST by somebody."""
    async with flow.client_of(by) as client:
        answer = await client.post(path, json=body, headers={"Idempotency-Key": str(new_id())})
    return answer.status_code, answer.json()


async def waiting(flow: Flow, **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await flow.got("/doubtful-observations", **query))["items"]
    return found


async def test_a_market_is_listed_and_what_is_doubtful_waits_for_a_person(
    flow: Flow, run_worker: Callable[[str], Any], environment: dict[str, str]
) -> None:
    month, rows = list(rice_by_month())[50]
    day = published_in(month)
    flow.go_to(day)
    await flow.created("/indicators", RICE_IN_RIEL)
    await flow.set_up(RICE, "rice-price-spike")
    history = [each for before, rows in list(rice_by_month())[35:50] for each in rows]
    markets = sorted({(row["area"], row["place"]) for row in [*history, *rows]})
    places = {}
    for position, (area, name) in enumerate(markets):
        places[name] = await flow.created("/places", listed(f"m-{position}", name, area))
    area, name = markets[0]
    assert places[name]["area"] == area
    assert await flow.got("/places/m-0") == places[name]
    assert len((await flow.got("/places", kind="market", limit=100))["items"]) == len(markets)
    assert (await flow.got("/places", kind="gauge"))["items"] == []

    # Neither a code nor a name of one area comes twice, and a place lies somewhere.
    for wrong, status in (
        (listed("m-0", "Another", area), 409),
        (listed("another", name.upper(), area), 409),
        (listed("another", "Another", "99"), 422),
        (listed("another", "...", area), 422),
        (listed("another", "Another", area, latitude=11.5), 422),
    ):
        assert (await flow.post("/places", wrong)).status_code == status, wrong

    loaded = await flow.record(RICE, history)
    assert (loaded["recorded"], loaded["set_aside"]) == (len(history), 0)

    # One market, spelt three ways in three months, is one; and the feed's faults are set aside.
    first, second, third, *others = rows
    spelt = {**first, "place": f" {first['place'].upper()}. "}
    riel = {**second, "value": 2_050}
    unlisted = {**third, "place": f"{third['place']} Thmey"}
    abroad = {**others[0], "unit": "KHR/KG", "value": 2_100}
    package = {**others[1], "unit": "50 KG", "value": round(others[1]["value"] * 50, 6)}
    posted = [spelt, riel, unlisted, abroad, package, *others[2:]]
    recorded = await flow.record(RICE, posted)
    assert (recorded["recorded"], recorded["set_aside"]) == (len(posted) - 2, 2)
    assert recorded["unchanged"] == recorded["old"] == 0
    assert [row["reason"] for row in await waiting(flow, reason="riel-for-dollars")] == []
    # What is doubtful beside the others is set aside when the day is over, and read by no trigger.
    flow.go_to(day + timedelta(days=1))
    async with run_worker("triggers"):
        await flow.caught_up()
    judged_by_the_sound = await flow.evaluations("rice-price-spike")
    kept = {
        row["place"]: row["value"]
        for row in (
            await flow.got(
                "/observations", indicator=RICE["code"], observed_from=first["observed_on"]
            )
        )["items"]
    }
    assert kept[first["place"]] == first["value"]
    assert kept[others[1]["place"]] == pytest.approx(others[1]["value"])
    assert kept.keys() == {row["place"] for row in (first, *others[1:])}
    assert await flow.events("observations-set-aside") == [
        {"indicator": RICE["code"], "count": sum(reasons.values()), "reasons": reasons}
        for reasons in ({"place-unknown": 1, "unit-differs": 1}, {"riel-for-dollars": 1})
    ]

    # The list says why, and as what it was posted.
    by_reason = {row["reason"]: row for row in await waiting(flow, indicator=RICE["code"])}
    assert by_reason.keys() == {"place-unknown", "riel-for-dollars", "unit-differs"}
    doubtful = by_reason["riel-for-dollars"]
    assert doubtful["set_aside_at"] == f"{day}T17:00:00Z"
    (row,) = [
        row
        for row in (
            await flow.got("/observations", indicator=RICE["code"], revisions="all", limit=500)
        )["items"]
        if row["doubtful"]
    ]
    assert (row["sequence"], row["value"]) == (doubtful["sequence"], 2_050)
    assert doubtful["posted"]["value"] == "2050"
    assert (doubtful["posted_by"], doubtful["published"]) == (PUBLISHER, True)
    assert "riel" in doubtful["says"]
    unknown = by_reason["place-unknown"]
    assert unknown["suggested_place"] == places[third["place"]]["code"]
    assert await waiting(flow, reason="stuck") == []
    assert await waiting(flow, older_than_days=2) == []
    assert await flow.got(f"/doubtful-observations/{doubtful['id']}") == doubtful

    # The indicator's quality tells of it, and of who is silent.
    quality = await flow.got(f"/indicators/{RICE['code']}/quality")
    assert quality["set_aside"]["by_reason"] == dict.fromkeys(by_reason, 1)
    assert quality["every"] == "month"
    assert quality["last"]["observed_on"] == first["observed_on"]
    silent = {row["place"] for row in quality["silent"]}
    assert {second["place"], third["place"], others[0]["place"]} <= silent
    assert quality["places_reporting"] == len(kept)
    empty = await flow.got(f"/indicators/{RICE_IN_RIEL['code']}/quality")
    assert (empty["last"], empty["places_expected"]) == (None, 0)

    # The same batch sent again changes nothing and is told no more.
    again = await flow.record(RICE, posted)
    assert (again["recorded"], again["set_aside"]) == (0, 2)
    assert len(await flow.events("observations-set-aside")) == 2

    # A program decides nothing, and nobody what cannot be kept.
    release = f"/doubtful-observations/{doubtful['id']}/release"
    assert (await sent(flow, release, REASON, by=PUBLISHER))[0] == 403
    status, refused = await sent(
        flow, f"/doubtful-observations/{by_reason['unit-differs']['id']}/release", REASON
    )
    assert (status, "KHR/KG" in refused["detail"]) == (409, True)
    status, refused = await sent(flow, f"/doubtful-observations/{unknown['id']}/release", REASON)
    assert (status, "aliases" in refused["detail"]) == (409, True)

    # Who it is that is meant: the name is kept, and what waited for it is recorded.
    status, named = await sent(
        flow,
        f"/places/{unknown['suggested_place']}/aliases",
        {"name": unlisted["place"].replace(" ", "-").upper()},
    )
    assert (status, named["released"], named["doubtful"]) == (201, 1, 0)
    # A released figure keeps its dates.
    status, released = await sent(flow, release, REASON)
    assert (status, released["status"], released["decided_by"]) == (200, "released", CHECKER)
    query = {"indicator": RICE["code"], "observed_from": first["observed_on"]}
    kept_rows = {row["place"]: row for row in (await flow.got("/observations", **query))["items"]}
    assert kept_rows[third["place"]]["value"] == third["value"]
    assert kept_rows[second["place"]]["value"] == 2_050
    assert kept_rows[second["place"]]["published_on"] == second["published_on"]
    assert kept_rows[second["place"]]["posted_by"] == PUBLISHER
    assert kept_rows[second["place"]]["sequence"] == doubtful["sequence"]
    assert (await sent(flow, release, {"reason": "Again."}))[0] == 409

    # In bulk, each by itself; what is rejected stays out, also when it comes again.
    decisions = {
        "doubtful_ids": [by_reason["unit-differs"]["id"], doubtful["id"], NOBODYS_ID],
        "decision": "rejected",
        "reason": "Sent in riel; the publisher posts it to the other indicator.",
    }
    status, decided = await sent(flow, "/doubtful-observations/decisions", decisions)
    assert status == 200
    assert [result["decided"] for result in decided["results"]] == [True, False, False]
    again = await flow.record(RICE, posted)
    assert (again["recorded"], again["set_aside"], again["unchanged"]) == (0, 1, len(posted) - 1)
    assert await waiting(flow) == []
    assert len(await waiting(flow, status="rejected")) == 1
    assert len(await waiting(flow, status="released")) == 2

    # What was released is judged from then on, and what was judged before comes out as it did.
    flow.go_to(day + timedelta(days=2))
    async with run_worker("triggers"):
        await flow.caught_up()
    told = [each["id"] for each in await flow.evaluations("rice-price-spike")]
    assert set(told) > {each["id"] for each in judged_by_the_sound}
    assert await waiting(flow) == []
    assert rejudged(environment) == 0


async def test_a_doubtful_figure_of_a_person_needs_another_and_who_releases_is_in_the_evidence(
    flow: Flow, run_worker: Callable[[str], Any], environment: dict[str, str]
) -> None:
    day = date(2022, 10, 2)
    flow.go_to(day)
    await flow.set_up(FLOOD_INDICATOR, FLOOD)

    def report(area: str, value: int) -> dict[str, Any]:
        return {
            "area": area,
            "source": "HRF",
            "observed_on": day.isoformat(),
            "published_on": day.isoformat(),
            "value": value,
        }

    # Two persons posted it, and it is doubtful all the same: no trigger reads it yet.
    await flow.created(
        "/observations", batch(FLOOD_INDICATOR, [report("02", 900_000), report("01", 40)])
    )
    (proposal,) = await flow.proposals("observations", status="approved")
    assert proposal["what"].endswith("Doubtful by what is known now: 1 value.")
    (doubtful,) = await waiting(flow)
    assert (doubtful["reason"], doubtful["posted_by"], doubtful["approved_by"]) == (
        "out-of-bounds",
        "officer@test",
        CHECKER,
    )
    kept = (await flow.got("/observations", indicator=FLOOD_INDICATOR["code"]))["items"]
    assert [row["area"] for row in kept] == ["01"]
    release = f"/doubtful-observations/{doubtful['id']}/release"
    # Whoever posted a figure does not release it, whichever scopes they hold.
    status, refused = await sent(flow, release, REASON, by="officer@test")
    assert (status, "second person" in refused["detail"]) == (409, True)
    with pytest.raises(asyncpg.CheckViolationError, match="second_person"):
        await flow.owner.execute(
            "UPDATE triggers.doubtful_observation SET decision = 'released', decided_at = now(), "
            "decided_by = posted_by"
        )
    other = "checker:second@test"
    status, released = await sent(flow, release, REASON, by=other)
    assert (status, released["status"]) == (200, "released"), released
    behind = await flow.owner.fetch(
        "SELECT posted_by, approved_by FROM triggers.observation WHERE area_code = '02'"
    )
    assert [tuple(row) for row in behind] == [("officer@test", other)]
    async with run_worker("triggers"):
        await flow.caught_up()
        contradiction = await flow.record(FLOOD_INDICATOR, [report("01", 4_000)])
        assert (contradiction["recorded"], contradiction["set_aside"]) == (1, 0)
        await flow.caught_up()
        # What a person holds against what was said before counts in its place, and is not
        # looked at again.
        (contradicting,) = await waiting(flow)
        assert contradicting["reason"] == "contradiction"
        query = {"indicator": FLOOD_INDICATOR["code"], "area": "01"}
        (counting,) = (await flow.got("/observations", **query))["items"]
        assert counting["value"] == 40
        path = f"/doubtful-observations/{contradicting['id']}/release"
        assert (await sent(flow, path, REASON))[0] == 200
        await flow.caught_up()
    (counting,) = (await flow.got("/observations", **query))["items"]
    assert (counting["value"], counting["issue"]) == (4_000, 2)
    assert await waiting(flow) == []
    assert rejudged(environment) == 0


@pytest.mark.parametrize("first_is_larger", [True, False])
async def test_of_two_reports_that_contradict_each_other_the_smaller_counts_in_either_order(
    working: Flow, environment: dict[str, str], first_is_larger: bool
) -> None:
    day = date(2022, 10, 2)
    working.go_to(day)
    await working.set_up(FLOOD_INDICATOR, FLOOD)
    said = {"area": "02", "source": "HRF", "observed_on": str(day), "published_on": str(day)}
    for value in sorted((26_000, 2_600), reverse=first_is_larger):
        await working.record(FLOOD_INDICATOR, [{**said, "value": value}])
        await working.caught_up()
    (doubtful,) = await waiting(working)
    assert (doubtful["reason"], doubtful["posted"]["value"]) == ("contradiction", "26000")
    assert "of two of one issue the smaller counts" in doubtful["says"]
    (counting,) = (await working.got("/observations", indicator=FLOOD_INDICATOR["code"]))["items"]
    assert counting["value"] == 2_600
    last = (await working.evaluations(FLOOD))[-1]
    assert (last["stage"], last["evidence"]["national_households"]) == ("none", 2_600)
    activations = await working.activations()
    if first_is_larger:
        # What was done on the larger is not undone by a figure: a person is asked.
        (activation,) = activations
        assert activation["doubt"] is not None
        assert await working.proposals("cancellation")
    else:
        assert activations == []
    # What each evaluation knew is told again as it was.
    assert rejudged(environment) == 0


async def test_each_day_is_screened_by_itself_however_late_and_once(
    flow: Flow, environment: dict[str, str]
) -> None:
    await flow.created("/indicators", RICE_INDICATOR)
    months = list(rice_by_month())[35:51]
    history = [row for _, rows in months[:-1] for row in rows]
    (month, rows) = months[-1]
    day = published_in(month)
    flow.go_to(day)
    await flow.record(RICE_INDICATOR, [*history, {**rows[0], "value": 2_050}])
    next_day = day + timedelta(days=1)
    flow.go_to(next_day)
    # The second says no more than the first did: what is set aside is no ground for another.
    again = {"published_on": next_day.isoformat(), "value": 2_060}
    await flow.record(RICE_INDICATOR, [{**rows[0], **again}, *rows[1:]])

    database = Database(environment["TRIGGERS_DATABASE_URL"], application_name="test")
    until = datetime.combine(next_day, time(13), tzinfo=UTC)
    for _ in range(2):
        async with database.transaction() as session:
            await screening.screen(
                session, {RICE_INDICATOR["code"]: None}, until=until, clock=SystemClock()
            )
    await database.dispose()
    assert [(row["posted"]["value"], row["set_aside_at"]) for row in await waiting(flow)] == [
        ("2050", f"{day}T17:00:00Z"),
        ("2060", f"{next_day}T13:00:00Z"),
    ]
    told = await flow.events("observations-set-aside")
    assert [each["reasons"] for each in told] == [{"riel-for-dollars": 1}] * 2


@pytest.mark.parametrize(
    "spelling",
    [
        "Phnom Penh (Orussey)",
        "phnom penh - orussey",
        "PHNOM_PENH,ORUSSEY",
        "Phnom  Penh\u00a0Orusséy",
        "phnom-penh-orussey",
    ],
)
def test_a_place_spelt_another_way_is_the_same(spelling: str) -> None:
    names = [
        PlaceName("12", key_of("Phnom Penh Orussey"), "orussey", "Phnom Penh Orussey"),
        PlaceName("12", key_of("Phnom Penh Chas"), "chas", "Phnom Penh Chas"),
        PlaceName("02", key_of("Phnom Penh Orussey"), "other", "Orussey of Battambang"),
    ]
    found = find_place(spelling, area="12", names=names)
    assert found is not None
    assert found.place_code == "orussey"
    assert find_place(spelling, area="15", names=names) is None
    # Two places of one name, where the area does not tell them apart.
    assert find_place(spelling, area="KH", names=names) is None
    likely = likeliest("Phnom Penh Orusey Market", area="12", names=names)
    assert likely is not None
    assert likely.place_code == "orussey"
    assert likeliest("Xyz", area="12", names=names) is None


def test_khmer_names_keep_their_vowels() -> None:
    assert key_of("ផ្សារ អូរឫស្សី") == "ផ្សារ អូរឫស្សី"
    assert key_of("ផ្សារ លើ") != key_of("ផ្សារ លី")


@given(st.text(max_size=60))
def test_the_key_of_a_key_is_itself(name: str) -> None:
    assert key_of(key_of(name)) == key_of(name)
    assert key_of(name.upper().lower()) == key_of(name.lower().upper().lower())
