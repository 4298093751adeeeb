"""The real rice prices, month by month, over HTTP: the trigger fires by itself, and is quiet.

A month's prices are published on the tenth of the next, and judged when that day is over.
"""

from datetime import date, timedelta

import pytest

from services.triggers.methods.figures import Figure, Figures
from services.triggers.methods.price_spike.series import NationalMonth, national_months
from tests.triggers.data import RICE_INDICATOR, published_in, rice_by_month, rice_medians
from tests.triggers.flow import Flow
from tests.triggers.test_history import RICE_FIGURES

TRIGGER = "rice-price-spike"


async def replay(flow: Flow, *, history_until: date, until: date) -> None:
    """Load the history at once, then each further month on the day when it is published."""
    flow.go_to(published_in(history_until))
    await flow.set_up(RICE_INDICATOR, TRIGGER)
    months = [entry for entry in rice_by_month() if entry[0] <= until]
    await flow.record(
        RICE_INDICATOR, [row for month, rows in months if month <= history_until for row in rows]
    )
    await judged(flow, published_in(history_until))
    for month, rows in months:
        if month > history_until:
            flow.go_to(published_in(month))
            await flow.record(RICE_INDICATOR, rows)
            await judged(flow, published_in(month))


async def judged(flow: Flow, day: date) -> None:
    """Let a day end, and wait until what was published on it is judged."""
    flow.go_to(day + timedelta(days=1))
    await flow.caught_up()


async def test_it_fires_for_january_and_august_2023_and_is_quiet_between(working: Flow) -> None:
    await replay(working, history_until=date(2022, 9, 1), until=date(2024, 12, 1))
    first, second = await working.activations()
    assert (first["opened_on"], first["evidence_from"]) == ("2023-02-11", "2023-01-01")
    assert (second["opened_on"], second["evidence_from"]) == ("2023-09-11", "2023-08-01")
    # What began as an alert became a crisis in the months that followed.
    assert (first["severity"], second["severity"]) == ("extreme", "extreme")
    assert [area["area"] for area in first["areas"]] == ["KH"]

    # Seven quiet months, and ALPS below stress in April 2023: August's prices end the first.
    assert [(move["to_state"], move["moved_at"][:10]) for move in first["moves"]] == [
        ("proposed", "2023-02-11"),
        ("open", "2023-02-11"),
        ("open", "2023-07-11"),
        ("closed", "2023-09-11"),
    ]
    assert [(move["to_state"], move["moved_at"][:10]) for move in second["moves"]] == [
        ("proposed", "2023-09-11"),
        ("open", "2023-09-11"),
        ("closed", "2024-09-11"),
    ]

    assert first["moves"][2]["reason"].startswith("Its severity was severe and is extreme.")

    opened = await working.events("activation-opened")
    assert [(event["areas"], event["scheme"], event["shock"]) for event in opened] == [
        (["KH"], "inflation-2022", "price")
    ] * 2
    assert [event["observed_on"] for event in opened] == ["2023-01-31", "2023-08-31"]

    evaluations = {
        evaluation["judged_from"]: evaluation for evaluation in await working.evaluations(TRIGGER)
    }
    assert evaluations["2023-06-01"]["outcome"] == "raised"
    assert evaluations["2023-07-01"]["stage"] == "readiness"
    assert evaluations["2024-07-01"]["outcome"] == "quiet"
    evidence = evaluations["2023-01-01"]["evidence"]
    assert evidence["alps"]["value"] == pytest.approx(1.917, abs=0.001)
    assert evidence["ifpa"]["value"] == pytest.approx(2.075, abs=0.001)
    assert evidence["national_prices"][-1] == {
        "month": "2023-01-01",
        "median": 0.495,
        "markets": 16,
        "counts": True,
    }
    assert len(evidence["national_prices"]) == 13
    assert evidence["thresholds"]["activation"] == {"alps": 1.0, "ifpa": 0.5, "require": "both"}


def test_the_medians_are_those_of_the_standard_library() -> None:
    found = national_months(Figures.of(RICE_FIGURES).known_on(date(2026, 5, 1)))
    expected = rice_medians()
    assert [(month.month, month.markets) for month in found] == [
        (month.month, month.markets) for month in expected
    ]
    assert [month.median for month in found] == pytest.approx(
        [month.median for month in expected], abs=5e-7
    )


def test_a_median_is_over_markets_and_what_counts_of_each() -> None:
    month = date(2022, 1, 1)

    def price(place: str, value: float | None, *, area: str = "02", source: str = "WFP") -> Figure:
        return Figure(area, place, source, month, date(2022, 2, 10), value)

    # The same name in two provinces is two markets; two sources for one market are one.
    figures = [
        *(price("Leu", 1), price("Leu", 2, area="18"), price("Leu", 5, source="Ministry")),
        *(price("Kandal", 9), price("Kandal", 3)._replace(issue=2)),
        *(price("Samaki", 7), price("Samaki", None)._replace(issue=2)),
    ]
    assert national_months(Figures.of(figures).known_on(date(2022, 3, 1))) == [
        NationalMonth(month=month, median=3.0, markets=3)
    ]


async def test_prices_that_come_in_two_batches_open_once(working: Flow) -> None:
    fired = date(2023, 1, 1)
    await replay(working, history_until=date(2022, 12, 1), until=date(2022, 12, 1))
    rows = dict(rice_by_month())[fired]
    working.go_to(published_in(fired))
    for batch in (rows[:8], rows[8:]):
        await working.record(RICE_INDICATOR, batch)
        await working.caught_up()
        # The day is not over.
        assert await working.activations() == []
    await judged(working, published_in(fired))
    assert len(await working.activations()) == 1
    january = [
        evaluation
        for evaluation in await working.evaluations(TRIGGER)
        if evaluation["judged_from"] == "2023-01-01"
    ]
    assert len(january) == 1


async def test_a_history_loaded_late_opens_nothing(working: Flow) -> None:
    working.go_to(date(2024, 1, 31) + timedelta(days=93))
    await working.set_up(RICE_INDICATOR, TRIGGER)
    rows = [row for month, rows in rice_by_month() if month < date(2024, 2, 1) for row in rows]
    await working.record(RICE_INDICATOR, rows)
    await judged(working, date(2024, 1, 31) + timedelta(days=93))
    assert await working.activations() == []
    # Months that did not come are told, and nothing else.
    assert {each["outcome"] for each in await working.evaluations(TRIGGER)} <= {"unjudged"}
