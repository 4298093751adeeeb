"""Percentiles within a season, against SciPy and by hand; the year judged is never among them."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.stats import percentileofscore

from services.triggers.methods.figures import Figure, Figures
from services.triggers.methods.judgement import Period
from services.triggers.methods.method import Order
from services.triggers.methods.season_percentile.document import SeasonPercentile
from services.triggers.methods.season_percentile.method import SEASON_PERCENTILE
from services.triggers.methods.severity import Severity
from services.triggers.methods.trigger_stage import TriggerStage
from tests.triggers.figures import daily, day_of, judged, month_of, monthly


def document(**changes: Any) -> SeasonPercentile:
    return SeasonPercentile.model_validate(
        {
            "kind": "season-percentile",
            "direction": "low",
            "around_days": 0,
            "levels": {"readiness": 20, "activation": 10, "extreme": 2},
            "minimum_years": 5,
            "rearm": {"quiet_days": 5, "after_days": 100, "back_to": 50},
            **changes,
        }
    )


def each_year(values: list[float], *, first_year: int = 2000) -> list[Figure]:
    """A value on the 20th of March of each year."""
    return [
        figure
        for step, value in enumerate(values)
        for figure in daily([value], first_on=date(first_year + step, 3, 20))
    ]


TEN = [float(value) for value in range(1, 11)]
"""Of 2000 to 2009."""
DAY = date(2010, 3, 20)


@pytest.mark.parametrize(
    ("value", "percentile", "stage", "severity"),
    [
        (3.0, 25, TriggerStage.NONE, Severity.MODERATE),
        (2.5, 20, TriggerStage.READINESS, Severity.MODERATE),
        (1.5, 10, TriggerStage.ACTIVATION, Severity.MODERATE),
        (0.5, 0, TriggerStage.ACTIVATION, Severity.EXTREME),
    ],
)
def test_a_percentile_by_hand(
    value: float, percentile: float, stage: TriggerStage, severity: Severity
) -> None:
    judgement = judged(each_year([*TEN, value]), document(), day_of(DAY))
    (place,) = judgement.evidence["places"]
    assert place["percentile"] == percentile
    assert (judgement.stage, judgement.severity) == (stage, severity)


def test_high_is_the_other_side() -> None:
    rule = document(
        direction="high",
        levels={"activation": 95},
        rearm={"quiet_days": 5, "after_days": 100, "back_to": 80},
    )
    assert judged(each_year([*TEN, 11]), rule, day_of(DAY)).stage is TriggerStage.ACTIVATION
    assert judged(each_year([*TEN, 9.5]), rule, day_of(DAY)).stage is TriggerStage.NONE


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    around=st.integers(0, 60),
    later=st.lists(st.floats(0, 10), max_size=3),
)
def test_the_percentile_equals_scipy_and_later_values_change_nothing(
    seed: int, around: int, later: list[float | None]
) -> None:
    first, day = date(2001, 6, 1), date(2010, 2, 11)
    days = (day - first).days + 1
    values = [float(v) for v in np.random.default_rng(seed).integers(0, 40, days)]
    rule = document(around_days=around)
    judgement = judged(daily(values, first_on=first), rule, day_of(day))
    season = [
        values[(date(year, 2, 11) + timedelta(days=shift) - first).days]
        for year in range(2002, 2010)
        for shift in range(-around, around + 1)
    ]
    (place,) = judgement.evidence["places"]
    assert (place["earlier_years"], place["earlier_values"]) == (8, len(season))
    assert place["percentile"] == pytest.approx(percentileofscore(season, values[-1], kind="mean"))
    assert judged(daily([*values, *later], first_on=first), rule, day_of(day)) == judgement


def test_months_are_set_against_the_same_month() -> None:
    months = [float(100 * (n % 12) + n // 12) for n in range(12 * 9)]
    figures = monthly(months, first_month=date(2012, 1, 1), area="02")
    for month in (date(2020, 1, 1), date(2020, 2, 1), date(2020, 12, 1)):
        (place,) = judged(figures, document(), month_of(month)).evidence["places"]
        assert (place["percentile"], place["earlier_values"]) == (100, 8)


def test_the_29th_of_february_is_set_against_the_28th() -> None:
    figures = [
        figure
        for year in range(2000, 2013)
        for figure in daily([float(year)], first_on=date(year, 2, 28))
    ]
    figures += daily([5.0], first_on=date(2012, 2, 29))
    (place,) = judged(figures, document(), day_of(date(2012, 2, 29))).evidence["places"]
    assert (place["earlier_years"], place["percentile"]) == (12, 0)


def test_a_season_does_not_reach_into_the_period_that_is_judged() -> None:
    figures = daily([1.0] * (366 * 8), first_on=date(2003, 1, 1))
    year = Period(first_on=date(2010, 1, 1), last_on=date(2010, 12, 30))
    rule = document(around_days=10, minimum_figures=364)
    (place,) = judged(figures, rule, year).evidence["places"]
    # Of 2003 those that begin in it, of 2009 those that end before 2010: up to the 2nd of January.
    assert place["earlier_values"] == 11 + 5 * 21 + 12


@pytest.mark.parametrize(
    ("takes", "value"), [("mean", 4.0), ("highest", 7.0), ("lowest", 1.0), ("total", 12.0)]
)
def test_what_is_taken_of_a_period(takes: str, value: float) -> None:
    figures = [
        figure
        for year in range(2010, 2021)
        for figure in daily([4.0, None, 1.0, 7.0], first_on=date(year, 5, 3))
    ]
    rule = document(takes=takes, minimum_figures=3)
    (place,) = judged(figures, rule, month_of(date(2020, 5, 1))).evidence["places"]
    assert (place["value"], place["percentile"], place["earlier_years"]) == (value, 50, 10)


def test_no_answer_is_not_calm() -> None:
    few = judged(each_year([1, 2, 3, 4, 5]), document(), day_of(date(2004, 3, 20)))
    assert (few.stage, few.unjudged) == (
        TriggerStage.NONE,
        "Kratie: 5 earlier years with a value in this season are needed; there are 4.",
    )
    assert judged(each_year(TEN), document(), day_of(DAY)).unjudged == (
        "Kratie: 1 figures are needed from 2010-03-20 to 2010-03-20."
    )
    rule = document(minimum_figures=20)
    thin = judged(daily([1.0] * 19, first_on=date(2020, 5, 1)), rule, month_of(date(2020, 5, 1)))
    assert thin.unjudged is not None


def test_low_water_is_another_once_it_is_known_to_have_come_back() -> None:
    def order(between: float | None) -> Order:
        history = [
            figure
            for year in range(2000, 2010)
            for figure in daily([float(year - 1999)] * 9, first_on=date(year, 3, 20))
        ]
        now = daily([0.5, 0.5, 0.5, between, 0.5, 0.5, 0.5, 0.5], first_on=DAY)
        series = SEASON_PERCENTILE.lay_out(Figures.of([*history, *now]), document(), areas=["KH"])
        return SEASON_PERCENTILE.continues(
            series, document(), period=day_of(DAY + timedelta(days=7)), earlier=day_of(DAY)
        ).order

    assert order(9) is Order.LATER
    assert order(5) is Order.SAME
    assert order(None) is Order.SAME


@pytest.mark.parametrize(
    "changes",
    [
        {"direction": "high"},
        {"levels": {"activation": 101}},
        {"minimum_years": 4},
        {"around_days": 61},
        {"takes": "median"},
        {"rearm": {"quiet_days": 5, "after_days": 100, "back_to": 9}},
    ],
)
def test_a_document_that_cannot_be_meant_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        document(**changes)
