"""Triggers tried on history: scores worked by hand, no look-ahead, and one over HTTP."""

import statistics
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.triggers.backtests import scores, timing
from services.triggers.backtests.curve import variants
from services.triggers.backtests.document import RealEvent, Varied, Window
from services.triggers.backtests.places import Place, Places, topmost
from services.triggers.backtests.report import Fate, Met, Report
from services.triggers.backtests.trial import Trial, told
from services.triggers.backtests.trying import backtest
from services.triggers.definitions.document import TriggerDocument
from services.triggers.definitions.shipped import shipped_document
from services.triggers.evaluations.due import Known
from services.triggers.methods.calendar import Calendar, Frequency
from services.triggers.methods.figures import Figure, Figures
from services.triggers.methods.price_spike.series import NationalMonth, national_months
from shared.pages import HEADERS
from tests.server import eventually
from tests.triggers.data import (
    FLOOD_INDICATOR,
    RICE_INDICATOR,
    flood_reports,
    published_in,
    rice_by_month,
)
from tests.triggers.flow import Flow

FLOOD = TriggerDocument.model_validate(shipped_document("flood-reported-impact"))
RICE = TriggerDocument.model_validate(shipped_document("rice-price-spike"))
MONTHLY = Calendar(frequency=Frequency.MONTH, waits_days=10)
PLACES = Places(
    by_area={
        "01": Place(households=100, amount_minor=1_000),
        "02": Place(households=200, amount_minor=2_000),
        "0203": Place(households=50, amount_minor=500),
        "15": Place(households=400, amount_minor=4_000),
    },
    currency="KHR",
)


def reports(*days: tuple[date, dict[str, int]], published_on: date | None = None) -> Known:
    """Households by area, as one authority reported them on some days."""
    return Known(
        calendar=Calendar(),
        figures=Figures.of(
            Figure(
                area=area,
                place=None,
                source="NCDM",
                observed_on=day,
                published_on=published_on or day,
                value=float(households),
            )
            for day, by_area in days
            for area, households in by_area.items()
        ),
    )


def rice(*, published_on: date | None = None) -> Known:
    """The real prices, by month; or as if all had come out on one day."""
    return Known(
        calendar=MONTHLY,
        figures=Figures.of(
            Figure(
                area=row["area"],
                place=row["place"],
                source=row["source"],
                observed_on=month,
                published_on=published_on or date.fromisoformat(row["published_on"]),
                value=row["value"],
            )
            for month, rows in rice_by_month()
            for row in rows
        ),
    )


def event(name: str, first_on: date, last_on: date, **more: Any) -> RealEvent:
    return RealEvent(name=name, first_on=first_on, last_on=last_on, **more)


def flood_trial(events: Sequence[RealEvent], **changes: Any) -> Trial:
    return replace(
        Trial(
            document=FLOOD,
            first_on=date(2010, 1, 1),
            last_on=date(2019, 12, 31),
            events=events,
            window=Window(lead_days=10, lag_days=5),
        ),
        **changes,
    )


# Two that activate, one too small to, one that activates for nothing.
TOLD = {
    "flood-affected-households": reports(
        (date(2011, 9, 20), {"01": 15_000, "02": 15_000}),
        (date(2013, 10, 1), {"02": 30_000}),
        (date(2015, 9, 1), {"15": 5_000}),
        (date(2017, 9, 1), {"15": 25_000}),
    )
}
EVENTS = (
    event("2011", date(2011, 9, 25), date(2011, 10, 20), areas=["01"]),
    event("2013", date(2013, 9, 21), date(2013, 10, 18), areas=["0203", "15"]),
    event("2015", date(2015, 9, 1), date(2015, 9, 9), areas=["15"], households=5_000),
    event("2009", date(2009, 9, 1), date(2009, 9, 9)),
)


