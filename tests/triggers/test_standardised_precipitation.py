"""The SPI against SciPy and values worked by hand; and when there is no answer."""

from datetime import date, timedelta
from math import log, sqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydantic import ValidationError
from scipy import special, stats

from services.triggers.methods.figures import Figure, Figures
from services.triggers.methods.judgement import Judgement
from services.triggers.methods.method import Order
from services.triggers.methods.price_spike.series import month_after
from services.triggers.methods.severity import Severity
from services.triggers.methods.standardised_precipitation.document import (
    StandardisedPrecipitation,
)
from services.triggers.methods.standardised_precipitation.method import (
    STANDARDISED_PRECIPITATION,
)
from services.triggers.methods.standardised_precipitation.spi import (
    BOUND,
    SpiFit,
    fit,
    gamma_probability,
)
from services.triggers.methods.trigger_stage import TriggerStage
from services.triggers.methods.unjudged import Unjudged
from tests.triggers.figures import day_of, judged, month_of, monthly

START = date(1990, 1, 1)


def document(**changes: Any) -> StandardisedPrecipitation:
    return StandardisedPrecipitation.model_validate(
        {
            "kind": "standardised-precipitation",
            "months": 3,
            "figures": "months",
            "direction": "low",
            "levels": {"readiness": -1, "activation": -1.5, "extreme": -2},
            "minimum_years": 20,
            "rearm": {"quiet_days": 60, "after_days": 365, "back_to": -0.5},
            **changes,
        }
    )


@settings(max_examples=200, deadline=None)
@given(shape=st.floats(0.05, 500), share=st.floats(0.001, 6))
def test_the_gamma_distribution_equals_scipy(shape: float, share: float) -> None:
    value = shape * share
    expected = special.gammainc(shape, value)
    assert gamma_probability(shape, value) == pytest.approx(expected, rel=1e-10, abs=1e-14)


def test_an_exponential_fit_by_hand() -> None:
    # Where A = ln 2 − ½ ln 3 ..., shape and scale follow from the two means alone.
    totals = np.array([1.0, 3.0] * 5 + [0.0] * 10)
    found = fit(totals)
    assert isinstance(found, SpiFit)
    spread = log(2) - log(3) / 2
    shape = (1 + sqrt(1 + 4 * spread / 3)) / (4 * spread)
    assert (found.probability_of_zero, found.years) == (0.5, 20)
    assert found.shape == pytest.approx(shape)
    assert found.scale == pytest.approx(2 / shape)
    # Half of the years were dry: no rain is the median, and the SPI of it is zero.
    assert found.spi(0) == pytest.approx(0, abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.floats(0.3, 30),
    dry=st.integers(0, 15),
    total=st.floats(0, 2_000),
)
def test_the_spi_equals_scipy(seed: int, shape: float, dry: int, total: float) -> None:
    wet = np.random.default_rng(seed).gamma(shape, 60, 30 - dry) + 1e-6
    found = fit(np.concatenate([wet, np.zeros(dry)]))
    assert isinstance(found, SpiFit)
    rained = stats.gamma(found.shape, scale=found.scale).cdf(total)
    expected = stats.norm.ppf(dry / 30 + (1 - dry / 30) * rained)
    bounded = float(np.clip(expected, -BOUND, BOUND))
    assert found.spi(total) == pytest.approx(bounded, abs=1e-6)


def test_thom_is_near_the_greatest_likelihood() -> None:
    totals = np.random.default_rng(4).gamma(2, 60, 60)
    found = fit(totals)
    assert isinstance(found, SpiFit)
    shape, _, scale = stats.gamma.fit(totals, floc=0)
    assert found.shape == pytest.approx(shape, rel=0.01)
    assert found.scale == pytest.approx(scale, rel=0.01)


def rain(months: int = 12 * 32, *, seed: int = 1) -> NDArray[np.float64]:
    return np.random.default_rng(seed).gamma(2, 60, months).round(1)


def judged_in(values: NDArray[np.float64] | list[float | None], rule: Any, at: int) -> Judgement:
    month = month_after(START, months=at)
    return judged(monthly(values, first_month=START, area="02"), rule, month_of(month))


def test_a_month_is_judged_by_the_same_months_of_earlier_years() -> None:
    values, at = rain(), 12 * 30 + 6
    (place,) = judged_in(values, document(), at).evidence["places"]
    sums = [values[end - 2 : end + 1].sum() for end in range(6, at + 1, 12)]
    shape, rate = place["shape"], place["scale_millimetres"]
    mean = np.mean(sums[:-1])
    spread = np.log(mean) - np.mean(np.log(sums[:-1]))
    assert shape == pytest.approx((1 + np.sqrt(1 + 4 * spread / 3)) / (4 * spread))
    assert shape * rate == pytest.approx(mean)
    assert place["millimetres"] == pytest.approx(sums[-1])
    assert place["earlier_years"] == 30
    assert place["spi"] == pytest.approx(
        stats.norm.ppf(stats.gamma(shape, scale=rate).cdf(sums[-1]))
    )


