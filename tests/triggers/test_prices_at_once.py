"""Every month of a price series, judged from sums added up once, against a fit for each month."""

from datetime import date
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from services.triggers.definitions.document import TriggerDocument
from services.triggers.definitions.shipped import shipped_document
from services.triggers.methods.figures import Figures
from services.triggers.methods.price_spike.alps import Alps, alps
from services.triggers.methods.price_spike.document import PriceSpike, PriceThresholds
from services.triggers.methods.price_spike.ifpa import (
    SMALLEST_DEVIATION,
    GrowthAnomaly,
    Ifpa,
    growth_anomaly,
    ifpa,
    weighted_mean_and_deviation,
)
from services.triggers.methods.price_spike.judgement import judge_price
from services.triggers.methods.price_spike.method import PRICE_SPIKE
from services.triggers.methods.price_spike.series import MonthlyPrices, month_after
from services.triggers.methods.trigger_stage import TriggerStage
from services.triggers.methods.unjudged import Unjudged
from tests.triggers.figures import judged, month_of, monthly


def alps_by_a_fit(prices: MonthlyPrices, month: date) -> tuple[float, float, float] | None:
    """Value, forecast and deviation by least squares on a trend and dummies, for one month."""
    position = prices.position(month)
    before = prices.values[:position]
    observed = np.flatnonzero(~np.isnan(before))
    calendar = (observed + prices.first_month.month - 1) % 12
    if np.isnan(prices.values[position]) or len(observed) < 36 or month.month - 1 not in calendar:
        return None

    def rows(places: NDArray[np.intp], months: NDArray[np.intp]) -> NDArray[np.float64]:
        dummies = months[:, np.newaxis] == np.arange(1, 12)
        return np.column_stack([np.ones(len(places)), places, dummies]).astype(np.float64)

    design, history = rows(observed, calendar), before[observed]
    coefficients, *_ = np.linalg.lstsq(design, history, rcond=None)
    residuals = history - design @ coefficients
    deviation = float(np.sqrt(np.sum(residuals**2) / (len(history) - 1)))
    last = rows(np.array([position]), np.array([month.month - 1]))
    forecast = float((last @ coefficients)[0])
    return (float(prices.values[position]) - forecast) / deviation, forecast, deviation


def anomaly_by_years(prices: MonthlyPrices, month: date, *, months: int) -> float | None:
    """The standardised growth of one month, with the growth of each earlier year found anew."""

    def rate(position: int) -> float:
        start, end = prices.price(position - months), prices.price(position)
        return (end / start) ** (1 / months) - 1 if start > 0 and end > 0 else float("nan")

    position = prices.position(month)
    earlier = np.array([rate(place) for place in range(position % 12, position, 12)])
    known = ~np.isnan(earlier)
    if np.isnan(rate(position)) or known.sum() < 3:
        return None
    weights = np.arange(len(earlier)) - int(np.argmax(known)) + 1.0
    mean, deviation = weighted_mean_and_deviation(earlier[known], weights[known])
    return (rate(position) - mean) / deviation if deviation > SMALLEST_DEVIATION else None


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    first=st.integers(1, 12),
    scale=st.sampled_from([0.001, 1.0, 4_100.0]),
    missing=st.sampled_from([0.0, 0.1, 0.6]),
    rise=st.floats(0, 0.05),
)
def test_every_month_is_as_a_fit_for_it_alone(
    seed: int, first: int, scale: float, missing: float, rise: float
) -> None:
    random = np.random.default_rng(seed)
    values = scale * (random.uniform(0.3, 0.8, 120) + rise * np.arange(120))
    values[random.uniform(size=120) < missing] = np.nan
    prices = MonthlyPrices(first_month=date(2005, first, 1), values=values)
    for position in range(120):
        month = month_after(prices.first_month, months=position)
        found, expected = alps(prices, month), alps_by_a_fit(prices, month)
        assert isinstance(found, Unjudged) == (expected is None)
        if isinstance(found, Alps) and expected is not None:
            value, *in_its_unit = expected
            assert found.value == pytest.approx(value, rel=1e-9, abs=1e-9)
            told = [found.forecast, found.residual_deviation]
            assert told == pytest.approx(in_its_unit, rel=1e-9, abs=1e-9 * scale)
        horizons: tuple[Literal[3, 12], ...] = (3, 12)
        for months in horizons:
            anomaly = growth_anomaly(prices, month, months=months, minimum_earlier_years=3)
            standardised = anomaly_by_years(prices, month, months=months)
            assert isinstance(anomaly, Unjudged) == (standardised is None)
            if isinstance(anomaly, GrowthAnomaly):
                assert anomaly.standardised == pytest.approx(standardised, rel=1e-9, abs=1e-9)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), length=st.integers(50, 110))
