"""ALPS against hand-made series, other routes to the same numbers, and its invariances."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from services.triggers.methods.price_spike.alps import Alps, AlpsBand, alps, alps_band
from services.triggers.methods.price_spike.series import MonthlyPrices, month_after
from services.triggers.methods.unjudged import Unjudged

START = date(2019, 1, 1)


def series(
    values: list[float] | NDArray[np.float64], *, first_month: date = START
) -> MonthlyPrices:
    return MonthlyPrices(first_month=first_month, values=np.asarray(values, dtype=np.float64))


def judged(prices: MonthlyPrices, month: date) -> Alps:
    result = alps(prices, month)
    assert isinstance(result, Alps), result
    return result


def test_alps_of_a_hand_computed_series() -> None:
    # Each calendar month has its level, and the three years depart from it by +1, −2 and +1:
    # orthogonal to the trend and to every month, so the fit is the level and these residuals stay.
    level = np.arange(12.0)
    departures = np.repeat([1.0, -2.0, 1.0], 12)
    history = 50 + np.tile(level, 3) + departures
    deviation = np.sqrt(12 * (1 + 4 + 1) / 35)
    result = judged(series([*history, 60.0]), date(2022, 1, 1))
    assert result.forecast == pytest.approx(50.0)
    assert result.residual_deviation == pytest.approx(deviation)
    assert result.value == pytest.approx(10 / deviation)
    assert result.months_fitted == 36


def by_normal_equations(prices: MonthlyPrices, month: date) -> float:
    """The same definition by another route: full dummies, no constant, normal equations."""
    position = prices.position(month)

    def row(place: int) -> list[float]:
        calendar = (prices.first_month.month - 1 + place) % 12
        return [float(place), *(1.0 if calendar == each else 0.0 for each in range(12))]

    places = [place for place in range(position) if not np.isnan(prices.values[place])]
    design = np.array([row(place) for place in places])
    history = prices.values[places]
    coefficients = np.linalg.solve(design.T @ design, design.T @ history)
    residuals = history - design @ coefficients
    deviation = np.sqrt(residuals @ residuals / (len(places) - 1))
    return float((prices.values[position] - np.array(row(position)) @ coefficients) / deviation)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    months=st.integers(40, 90),
    first=st.integers(1, 12),
    missing=st.integers(0, 3),
)
def test_alps_equals_the_normal_equations(seed: int, months: int, first: int, missing: int) -> None:
    random = np.random.default_rng(seed)
    values = random.uniform(0.3, 0.8, months)
    gaps = random.choice(np.arange(12, months - 1), missing, replace=False)
    values[gaps] = np.nan
    prices = series(values, first_month=date(2015, first, 1))
    month = month_after(prices.first_month, months=months - 1)
    assert judged(prices, month).value == pytest.approx(by_normal_equations(prices, month))


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    scale=st.floats(0.01, 1_000),
    shift=st.floats(-100, 1_000),
)
def test_alps_does_not_depend_on_the_currency_or_a_constant(
    seed: int, scale: float, shift: float
) -> None:
    values = np.random.default_rng(seed).uniform(1, 3, 49)
    month = month_after(START, months=48)
    plain = judged(series(values), month).value
    assert judged(series(values * scale + shift), month).value == pytest.approx(plain, abs=1e-6)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), slope=st.floats(-1, 1))
def test_alps_does_not_depend_on_a_linear_trend(seed: int, slope: float) -> None:
    values = np.random.default_rng(seed).uniform(1, 3, 49)
    month = month_after(START, months=48)
    plain = judged(series(values), month).value
    tilted = judged(series(values + slope * np.arange(49)), month).value
    assert tilted == pytest.approx(plain, abs=1e-6)


def test_the_month_judged_and_later_ones_stay_out_of_the_fit() -> None:
    values = np.random.default_rng(1).uniform(1, 3, 60)
    month = month_after(START, months=40)
    before = judged(series(values), month)
    changed = values.copy()
    changed[41:] = 1_000
    assert judged(series(changed), month) == before
    changed[40] += before.residual_deviation
    assert judged(series(changed), month).value == pytest.approx(before.value + 1)


def test_thirty_five_months_are_not_enough() -> None:
    values = np.random.default_rng(1).uniform(1, 3, 40)
    values[5] = np.nan
    result = alps(series(values), month_after(START, months=36))
    assert isinstance(result, Unjudged)
    assert "there are 35" in result.reason
    assert isinstance(alps(series(values), month_after(START, months=37)), Alps)


def test_a_month_without_a_price_is_not_judged() -> None:
    values = np.random.default_rng(1).uniform(1, 3, 50)
    values[49] = np.nan
    assert isinstance(alps(series(values), month_after(START, months=49)), Unjudged)
    assert isinstance(alps(series(values), month_after(START, months=70)), Unjudged)


@pytest.mark.parametrize("calendar_month", [1, 7])
def test_a_season_never_seen_is_not_judged(calendar_month: int) -> None:
    values = np.random.default_rng(1).uniform(1, 3, 61)
    values[:60][(np.arange(60) % 12) == calendar_month - 1] = np.nan
    prices = series(values[: 60 + calendar_month])
    result = alps(prices, date(2024, 1, 1) if calendar_month == 1 else date(2023, 7, 1))
    assert isinstance(result, Unjudged)


def test_a_season_never_seen_does_not_change_the_other_months() -> None:
    values = np.random.default_rng(1).uniform(1, 3, 64)
    values[(np.arange(64) % 12) == 0] = np.nan
    month = month_after(START, months=63)
    prices = series(values)
    places = [place for place in range(63) if not np.isnan(values[place])]
    design = np.array(
        [[float(place), *(float(place % 12 == each) for each in range(1, 12))] for place in places]
    )
    coefficients = np.linalg.solve(design.T @ design, design.T @ values[places])
    forecast = np.array([63.0, *(float(each == 63 % 12) for each in range(1, 12))]) @ coefficients
    assert judged(prices, month).forecast == pytest.approx(forecast)


def test_prices_that_never_left_their_trend_have_no_scale() -> None:
    result = alps(series([0.5] * 40), month_after(START, months=39))
    assert isinstance(result, Unjudged)


@pytest.mark.parametrize(
    ("value", "band"),
    [
        (-3.0, AlpsBand.NORMAL),
        (0.2499, AlpsBand.NORMAL),
        (0.25, AlpsBand.STRESS),
        (0.9999, AlpsBand.STRESS),
        (1.0, AlpsBand.ALERT),
        (1.9999, AlpsBand.ALERT),
        (2.0, AlpsBand.CRISIS),
    ],
)
def test_bands_begin_at_their_threshold(value: float, band: AlpsBand) -> None:
    assert alps_band(value) is band