def test_the_scores_are_those_worked_by_hand() -> None:
    report = backtest(flood_trial(EVENTS), TOLD, PLACES)
    assert [activation.met for activation in report.activations] == [
        Met.HIT,
        Met.HIT,
        Met.FALSE_ALARM,
    ]
    assert [each.fate for each in report.events] == [
        Fate.HIT,
        Fate.HIT,
        Fate.MISSED,
        Fate.OUTSIDE,
    ]
    # Five days before the first, ten days after the second had begun.
    assert [each.lead_days for each in report.events] == [5, -10, None, None]
    assert [each.ready_lead_days for each in report.events] == [5, -10, None, None]
    found = report.scores
    assert (found.hits, found.misses, found.false_alarms) == (2, 1, 1)
    assert found.probability_of_detection == scores.Score(value=2 / 3, n=3)
    assert found.false_alarm_ratio == scores.Score(value=1 / 3, n=3)
    assert found.critical_success_index == scores.Score(value=2 / 4, n=4)
    assert found.median_lead_days == -2.5
    # Reports are known of from 2011 to 2019: nine years, in three of which it activates.
    activating = next(each for each in report.recurrences if each.activates)
    assert (activating.years, activating.reached) == (9, 3)
    assert activating.return_period_years == pytest.approx(10 / 3)


def test_money_goes_to_places_that_were_hit_or_not() -> None:
    report = backtest(flood_trial(EVENTS), TOLD, PLACES)
    first, second, third = report.activations
    # Both provinces are paid, and only the first was hit.
    assert (first.households, first.amount_minor) == (300, 3_000)
    assert (first.households_not_hit, first.amount_not_hit_minor) == (200, 2_000)
    # Of the province a district was hit.
    assert (second.households, second.households_not_hit) == (200, 150)
    assert (third.households, third.households_not_hit) == (400, 400)
    # None of 2011; the province beside the district in 2013; all of 2015, as it was counted.
    assert [each.households_missed for each in report.events] == [0, 400, 5_000, None]
    assert report.money.amount_minor == 3_000 + 2_000 + 4_000
    assert report.money.households_missed == 5_400


def test_what_nobody_can_say_is_said_to_be_unknown() -> None:
    trial = flood_trial([event("2011", date(2011, 9, 25), date(2011, 10, 20))])
    report = backtest(trial, TOLD, PLACES)
    assert report.activations[0].households == 300
    assert report.activations[0].households_not_hit is None
    assert report.money.amount_not_hit_minor is None
    without = backtest(trial, TOLD, Places())
    assert without.activations[0].households is None
    assert any("who lives where" in remark for remark in without.remarks)


def test_an_activation_elsewhere_hits_no_event() -> None:
    trial = flood_trial([event("far", date(2011, 9, 20), date(2011, 9, 30), areas=["24"])])
    report = backtest(trial, TOLD, PLACES)
    assert report.scores.hits == 0
    assert report.activations[0].met is Met.FALSE_ALARM


@given(
    first=st.dates(date(2010, 1, 1), date(2019, 12, 1)),
    days=st.integers(0, 90),
    lead=st.integers(0, 60),
    lag=st.integers(0, 60),
)
@settings(max_examples=25, deadline=None)
def test_a_further_event_takes_no_hit_and_a_wider_window_loses_none(
    first: date, days: int, lead: int, lag: int
) -> None:
    narrow = flood_trial(EVENTS, window=Window(lead_days=lead, lag_days=lag))
    before = backtest(narrow, TOLD, PLACES).scores
    one_more = event("one more", first, first + timedelta(days=days))
    after = backtest(replace(narrow, events=[*EVENTS, one_more]), TOLD, PLACES).scores
    assert after.hits >= before.hits
    assert after.false_alarms <= before.false_alarms
    assert after.probability_of_detection.n == before.probability_of_detection.n + 1
    wide = replace(narrow, window=Window(lead_days=lead + 20, lag_days=lag + 20))
    wider = backtest(wide, TOLD, PLACES).scores
    assert wider.hits >= before.hits
    assert wider.false_alarms <= before.false_alarms


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=30))
@settings(max_examples=50, deadline=None)
def test_the_brier_score_lies_between_perfect_and_always_wrong(
    said: list[tuple[float, bool]],
) -> None:
    probabilities, happened = [each[0] for each in said], [each[1] for each in said]
    found = scores.brier(probabilities, happened)
    assert found is not None
    assert 0 <= found.value <= 1
    assert found.n == len(said)
    sure = scores.brier([float(each) for each in happened], happened)
    assert sure is not None
    assert sure.value == 0


def test_the_brier_score_is_the_one_worked_by_hand() -> None:
    # (0.1² + 0.4² + 0.2²) / 3, of which one happened: (1/3)(2/3) by saying 1/3 each time.
    found = scores.brier([0.9, 0.4, 0.2], [True, False, False])
    assert found is not None
    assert found.value == pytest.approx(0.07)
    assert found.of_base_rate == pytest.approx(2 / 9)
    assert scores.brier([], []) is None