def test_a_month_is_judged_to_the_bit_as_if_the_series_ended_with_it(
    seed: int, length: int
) -> None:
    values = np.random.default_rng(seed).uniform(0.3, 0.8, 120)
    start = date(2005, 1, 1)
    whole = MonthlyPrices(first_month=start, values=values)
    cut = MonthlyPrices(first_month=start, values=values[:length])
    month = month_after(start, months=length - 1)
    assert alps(whole, month) == alps(cut, month)
    assert ifpa(whole, month) == ifpa(cut, month)


def test_each_growth_is_set_against_its_own_years() -> None:
    """A quarter's growth that was always wild does not scale the year's, nor the other way."""
    values = np.exp(np.cumsum(np.random.default_rng(8).normal(0, 0.05, 84)))
    prices = MonthlyPrices(first_month=date(2010, 1, 1), values=values)
    found = ifpa(prices, date(2016, 12, 1))
    assert isinstance(found, Ifpa)
    quarters = np.array([(values[n] / values[n - 3]) ** (1 / 3) - 1 for n in range(11, 84, 12)])
    years = np.array([(values[n] / values[n - 12]) ** (1 / 12) - 1 for n in range(23, 84, 12)])
    for rates, anomaly in ((quarters, found.quarter), (years, found.year)):
        mean, deviation = weighted_mean_and_deviation(rates[:-1], np.arange(1.0, len(rates)))
        assert anomaly.standardised == pytest.approx((rates[-1] - mean) / deviation)
    assert found.value == pytest.approx(
        0.4 * found.quarter.standardised + 0.6 * found.year.standardised
    )


@pytest.fixture(scope="module")
def document() -> PriceSpike:
    shipped = TriggerDocument.model_validate(shipped_document("rice-price-spike")).legs[0].method
    assert isinstance(shipped, PriceSpike)
    return shipped


def test_a_month_that_cannot_be_judged_is_no_calm(document: PriceSpike) -> None:
    markets = document.model_copy(update={"minimum_markets": 1})
    nothing = judged([], markets, month_of(date(2022, 1, 1)))
    assert nothing.stage is TriggerStage.NONE
    assert nothing.unjudged is not None
    values = [1.0 + n % 5 / 10 for n in range(60)]
    young = judged(
        monthly(values[:30], first_month=date(2015, 1, 1), area="12"),
        markets,
        month_of(date(2017, 6, 1)),
    )
    assert young.unjudged is not None
    assert young.finding.endswith("cannot be judged.")


def test_what_the_other_half_settles_is_judged(document: PriceSpike) -> None:
    # ALPS can be judged after 36 months, IFPA only after 48.
    values = [*np.random.default_rng(5).uniform(1, 2, 40), 0.5, 9.0]
    prices = MonthlyPrices(first_month=date(2015, 1, 1), values=np.array(values))
    low, high = (month_after(prices.first_month, months=n) for n in (40, 41))
    either = document.model_copy(
        update={"activation": PriceThresholds(alps=1, ifpa=0.5, require="either")}
    )
    assert judge_price(prices, low, document=document).unjudged is None
    assert judge_price(prices, low, document=either).unjudged is not None
    assert judge_price(prices, high, document=document).unjudged is not None
    settled = judge_price(prices, high, document=either)
    assert (settled.stage, settled.unjudged) == (TriggerStage.ACTIVATION, None)


def test_a_laid_out_series_serves_every_month(document: PriceSpike) -> None:
    figures = Figures.of(monthly([1.0, 1.5] * 30, first_month=date(2015, 1, 1), area="12"))
    rule = document.model_copy(update={"minimum_markets": 1})
    series = PRICE_SPIKE.lay_out(figures, rule, areas=["KH"])
    first = series.prices.sums
    for months in range(60):
        period = month_of(month_after(date(2015, 1, 1), months=months))
        PRICE_SPIKE.judge(series, rule, period=period, areas=["KH"])
    assert series.prices.sums is first
