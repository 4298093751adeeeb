"""What a national price is: one figure for each calendar month, missing months left missing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from services.triggers.methods.figures import Figures
from services.triggers.methods.price_spike.sums import SeasonalSums


@dataclass(frozen=True, kw_only=True)
class NationalMonth:
    """The median price over the markets that reported in one month.

    `month` is the first day of the month, `median` is in the indicator's unit, and `markets`
    counts the markets with a figure.
    """

    month: date
    median: float
    markets: int


@dataclass(frozen=True, kw_only=True)
class MonthlyPrices:
    """Prices on an unbroken calendar of months from `first_month`; a missing month is NaN."""

    first_month: date
    values: NDArray[np.float64]

    def position(self, month: date) -> int:
        """The place of `month` in `values`; it may lie outside of them."""
        return months_between(self.first_month, month)

    def price(self, position: int) -> float:
        """The price at a place, NaN when it is missing or outside of the series."""
        if 0 <= position < len(self.values):
            return float(self.values[position])
        return float("nan")

    @cached_property
    def sums(self) -> SeasonalSums:
        """Added up once for all the months that are judged."""
        return SeasonalSums.of(self.values)

    @cached_property
    def quarterly_growth(self) -> NDArray[np.float64]:
        """Compound growth a month over the three months up to each position."""
        return growth(self.values, months=3)

    @cached_property
    def yearly_growth(self) -> NDArray[np.float64]:
        """Compound growth a month over the twelve months up to each position."""
        return growth(self.values, months=12)


def growth(values: NDArray[np.float64], *, months: int) -> NDArray[np.float64]:
    """(P_t / P_{t−months})^(1/months) − 1; NaN without a price above zero at both ends."""
    found = np.full(len(values), np.nan)
    start, end = values[:-months], values[months:]
    above = (start > 0) & (end > 0)
    found[months:][above] = (end[above] / start[above]) ** (1 / months) - 1
    return found


def national_months(figures: Figures) -> list[NationalMonth]:
    """The median over markets for each month with a price, oldest first, to six decimals.

    A market that two sources report counts once, at the median of the two.
    """
    priced = ~np.isnan(figures.value)
    if not priced.any():
        return []
    value, day = figures.value[priced], figures.observed_on[priced]
    # The rows of a market and month lie together, and so do the markets of a month.
    markets = _starts(day, figures.area[priced], figures.place[priced])
    prices, days = _medians(markets, value), day[markets]
    months = _starts(days)
    return [
        _national_month(*month)
        for month in zip(
            days[months].tolist(),
            _medians(months, prices).tolist(),
            np.diff(np.append(months, len(prices))).tolist(),
            strict=True,
        )
    ]


@lru_cache(maxsize=10_000)
def _national_month(day: int, median: float, markets: int) -> NationalMonth:
    """Kept: a history lays the same months out again for each day on which it is told."""
    return NationalMonth(month=date.fromordinal(day), median=round(median, 6), markets=markets)


def _starts(*keys: NDArray[np.int32]) -> NDArray[np.intp]:
    """Where each run of rows with equal keys starts."""
    changes = np.zeros(len(keys[0]), np.bool_)
    changes[0] = True
    for key in keys:
        changes[1:] |= key[1:] != key[:-1]
    return np.flatnonzero(changes)


def _medians(starts: NDArray[np.intp], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The median of each run of values."""
    if len(starts) == len(values):
        return values
    counts = np.diff(np.append(starts, len(values)))
    runs = np.arange(len(starts))
    # A row for each run, filled up with what is above any price.
    laid = np.full((len(starts), int(counts.max())), np.inf)
    laid[np.repeat(runs, counts), np.arange(len(values)) - np.repeat(starts, counts)] = values
    laid.sort(axis=1)
    medians: NDArray[np.float64] = (laid[runs, (counts - 1) // 2] + laid[runs, counts // 2]) / 2
    return medians


def months_between(first: date, second: date) -> int:
    """Whole calendar months from the month of `first` to the month of `second`."""
    return (second.year - first.year) * 12 + second.month - first.month


def month_after(month: date, *, months: int) -> date:
    """The first day of the month that lies `months` after (before, when negative) `month`."""
    count = month.year * 12 + month.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)


def national_prices(months: Sequence[NationalMonth], *, minimum_markets: int) -> MonthlyPrices:
    """Lay the medians on a calendar. A month with fewer than `minimum_markets` stays missing.

    Nothing is interpolated: a gap that is filled looks like a quiet month and hides a spike.
    Raises ValueError when there is no month at all, or one month twice.
    """
    if not months:
        raise ValueError("No month has a price; record observations first.")
    if len({entry.month for entry in months}) != len(months):
        raise ValueError("One month appears twice; give one median for each month.")
    first = min(entry.month for entry in months)
    last = max(entry.month for entry in months)
    values = np.full(months_between(first, last) + 1, np.nan, dtype=np.float64)
    for entry in months:
        if entry.markets >= minimum_markets:
            values[months_between(first, entry.month)] = entry.median
    return MonthlyPrices(first_month=first, values=values)
