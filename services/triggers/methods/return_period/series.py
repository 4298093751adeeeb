"""A station's record, and the highest value of each of its complete years."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
from numpy.typing import NDArray

from services.triggers.methods.figures import Figures
from services.triggers.methods.judgement import Period
from services.triggers.methods.levels import Levels
from services.triggers.methods.places import PlaceSeries, Site, place_series
from services.triggers.methods.return_period.document import ReturnPeriod
from services.triggers.methods.unjudged import Unjudged


@dataclass(frozen=True, kw_only=True)
class Record:
    """The highest values of the complete years before one, and the levels that follow."""

    maxima: tuple[float, ...]
    levels: Levels[float]
    release: float


@dataclass(frozen=True, kw_only=True, eq=False)
class StationSeries:
    """A station; what was computed of its record is kept, as long as the figures are these."""

    series: PlaceSeries
    maxima: dict[int, float]
    """The highest value of each complete year, by the calendar year in which it began."""
    records: dict[int, Record | Unjudged] = field(default_factory=dict)

    @property
    def site(self) -> Site:
        return self.series.site

    def is_awaited(self, period: Period) -> bool:
        return self.series.is_awaited(period)


def stations(
    figures: Figures, document: ReturnPeriod, *, areas: Sequence[str]
) -> list[StationSeries]:
    return [
        StationSeries(
            series=series,
            maxima=annual_maxima(
                series,
                minimum_days=document.minimum_days_of_year,
                begins_in_month=document.year_begins_in_month,
            ),
        )
        for series in place_series(
            figures, named=document.named, reaches=document.reaches, areas=areas
        )
    ]


def annual_maxima(
    series: PlaceSeries, *, minimum_days: int, begins_in_month: int
) -> dict[int, float]:
    """The highest value of each year that has enough days, by the year in which it began."""
    if not len(series):
        return {}
    first = year_of(date.fromordinal(series.first_on), begins_in_month=begins_in_month)
    last_on = series.first_on + len(series) - 1
    last = year_of(date.fromordinal(last_on), begins_in_month=begins_in_month)
    maxima = {}
    for year in range(first, last + 1):
        start = date(year, begins_in_month, 1).toordinal()
        end = date(year + 1, begins_in_month, 1).toordinal() - 1
        values: NDArray[np.float64] = series.within(start, end)
        known = values[~np.isnan(values)]
        if len(known) >= minimum_days:
            maxima[year] = float(known.max())
    return maxima


def year_of(day: date, *, begins_in_month: int) -> int:
    """The calendar year in which the year of a day began."""
    return day.year if day.month >= begins_in_month else day.year - 1
