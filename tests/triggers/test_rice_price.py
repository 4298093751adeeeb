"""The real rice prices, month by month, over HTTP: the trigger fires by itself, and is quiet."""

from datetime import date, timedelta
from typing import Any

import pytest

from services.triggers.methods.price_spike import repository
from services.triggers.methods.price_spike.series import NationalMonth
from shared.database import Database
from tests.triggers.data import RICE_INDICATOR, published_in, rice_by_month, rice_medians
from tests.triggers.flow import Flow

TRIGGER = "rice-price-spike"


async def replay(flow: Flow, *, history_until: date, until: date) -> None:
    """Load the history at once, then each further month on the day when it is published."""
    await flow.set_up(RICE_INDICATOR, TRIGGER)
    months = [entry for entry in rice_by_month() if entry[0] <= until]
    flow.go_to(published_in(history_until))
    await flow.record(
        RICE_INDICATOR, [row for month, rows in months if month <= history_until for row in rows]
    )
    await flow.caught_up()
    for month, rows in months:
        if month > history_until:
            flow.go_to(published_in(month))
            await flow.record(RICE_INDICATOR, rows)
            await flow.caught_up()


async def test_it_fires_for_january_and_august_2023_and_is_quiet_between(working: Flow) -> None:
    await replay(working, history_until=date(2022, 9, 1), until=date(2024, 12, 1))
    first, second = await working.activations()
    assert (first["opened_on"], first["evidence_from"]) == ("2023-02-10", "2023-01-01")
    assert (second["opened_on"], second["evidence_from"]) == ("2023-09-10", "2023-08-01")
    assert (first["severity"], second["severity"]) == ("severe", "extreme")
    assert [area["area"] for area in first["areas"]] == ["KH"]

    # Seven quiet months, and ALPS below stress in April 2023: August's prices end the first.
    assert [(move["to_state"], move["moved_at"][:10]) for move in first["moves"]] == [
        ("proposed", "2023-02-10"),
        ("open", "2023-02-10"),
        ("closed", "2023-09-10"),
    ]
    assert [(move["to_state"], move["moved_at"][:10]) for move in second["moves"]] == [
        ("proposed", "2023-09-10"),
        ("open", "2023-09-10"),
        ("closed", "2024-09-10"),
    ]

    opened = await working.events("activation-opened")
    assert [(event["areas"], event["scheme"], event["shock"]) for event in opened] == [
        (["KH"], "inflation-2022", "price")
    ] * 2
    assert [event["observed_on"] for event in opened] == ["2023-01-01", "2023-08-01"]

    evaluations = {
        evaluation["judged_on"]: evaluation for evaluation in await working.evaluations(TRIGGER)
    }
    assert evaluations["2023-06-01"]["outcome"] == "quiet"
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


async def national_months(environment: dict[str, str]) -> list[NationalMonth]:
    database = Database(environment["TRIGGERS_DATABASE_URL"], application_name="test")
    async with database.transaction() as session:
        found = await repository.national_months(session, RICE_INDICATOR["code"])
    await database.dispose()
    return found


async def test_the_medians_of_the_database_are_those_of_the_standard_library(
    flow: Flow, environment: dict[str, str]
) -> None:
    await flow.created("/indicators", RICE_INDICATOR)
    flow.go_to(date(2026, 5, 1))
    await flow.record(RICE_INDICATOR, [row for _, rows in rice_by_month() for row in rows])
    found = await national_months(environment)
    expected = rice_medians()
    assert [(month.month, month.markets) for month in found] == [
        (month.month, month.markets) for month in expected
    ]
    assert [month.median for month in found] == pytest.approx(
        [month.median for month in expected], abs=5e-7
    )


async def test_a_median_is_over_markets_and_their_latest_revisions(
    flow: Flow, environment: dict[str, str]
) -> None:
    await flow.created("/indicators", RICE_INDICATOR)

    def price(place: str, value: float | None, *, area: str = "02", source: str = "WFP") -> Any:
        return {
            "area": area,
            "place": place,
            "source": source,
            "observed_on": "2022-01-01",
            "published_on": "2022-02-10",
            "value": value,
        }

    # The same name in two provinces is two markets; two sources for one market are one.
    first = [price("Leu", 1), price("Leu", 2, area="18"), price("Kandal", 9), price("Samaki", 7)]
    await flow.record(RICE_INDICATOR, first)
    await flow.record(RICE_INDICATOR, [price("Kandal", 3), price("Samaki", None)])
    await flow.record(RICE_INDICATOR, [price("Leu", 5, source="Ministry")])
    assert await national_months(environment) == [
        NationalMonth(month=date(2022, 1, 1), median=3.0, markets=3)
    ]


async def test_prices_that_come_in_two_batches_open_once(working: Flow) -> None:
    fired = date(2023, 1, 1)
    await replay(working, history_until=date(2022, 12, 1), until=date(2022, 12, 1))
    rows = dict(rice_by_month())[fired]
    working.go_to(published_in(fired))
    for batch in (rows[:8], rows[8:]):
        await working.record(RICE_INDICATOR, batch)
        await working.caught_up()
    assert len(await working.activations()) == 1
    january = [
        evaluation
        for evaluation in await working.evaluations(TRIGGER)
        if evaluation["judged_on"] == "2023-01-01"
    ]
    assert len(january) == 2


async def test_a_history_loaded_late_opens_nothing(working: Flow) -> None:
    await working.set_up(RICE_INDICATOR, TRIGGER)
    working.go_to(date(2024, 1, 31) + timedelta(days=93))
    rows = [row for month, rows in rice_by_month() if month < date(2024, 2, 1) for row in rows]
    await working.record(RICE_INDICATOR, rows)
    await working.caught_up()
    assert await working.activations() == []
    assert await working.evaluations(TRIGGER) == []