def test_nothing_is_known_before_it_was_published() -> None:
    """Cutting off what came out after any day leaves what was decided by then as it was."""
    known = {"rice-wholesale-price": rice()}
    trial = Trial(
        document=RICE,
        first_on=date(2019, 1, 1),
        last_on=date(2026, 3, 31),
        events=[],
        window=Window(),
    )
    whole = told(trial, known).steps
    for day in (date(2022, 7, 20), date(2023, 9, 30), date(2024, 2, 28)):
        until = told(replace(trial, last_on=day), known).steps
        assert until == [step for step in whole if step.decided_on <= day]
    # Of reports, too, none of the day after the span is in it.
    eve = flood_trial(EVENTS, last_on=date(2017, 8, 31))
    assert [each.decided_on for each in told(eve, TOLD).steps if not each.is_lapse] == [
        date(2011, 9, 20),
        date(2013, 10, 1),
        date(2015, 9, 1),
    ]
    assert told(eve, TOLD).came_after == {"flood-affected-households": 1}


def test_a_history_in_one_piece_says_so_and_can_be_dated_by_the_calendar() -> None:
    known = {"rice-wholesale-price": rice(published_on=date(2026, 3, 20))}
    trial = Trial(
        document=RICE,
        first_on=date(2019, 1, 1),
        last_on=date(2026, 3, 31),
        events=[event("2023", date(2023, 8, 1), date(2024, 2, 29))],
        window=Window(),
    )
    late = backtest(trial, known, PLACES)
    assert any("as they were published later" in remark for remark in late.remarks)
    assert late.scores.hits == 0
    assumed = backtest(replace(trial, assume_published_after_days=10), known, PLACES)
    assert any("taken to have been out 10 days after" in said for said in assumed.remarks)
    assert assumed.scores.hits == 1
    as_published = backtest(trial, {"rice-wholesale-price": rice()}, PLACES)
    assert [each.decided_on for each in assumed.activations] == [
        each.decided_on for each in as_published.activations
    ]


def test_only_the_first_word_is_dated_by_the_calendar() -> None:
    first = Figure(
        area="01",
        place="a",
        source="WFP",
        observed_on=date(2020, 1, 1),
        published_on=date(2021, 1, 1),
        value=1.0,
    )
    revised = first._replace(published_on=date(2022, 1, 1), value=2.0)
    early = first._replace(area="02", published_on=date(2020, 2, 3))
    known = Known(calendar=MONTHLY, figures=Figures.of([revised, early, first]))
    dated = timing.assumed(known, days=10).figures.rows
    assert [row.published_on for row in dated] == [
        date(2020, 2, 10),
        date(2022, 1, 1),
        date(2020, 2, 3),
    ]


def test_periods_that_could_not_be_judged_are_no_years_of_calm() -> None:
    report = backtest(
        Trial(
            document=RICE,
            first_on=date(2019, 1, 1),
            last_on=date(2024, 12, 31),
            events=[],
            window=Window(),
        ),
        {"rice-wholesale-price": rice()},
        PLACES,
    )
    (leg,) = report.legs
    assert leg.judged_from is not None
    assert leg.judged_from >= date(2022, 1, 1)
    assert leg.unjudged >= 36
    assert all(each.years <= 3 for each in report.recurrences)
    assert any("which is no calm" in remark for remark in report.remarks)


def test_a_curve_tries_each_value_and_says_which_is_none() -> None:
    trial = flood_trial(EVENTS)
    pointer = "/legs/0/method/activation/national_threshold_households"
    tried = dict(variants(trial, Varied(pointer=pointer, values=[20_000, 26_000, 5_000])))
    assert isinstance(tried[5_000], str)  # below readiness
    activations = {
        value: backtest(variant, TOLD, PLACES).scores.activations
        for value, variant in tried.items()
        if isinstance(variant, Trial)
    }
    assert activations == {20_000: 3, 26_000: 2}
    ((_, nowhere),) = variants(trial, Varied(pointer="/legs/7/method", values=[1]))
    assert nowhere == "There is no number at /legs/7/method."


