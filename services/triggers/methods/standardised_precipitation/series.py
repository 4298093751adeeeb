"""The rain of a place by month: a month is known where all of it is known."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from services.triggers.methods.figures import Figures
from services.triggers.methods.judgement import Period
from services.triggers.methods.places import PlaceSeries, Site, place_series
from services.triggers.methods.standardised_precipitation.document import (
    StandardisedPrecipitation,
)


@dataclass(frozen=True, kw_only=True, eq=False)
class RainSeries:
    """`totals` are those of the months up to each month together, in millimetres.

    Months are counted from January of the year 0; the first total is of `first_month`.
    """

    series: PlaceSeries
    first_month: int
    totals: NDArray[np.float64]

    @property
    def site(self) -> Site:
        return self.series.site

    def is_awaited(self, period: Period) -> bool:
        return self.series.is_awaited(period)

    def total(self, month: int) -> float:
        """NaN where a month is missing."""
        position = month - self.first_month
        return float(self.totals[position]) if 0 <= position < len(self.totals) else float("nan")

    def earlier(self, month: int) -> NDArray[np.float64]:
        """The totals of the same calendar month in earlier years, where they are known."""
        position = month - self.first_month
        totals = self.totals[position % 12 : max(position, 0) : 12]
        return totals[~np.isnan(totals)]


def month_number(day: date) -> int:
    """The months from January of the year 0 to that of a day."""
    return day.year * 12 + day.month - 1


def rain(
    figures: Figures, document: StandardisedPrecipitation, *, areas: Sequence[str]
) -> list[RainSeries]:
    return [
        _by_month(series, document)
        for series in place_series(
            figures, named=document.named, reaches=document.reaches, areas=areas
        )
    ]


def _by_month(series: PlaceSeries, document: StandardisedPrecipitation) -> RainSeries:
    if not len(series):
        return RainSeries(series=series, first_month=0, totals=np.zeros(0))
    first = month_number(date.fromordinal(series.first_on))
    last = month_number(date.fromordinal(series.first_on + len(series) - 1))
    starts = [_first_day(month) for month in range(first, last + 2)]
    months = np.array(
        [
            series.within(start, start if document.figures == "months" else after - 1).sum()
            for start, after in pairwise(starts)
        ]
    )
    before = np.full(document.months - 1, np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(
        np.concatenate([before, months]), document.months
    )
    # In each window from its first month, so that a month before or after changes no bit.
    return RainSeries(series=series, first_month=first, totals=windows.sum(axis=1))


def _first_day(month: int) -> int:
    return date(month // 12, month % 12 + 1, 1).toordinal()
