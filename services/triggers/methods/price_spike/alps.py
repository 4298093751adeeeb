"""ALPS: how far a month's price stands above its own seasonal trend.

Source: World Food Programme, "Calculation and Use of the Alert for Price Spikes (ALPS)
Indicator", Technical Guidance Note, April 2014.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import numpy as np

from services.triggers.methods.price_spike.series import MonthlyPrices
from services.triggers.methods.unjudged import Unjudged

MINIMUM_HISTORY_MONTHS = 36

# Below this share of the mean price, residuals are rounding noise of the fit, not a spread.
SMALLEST_RELATIVE_DEVIATION = 1e-9


class AlpsBand(StrEnum):
    """The four situations of the guidance note."""

    NORMAL = "normal"
    STRESS = "stress"
    ALERT = "alert"
    CRISIS = "crisis"


STRESS_FROM = 0.25
ALERT_FROM = 1.0
CRISIS_FROM = 2.0


@dataclass(frozen=True, kw_only=True)
class Alps:
    """One month's ALPS and the numbers that made it.

    `value` is in standard deviations of the residuals; `price`, `forecast` and
    `residual_deviation` are in the unit of the price.
    """

    value: float
    price: float
    forecast: float
    residual_deviation: float
    months_fitted: int

    @property
    def band(self) -> AlpsBand:
        return alps_band(self.value)


def alps_band(value: float) -> AlpsBand:
    """Normal < 0.25 ≤ stress < 1 ≤ alert < 2 ≤ crisis."""
    if value >= CRISIS_FROM:
        return AlpsBand.CRISIS
    if value >= ALERT_FROM:
        return AlpsBand.ALERT
    if value >= STRESS_FROM:
        return AlpsBand.STRESS
    return AlpsBand.NORMAL


def alps(
    prices: MonthlyPrices,
    month: date,
    *,
    minimum_history_months: int = MINIMUM_HISTORY_MONTHS,
) -> Alps | Unjudged:
    """Judge `month` by the trend of the months before it, and of those alone.

    The price is regressed by ordinary least squares on a constant, a linear trend in calendar
    months and eleven month dummies with January as the base. ALPS = (price − forecast) /
    sqrt(Σ residual² / (n − 1)). The month judged and all later ones stay out of the fit, so the
    answer is the one that could have been given at the time. Every month of a series is judged
    from sums that are added up once, and to the bit as if the series ended with it.
    """
    position = prices.position(month)
    price = prices.price(position)
    if np.isnan(price):
        return Unjudged(f"There is no national price for {month:%Y-%m}.")
    sums = prices.sums
    count = sums.count[position]
    months = int(count.sum())
    if months < minimum_history_months:
        return Unjudged(
            f"ALPS needs {minimum_history_months} earlier months with a price; "
            f"there are {months} before {month:%Y-%m}."
        )
    season = position % 12
    if not count[season]:
        return Unjudged(f"No earlier {month:%B} has a price, so its season is unknown.")
    # Least squares with a dummy for each calendar month: each month's own mean, and one slope of
    # what departs from them (Frisch and Waugh, "Partial time regressions", Econometrica 1, 1933).
    known = np.maximum(count, 1)
    mean_place, mean_price = sums.place[position] / known, sums.price[position] / known
    spread = float((sums.place_square[position] - sums.place[position] * mean_place).sum())
    if spread <= 0:
        return Unjudged("No calendar month has a price in two years, so there is no trend.")
    together = float((sums.place_price[position] - sums.place[position] * mean_price).sum())
    slope = together / spread
    before = prices.values[:position]
    places = np.flatnonzero(~np.isnan(before))
    history = before[places]
    seasons = places % 12
    residuals = (history - sums.origin - mean_price[seasons]) - slope * (
        places - mean_place[seasons]
    )
    deviation = float(np.sqrt(np.sum(residuals**2) / (months - 1)))
    if deviation <= SMALLEST_RELATIVE_DEVIATION * float(np.mean(np.abs(history))):
        return Unjudged("Earlier prices never left their trend, so a departure has no scale.")
    forecast = float(sums.origin + mean_price[season] + slope * (position - mean_place[season]))
    return Alps(
        value=(price - forecast) / deviation,
        price=price,
        forecast=forecast,
        residual_deviation=deviation,
        months_fitted=months,
    )