def test_an_area_within_another_counts_once() -> None:
    assert topmost(["0203", "02", "010101", "15"]) == ["010101", "02", "15"]
    assert PLACES.of(["02", "0203"]) == Place(households=200, amount_minor=2_000)
    assert PLACES.of(["KH"]) == Place(households=700, amount_minor=7_000)
    assert PLACES.of(["24"]) is None
    assert PLACES.outside(["02"], ["0203", "15"]) == Place(households=150, amount_minor=1_500)
    assert PLACES.outside(["0203"], ["02"]) == Place(households=0, amount_minor=0)


def test_a_method_that_uses_the_whole_sample_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from services.triggers.backtests.trial import refused
    from services.triggers.methods.reported_impact.method import ReportedImpactMethod

    assert refused(FLOOD) is None
    monkeypatch.setattr(ReportedImpactMethod, "uses_whole_sample", True)
    assert "tried on what it was made from" in str(refused(FLOOD))


def test_a_page_escapes_what_somebody_wrote_and_runs_nothing() -> None:
    from services.triggers.backtests.page import page

    named = event("<script>alert(1)</script>", date(2011, 9, 25), date(2011, 10, 20))
    report = backtest(flood_trial([named, EVENTS[2]]), TOLD, PLACES)
    content = page([report])
    assert "<script" not in content
    assert "&lt;script&gt;" in content
    assert content.count("data:image/png;base64,") == 2
    assert 'lang="km"' in content
    assert "script" not in HEADERS["Content-Security-Policy"]


@given(
    st.lists(
        st.tuples(
            st.integers(1, 4),  # month
            st.sampled_from("abc"),  # market
            st.sampled_from(["MAFF", "WFP"]),
            st.one_of(st.none(), st.floats(0.1, 9)),
        ),
        max_size=40,
        unique_by=lambda row: row[:3],
    ),
    st.integers(1, 28),
)
@settings(max_examples=60, deadline=None)
def test_a_national_price_is_the_median_of_the_markets_medians(
    rows: list[tuple[int, str, str, float | None]], published: int
) -> None:
    figures = Figures.of(
        Figure(
            area="01",
            place=market,
            source=source,
            observed_on=date(2020, month, 1),
            published_on=date(2020, month, 1 + (month * published) % 28),
            value=value,
        )
        for month, market, source, value in rows
    )
    day = date(2020, 3, 15)
    known = figures.known_on(day)
    assert known.rows == [row for row in figures.rows if row.published_on <= day]
    by_month: dict[date, dict[str, list[float]]] = {}
    for row in known.rows:
        if row.value is not None:
            by_month.setdefault(row.observed_on, {}).setdefault(str(row.place), []).append(
                row.value
            )
    assert national_months(known) == [
        NationalMonth(
            month=month,
            median=round(statistics.median(map(statistics.median, markets.values())), 6),
            markets=len(markets),
        )
        for month, markets in sorted(by_month.items())
    ]


def test_two_definitions_stand_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    from services.triggers.backtests import page

    monkeypatch.setattr(page, "as_bytes", lambda figure, form: b"")
    first = backtest(flood_trial(EVENTS), TOLD, PLACES)
    second = backtest(flood_trial(EVENTS[:1], version=2), TOLD, PLACES)
    content = page.page([first, second])
    assert "not posted</th>" in content
    assert "version 2</th>" in content
    assert "0.67 (n = 3)" in content
    assert "1.00 (n = 1)" in content


async def test_a_span_that_reaches_today_reads_what_live_judging_reads(working: Flow) -> None:
    months = [(month, rows) for month, rows in rice_by_month() if month.year >= 2019]
    month, rows = next(pair for pair in months if pair[0] == date(2023, 1, 1))
    day = published_in(month)
    working.go_to(day)
    await working.set_up(RICE_INDICATOR, "rice-price-spike")
    for before, published in months:
        if before < month:
            await working.record(RICE_INDICATOR, published)
    # One of the prices was typed in riel, and nobody has looked at any of them yet.
    slip = {**rows[0], "value": rows[0]["value"] * 4_100}
    await working.record(RICE_INDICATOR, [slip, *rows[1:]])

    async def tried(last_on: date) -> Report:
        asked = {
            "name": "Until today",
            "trigger": {"code": "rice-price-spike"},
            "first_on": "2022-01-01",
            "last_on": last_on.isoformat(),
        }
        path = f"/backtests/{(await working.post('/backtests', asked)).json()['id']}"

        async def done() -> bool:
            return bool((await working.got(path))["state"] == "finished")

        await eventually(done)
        return Report.model_validate((await working.got(path))["report"])

    report = await tried(day)
    figures = sum(len(published) for before, published in months if before <= month)
    (used,) = report.histories
    assert used.figures == figures - 1
    # It reads beside the series as judging will, and keeps nothing of that.
    assert (await working.got("/doubtful-observations"))["items"] == []
    # The day is not over: what came on it has decided nothing yet, there or here.
    assert report.activations == []
    assert any("which is not over" in remark for remark in report.remarks)
    far = await tried(day + timedelta(days=400))
    assert (far.activations, far.legs) == (report.activations, report.legs)

    working.go_to(day + timedelta(days=1))
    await working.caught_up()
    (doubtful,) = (await working.got("/doubtful-observations"))["items"]
    assert doubtful["reason"] == "riel-for-dollars"
    (live,) = await working.activations()
    (activation,) = (await tried(day)).activations
    assert activation.decided_on == day
    assert str(activation.evidence_from) == live["evidence_from"]


