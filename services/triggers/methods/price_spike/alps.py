"""ALPS: how far a month's price stands above its own seasonal trend.

Source: World Food Programme, "Calculation and Use of the Alert for Price Spikes (ALPS)
Indicator", Technical Guidance Note, April 2014.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

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
    answer is the one that could have been given at the time.
    """
    position = prices.position(month)
    price = prices.price(position)
    if np.isnan(price):
        return Unjudged(f"There is no national price for {month:%Y-%m}.")
    before = prices.values[:position]
    observed = np.flatnonzero(~np.isnan(before))
    if len(observed) < minimum_history_months:
        return Unjudged(
            f"ALPS needs {minimum_history_months} earlier months with a price; "
            f"there are {len(observed)} before {month:%Y-%m}."
        )
    first_calendar_month = prices.first_month.month - 1
    calendar_months = (observed + first_calendar_month) % 12
    if not np.any(calendar_months == month.month - 1):
        return Unjudged(f"No earlier {month:%B} has a price, so its season is unknown.")
    history = before[observed]
    design = _design(observed, calendar_months)
    # The least-norm solution also serves when some other calendar month was never seen: the
    # forecast of a calendar month that was seen does not depend on it.
    coefficients, *_ = np.linalg.lstsq(design, history, rcond=None)
    residuals = history - design @ coefficients
    deviation = float(np.sqrt(np.sum(residuals**2) / (len(history) - 1)))
    if deviation <= SMALLEST_RELATIVE_DEVIATION * float(np.mean(np.abs(history))):
        return Unjudged("Earlier prices never left their trend, so a departure has no scale.")
    judged = _design(np.array([position]), np.array([month.month - 1]))
    forecast = float((judged @ coefficients)[0])
    return Alps(
        value=(price - forecast) / deviation,
        price=price,
        forecast=forecast,
        residual_deviation=deviation,
        months_fitted=len(history),
    )


def _design(positions: NDArray[np.intp], calendar_months: NDArray[np.intp]) -> NDArray[np.float64]:
    """Rows of [1, trend, February … December], 13 columns; calendar months count from 0."""
    dummies = calendar_months[:, np.newaxis] == np.arange(1, 12)
    return np.column_stack([np.ones(len(positions)), positions, dummies]).astype(np.float64)
