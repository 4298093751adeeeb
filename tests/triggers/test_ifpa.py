"""IFPA against hand computation, exact arithmetic by another route, and its invariances."""

from datetime import date
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from services.triggers.methods.price_spike.ifpa import (
    GrowthAnomaly,
    Ifpa,
    IfpaBand,
    growth_anomaly,
    ifpa,
    ifpa_band,
    weighted_mean_and_deviation,
)
from services.triggers.methods.price_spike.series import MonthlyPrices, month_after
from services.triggers.methods.unjudged import Unjudged

START = date(2019, 1, 1)


def series(values: list[float] | NDArray[np.float64]) -> MonthlyPrices:
    return MonthlyPrices(first_month=START, values=np.asarray(values, dtype=np.float64))


def test_weighted_mean_and_deviation_by_hand() -> None:
    # Weights 1, 2, 3 on 1, 2, 4: mean 17/6; Σw(x−x̄)² = 53/6; Σw·(Y−1)/Y = 4.
    mean, deviation = weighted_mean_and_deviation(
        np.array([1.0, 2.0, 4.0]), np.array([1.0, 2.0, 3.0])
    )
    assert mean == pytest.approx(17 / 6)
    assert deviation == pytest.approx((53 / 24) ** 0.5)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.fractions(-1, 1, max_denominator=50), min_size=2, max_size=8))
def test_weighted_deviation_equals_the_exact_one(values: list[Fraction]) -> None:
    weights = range(1, len(values) + 1)
    total = sum(weights)
    mean = sum(w * x for w, x in zip(weights, values, strict=True)) / total
    second = sum(w * x * x for w, x in zip(weights, values, strict=True)) / total
    # By the second moment instead of the departures: Σw(x−x̄)² = Σw·(mean of squares − x̄²).
    variance = (second - mean * mean) * Fraction(len(values), len(values) - 1)
    found_mean, found = weighted_mean_and_deviation(
        np.array([float(value) for value in values]), np.array(list(map(float, weights)))
    )
    assert found_mean == pytest.approx(float(mean), abs=1e-12)
    assert found**2 == pytest.approx(float(variance), abs=1e-12)


def test_growth_anomaly_of_a_hand_computed_series() -> None:
    # April against January: growth of 10%, 20% and 40% a month in three years, 30% in the fourth.
    values = np.full(40, np.nan)
    for year, monthly in enumerate([1.1, 1.2, 1.4, 1.3]):
        values[year * 12] = 100
        values[year * 12 + 3] = 100 * monthly**3
    result = growth_anomaly(series(values), date(2022, 4, 1), months=3, minimum_earlier_years=3)
    assert isinstance(result, GrowthAnomaly)
    mean = (0.1 + 2 * 0.2 + 3 * 0.4) / 6
    spread = (0.1 - mean) ** 2 + 2 * (0.2 - mean) ** 2 + 3 * (0.4 - mean) ** 2
    deviation = (spread / (6 * 2 / 3)) ** 0.5
    assert result.growth == pytest.approx(0.3)
    assert result.mean == pytest.approx(mean)
    assert result.deviation == pytest.approx(deviation)
    assert result.standardised == pytest.approx((0.3 - mean) / deviation)
    assert result.earlier_years == 3


def test_a_missing_year_weighs_nothing_and_keeps_its_place() -> None:
    values = np.full(52, np.nan)
    for year, monthly in enumerate([1.1, None, 1.2, 1.4, 1.3]):
        if monthly is not None:
            values[year * 12] = 100
            values[year * 12 + 3] = 100 * monthly**3
    result = growth_anomaly(series(values), date(2023, 4, 1), months=3, minimum_earlier_years=3)
    assert isinstance(result, GrowthAnomaly)
    assert result.mean == pytest.approx((1 * 0.1 + 3 * 0.2 + 4 * 0.4) / 8)
    assert result.earlier_years == 3


def test_ifpa_weighs_the_quarter_and_the_year() -> None:
    values = np.random.default_rng(7).uniform(1, 2, 60)
    result = ifpa(series(values), month_after(START, months=59))
    assert isinstance(result, Ifpa)
    assert result.value == pytest.approx(
        0.4 * result.quarter.standardised + 0.6 * result.year.standardised
    )
    assert (result.quarter.months, result.year.months) == (3, 12)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), scale=st.floats(0.001, 5_000))
def test_ifpa_does_not_depend_on_the_currency(seed: int, scale: float) -> None:
    values = np.random.default_rng(seed).uniform(1, 2, 66)
    month = month_after(START, months=65)
    plain, scaled = ifpa(series(values), month), ifpa(series(values * scale), month)
    assert isinstance(plain, Ifpa)
    assert isinstance(scaled, Ifpa)
    assert scaled.value == pytest.approx(plain.value, abs=1e-6)


def test_ifpa_does_not_look_ahead() -> None:
    values = np.random.default_rng(3).uniform(1, 2, 80)
    month = month_after(START, months=65)
    changed = values.copy()
    changed[66:] = 50
    assert ifpa(series(values), month) == ifpa(series(changed), month)


def test_two_earlier_years_are_not_enough() -> None:
    values = np.random.default_rng(3).uniform(1, 2, 60)
    # Growth over twelve months is known from January 2020: three of them before January 2023.
    assert isinstance(ifpa(series(values), date(2022, 12, 1)), Unjudged)
    assert isinstance(ifpa(series(values), date(2023, 1, 1)), Ifpa)


def test_growth_from_a_missing_month_is_not_judged() -> None:
    values = np.random.default_rng(3).uniform(1, 2, 60)
    values[56] = np.nan
    result = ifpa(series(values), month_after(START, months=59))
    assert isinstance(result, Unjudged)
    assert "3 months" in result.reason


@pytest.mark.parametrize(
    ("value", "band"),
    [
        (0.4999, IfpaBand.NORMAL),
        (0.5, IfpaBand.MODERATELY_HIGH),
        (0.9999, IfpaBand.MODERATELY_HIGH),
        (1.0, IfpaBand.ABNORMALLY_HIGH),
    ],
)
def test_bands_begin_at_their_threshold(value: float, band: IfpaBand) -> None:
    assert ifpa_band(value) is band
