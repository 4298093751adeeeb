"""What a place says of a period: its percentile within the season of earlier years.

The percentile is the share of the season's values that lie below, and half of those that are
equal, in hundredths (the mean rank; `percentileofscore(kind="mean")` of SciPy). The year that is
judged is not among them: a record low is at 0, and not where its own year puts it.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.triggers.methods.judgement import Period
from services.triggers.methods.places import PlaceSeries
from services.triggers.methods.season_percentile.document import SeasonPercentile
from services.triggers.methods.unjudged import Unjudged
from services.triggers.methods.verdicts import Verdict


@dataclass(frozen=True, kw_only=True)
class Percentile:
    """`percentile` from 0 to 100, of `value` among so many of so many earlier years."""

    percentile: float
    value: float
    earlier_values: int
    earlier_years: int


def judge_place(place: PlaceSeries, document: SeasonPercentile, period: Period) -> Verdict:
    found = percentile(place, document, period)
    if isinstance(found, Unjudged):
        return Verdict(site=place.site, says=f"{place.site.name}: {found.reason}", is_unjudged=True)
    numbers: dict[str, Any] = {
        "percentile": found.percentile,
        "value": found.value,
        "takes": document.takes,
        "earlier_values": found.earlier_values,
        "earlier_years": found.earlier_years,
    }
    return Verdict(
        site=place.site,
        stage=document.levels.stage(found.percentile, document.direction),
        severity=document.levels.severity(found.percentile, document.direction),
        says=f"{place.site.name}: {found.value:g} for {period.last_on} is at percentile "
        f"{found.percentile:.1f} of its season in {found.earlier_years} earlier years, activation "
        f"from {document.levels.activation:g}.",
        numbers=numbers,
    )


def is_back(place: PlaceSeries, document: SeasonPercentile, period: Period) -> bool:
    """Whether the percentile of a period is known, and came back past that of release."""
    found = percentile(place, document, period)
    if isinstance(found, Unjudged):
        return False
    return not document.direction.reaches(found.percentile, document.rearm.back_to)


def percentile(
    place: PlaceSeries, document: SeasonPercentile, period: Period
) -> Percentile | Unjudged:
    """The percentile of a period's value among those of the same season of earlier years."""
    value = float(_taken(place.of(period)[np.newaxis, :], document)[0])
    if np.isnan(value):
        return Unjudged(
            f"{document.minimum_figures} figures are needed from {period.first_on} to "
            f"{period.last_on}."
        )
    seasons = [season[~np.isnan(season)] for season in _seasons(place, document, period)]
    known = [season for season in seasons if len(season)]
    if len(known) < document.minimum_years:
        return Unjudged(
            f"{document.minimum_years} earlier years with a value in this season are needed; "
            f"there are {len(known)}."
        )
    earlier = np.concatenate(known)
    below, equal = int((earlier < value).sum()), int((earlier == value).sum())
    return Percentile(
        percentile=100 * (below + equal / 2) / len(earlier),
        value=value,
        earlier_values=len(earlier),
        earlier_years=len(known),
    )


def _seasons(
    place: PlaceSeries, document: SeasonPercentile, period: Period
) -> list[NDArray[np.float64]]:
    """For each earlier year, the values of the periods that begin around the same day."""
    if not len(place):
        return []
    first_year = date.fromordinal(place.first_on).year - 1
    around = document.around_days
    seasons = []
    for year in range(max(first_year, 1), period.first_on.year):
        anniversary = _in_year(period.first_on, year)
        end = _in_year(period.last_on, year + period.last_on.year - period.first_on.year)
        days = end - anniversary + 1
        first = anniversary - around
        # What would reach into the period that is judged stays out.
        last = min(anniversary + around, period.first_on.toordinal() - days)
        if last >= first:
            values = place.within(first, last + days - 1)
            windows = np.lib.stride_tricks.sliding_window_view(values, days)
            seasons.append(_taken(windows, document))
    return seasons


def _taken(windows: NDArray[np.float64], document: SeasonPercentile) -> NDArray[np.float64]:
    """One value for each row of figures; NaN where a row has too few."""
    known = ~np.isnan(windows)
    counts = known.sum(axis=1)
    match document.takes:
        case "highest":
            taken = np.where(known, windows, -np.inf).max(axis=1)
        case "lowest":
            taken = np.where(known, windows, np.inf).min(axis=1)
        case "total":
            taken = np.where(known, windows, 0.0).sum(axis=1)
        case "mean":
            taken = np.where(known, windows, 0.0).sum(axis=1) / np.maximum(counts, 1)
    return np.where(counts >= document.minimum_figures, taken, np.nan)


def _in_year(day: date, year: int) -> int:
    """The same day of another year, as an ordinal; the 29th of February as the 28th."""
    if (day.month, day.day) == (2, 29):
        day = day.replace(day=28)
    return day.replace(year=year).toordinal()