async def test_a_posted_backtest_is_worked_through_and_kept(working: Flow) -> None:
    working.go_to(date(2026, 3, 1))
    await working.set_up(FLOOD_INDICATOR, "flood-reported-impact")
    for _, rows in flood_reports():
        await working.record(FLOOD_INDICATOR, rows)
    asked = {
        "name": "Floods of October 2020",
        "trigger": {"code": "flood-reported-impact"},
        "first_on": "2020-01-01",
        "last_on": "2020-12-31",
        "events": [
            {
                "name": "October 2020",
                "first_on": "2020-10-01",
                "last_on": "2020-10-31",
                "areas": ["01", "02", "15"],
            }
        ],
        "vary": {
            "pointer": "/legs/0/method/activation/national_threshold_households",
            "values": [20_000, 500_000],
        },
    }
    answer = await working.post("/backtests", asked)
    assert answer.status_code == 202, answer.text
    path = f"/backtests/{answer.json()['id']}"
    # A definition that was never posted, on figures that are not recorded.
    given_rows = [row for month, rows in rice_by_month() if month.year < 2024 for row in rows]
    unposted = await working.post(
        "/backtests",
        {
            "name": "Rice",
            "document": shipped_document("rice-price-spike"),
            "first_on": "2022-01-01",
            "last_on": "2023-12-31",
            "figures": [{"indicator": RICE_INDICATOR["code"], "observations": given_rows}],
        },
    )
    assert unposted.status_code == 202, unposted.text
    rice_path = f"/backtests/{unposted.json()['id']}"
    # What judges prices judges a national series as well, which names no market.
    index = {"area": "KH", "source": "NIS", "published_on": "2025-01-01", "value": 100}
    national = await working.post(
        "/backtests",
        {
            "name": "Consumer prices",
            "document": shipped_document("consumer-prices"),
            "first_on": "2023-01-01",
            "last_on": "2023-12-31",
            "figures": [
                {
                    "indicator": "consumer-price-index",
                    "observations": [{**index, "observed_on": "2023-01-01"}],
                }
            ],
        },
    )
    assert national.status_code == 202, national.text

    async def done() -> bool:
        states = {(await working.got(each))["state"] for each in (path, rice_path)}
        assert "failed" not in states
        return states == {"finished"}

    await eventually(done)
    found = await working.got(path)
    assert found["steps_done"] == found["steps"] == 4
    report = Report.model_validate(found["report"])
    assert report.version == 1
    (activation,) = report.activations
    assert (activation.decided_on, activation.met) == (date(2020, 10, 12), Met.HIT)
    # The registry of this test has no household: it says so, and nobody guesses.
    assert (activation.households, report.money.currency) == (0, "KHR")
    assert [point.scores.activations for point in report.curve if point.scores] == [1, 0]
    rice_report = Report.model_validate((await working.got(rice_path))["report"])
    assert rice_report.version is None
    assert rice_report.scores.activations > 0
    assert len((await working.got("/backtests"))["items"]) == 3
    page = await working.client.get(f"{rice_path}/page")
    assert page.status_code == 200
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert "rice-price-spike" in page.text
    wrong = await working.post("/backtests", {**asked, "trigger": {"code": "no-such"}})
    assert wrong.status_code == 404
    activations = await working.activations()
    assert len(activations) == 0, "a backtest activates nothing, and 2020 is history by now"
