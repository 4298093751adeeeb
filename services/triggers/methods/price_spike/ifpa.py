"""IFPA: whether a price grew abnormally fast for the season.

Source: Food and Agriculture Organization, metadata of SDG indicator 2.c.1 (indicator of food
price anomalies); Baquedano, "Developing an indicator of price anomalies as an early warning
tool: a compound growth approach", FAO, 2015.

The metadata can be read in more than one way where it says how growth is made comparable. This is
the reading here: each growth rate is standardised by itself, against its own earlier years. The
growth over three months is set against growths over three months, that over twelve against
growths over twelve, both against those up to the same calendar month, by the weighted mean and
deviation of these alone; then the two are weighed together, 0.4 and 0.6. So neither the spread of
one rate nor the season of another month scales the other. Only years before the month that is
judged are used, where the metadata takes the whole series.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from services.triggers.methods.price_spike.series import MonthlyPrices
from services.triggers.methods.unjudged import Unjudged

MINIMUM_EARLIER_YEARS = 3
QUARTER_WEIGHT = 0.4
YEAR_WEIGHT = 0.6
MODERATELY_HIGH_FROM = 0.5
ABNORMALLY_HIGH_FROM = 1.0

# Below this, growth rates differ by rounding alone.
SMALLEST_DEVIATION = 1e-12


class IfpaBand(StrEnum):
    """The situations of the indicator's metadata, for rising prices."""

    NORMAL = "normal"
    MODERATELY_HIGH = "moderately-high"
    ABNORMALLY_HIGH = "abnormally-high"


@dataclass(frozen=True, kw_only=True)
class GrowthAnomaly:
    """Compound monthly growth over `months`, set against the same month of earlier years.

    `growth` and `mean` and `deviation` are shares for each month (0.01 is one percent);
    `standardised` is in weighted standard deviations.
    """

    months: int
    growth: float
    mean: float
    deviation: float
    standardised: float
    earlier_years: int


@dataclass(frozen=True, kw_only=True)
class Ifpa:
    """One month's IFPA (in weighted standard deviations) and its two parts."""

    value: float
    quarter: GrowthAnomaly
    year: GrowthAnomaly

    @property
    def band(self) -> IfpaBand:
        return ifpa_band(self.value)


def ifpa_band(value: float) -> IfpaBand:
    """Moderately high from 0.5, abnormally high from 1."""
    if value >= ABNORMALLY_HIGH_FROM:
        return IfpaBand.ABNORMALLY_HIGH
    if value >= MODERATELY_HIGH_FROM:
        return IfpaBand.MODERATELY_HIGH
    return IfpaBand.NORMAL


def ifpa(
    prices: MonthlyPrices,
    month: date,
    *,
    minimum_earlier_years: int = MINIMUM_EARLIER_YEARS,
) -> Ifpa | Unjudged:
    """IFPA = 0.4 × the standardised growth over 3 months + 0.6 × that over 12 months."""
    quarter = growth_anomaly(prices, month, months=3, minimum_earlier_years=minimum_earlier_years)
    if isinstance(quarter, Unjudged):
        return quarter
    year = growth_anomaly(prices, month, months=12, minimum_earlier_years=minimum_earlier_years)
    if isinstance(year, Unjudged):
        return year
    value = QUARTER_WEIGHT * quarter.standardised + YEAR_WEIGHT * year.standardised
    return Ifpa(value=value, quarter=quarter, year=year)


def growth_anomaly(
    prices: MonthlyPrices, month: date, *, months: Literal[3, 12], minimum_earlier_years: int
) -> GrowthAnomaly | Unjudged:
    """Standardise (P_t / P_{t−months})^(1/months) − 1 against the same month of earlier years.

    The oldest earlier year with a growth rate weighs 1, each later year one more. A year whose
    growth is missing weighs nothing and keeps its place, so that recency keeps its meaning.
    """
    position = prices.position(month)
    rates = prices.quarterly_growth if months == 3 else prices.yearly_growth
    growth = float(rates[position]) if 0 <= position < len(rates) else float("nan")
    if np.isnan(growth):
        return Unjudged(
            f"Growth over {months} months to {month:%Y-%m} needs a price above zero at both ends."
        )
    earlier = rates[position % 12 : position : 12]
    known = ~np.isnan(earlier)
    if int(known.sum()) < minimum_earlier_years:
        return Unjudged(
            f"IFPA needs the growth over {months} months of {minimum_earlier_years} earlier "
            f"years; {int(known.sum())} are known for {month:%B}."
        )
    weights = np.arange(len(earlier), dtype=np.float64) - int(np.argmax(known)) + 1.0
    mean, deviation = weighted_mean_and_deviation(earlier[known], weights[known])
    if deviation <= SMALLEST_DEVIATION:
        return Unjudged(
            f"Growth over {months} months was the same in all earlier years, "
            "so a departure has no scale."
        )
    return GrowthAnomaly(
        months=months,
        growth=growth,
        mean=mean,
        deviation=deviation,
        standardised=(growth - mean) / deviation,
        earlier_years=int(known.sum()),
    )


def weighted_mean_and_deviation(
    values: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[float, float]:
    """x̄ = Σwx / Σw, and sqrt(Σw(x − x̄)² / (Σw · (Y − 1) / Y)) over Y values."""
    count = len(values)
    total = float(weights.sum())
    mean = float((weights * values).sum()) / total
    spread = float((weights * (values - mean) ** 2).sum())
    return mean, float(np.sqrt(spread / (total * (count - 1) / count)))