def test_dry_and_wet_reach_the_stages_of_their_side() -> None:
    values, at = rain(), 12 * 30 + 6
    values[at - 2 : at + 1] = 1.0
    dry = judged_in(values, document(), at)
    assert (dry.stage, dry.severity) == (TriggerStage.ACTIVATION, Severity.EXTREME)
    assert dry.areas == ("02",)
    wet = document(
        direction="high",
        levels={"readiness": 1, "activation": 1.5, "extreme": 2},
        rearm={"quiet_days": 60, "after_days": 365, "back_to": 0.5},
    )
    assert judged_in(values, wet, at).stage is TriggerStage.NONE
    values[at - 2 : at + 1] = 900.0
    assert judged_in(values, wet, at).stage is TriggerStage.ACTIVATION


def test_rain_by_the_day_is_that_of_its_whole_months() -> None:
    days = (date(2012, 1, 1) - START).days
    fell = np.random.default_rng(2).gamma(0.5, 8, days).round(1)
    figures = [
        Figure("02", None, "CHIRPS", START + timedelta(days=n), START, float(mm))
        for n, mm in enumerate(fell)
    ]
    rule = document(figures="days", months=1)
    whole = judged(figures, rule, month_of(date(2011, 12, 1)))
    assert whole.evidence["places"][0]["millimetres"] == pytest.approx(fell[-31:].sum())
    assert whole.evidence["places"][0]["earlier_years"] == 21
    gap = [figure for figure in figures if figure.observed_on != date(2011, 12, 9)]
    assert judged(gap, rule, month_of(date(2011, 12, 1))).unjudged == (
        "02: The rain of the 1 months up to 2011-12 is not known whole."
    )
    older = [figure for figure in figures if figure.observed_on != date(2005, 12, 9)]
    fewer = judged(older, rule, month_of(date(2011, 12, 1)))
    assert fewer.evidence["places"][0]["earlier_years"] == 20


def test_no_answer_is_not_calm() -> None:
    rule = document()
    values: list[float | None] = list(rain())
    few = judged_in(values, rule, 12 * 19 + 6)
    assert few.unjudged is not None
    assert "there are 19" in few.unjudged
    values[12 * 30 + 5] = None
    assert judged_in(values, rule, 12 * 30 + 6).unjudged is not None
    day = day_of(date(2020, 7, 9))
    assert judged(monthly(values, first_month=START), rule, day).unjudged is not None
    assert isinstance(fit(np.array([5.0] * 30)), Unjudged)
    assert isinstance(fit(np.array([0.0] * 21 + [3.0, 4.0, 5.0] * 3)), Unjudged)


def test_a_drought_is_another_once_the_spi_came_back() -> None:
    at = 12 * 30 + 6
    rule = document(months=1)

    def order(between: float | None) -> Order:
        values: list[float | None] = list(rain())
        values[at : at + 6] = [1.0, between, 1.0, 1.0, 1.0, 1.0]
        figures = Figures.of(monthly(values, first_month=START, area="02"))
        series = STANDARDISED_PRECIPITATION.lay_out(figures, rule, areas=["KH"])
        later, earlier = (month_of(month_after(START, months=at + n)) for n in (4, 0))
        return STANDARDISED_PRECIPITATION.continues(
            series, rule, period=later, earlier=earlier
        ).order

    assert order(150.0) is Order.LATER
    assert order(2.0) is Order.SAME
    assert order(None) is Order.SAME


@settings(max_examples=15, deadline=None)
@given(later=st.lists(st.floats(0, 900), max_size=14))
def test_what_comes_later_changes_nothing(later: list[float]) -> None:
    values, at = list(rain(12 * 25)), 12 * 25 - 1
    alone = judged_in(list(values), document(), at)
    assert alone.unjudged is None
    assert judged_in([*values, *later], document(), at) == alone


@pytest.mark.parametrize(
    "changes",
    [
        {"months": 2},
        {"levels": {"readiness": -1.5, "activation": -1}},
        {"levels": {"activation": 1.5}},
        {"direction": "high"},
        {"minimum_years": 19},
        {"rearm": {"quiet_days": 60, "after_days": 365, "back_to": -1.6}},
        {"levels": {"activation": -4}},
    ],
)
def test_a_document_that_cannot_be_meant_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        document(**changes)
