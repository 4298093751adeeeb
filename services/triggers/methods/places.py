"""The values of one place, a day each; a day without a value is missing, and nothing is filled."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.triggers.areas import shared_by
from services.triggers.methods.figures import NOWHERE, Figures
from services.triggers.methods.judgement import Period

AWAITED_DAYS = 366
"""A place that a document does not name is awaited for so long after its last value."""


class Site(NamedTuple):
    """Where something is measured, and what it speaks for."""

    name: str
    """The place; where there is none, the code of the area."""
    areas: tuple[str, ...]
    """Those that it reaches, within those of the trigger."""
    is_named: bool
    """Whether the document names it, and so waits for it for ever."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PlaceSeries:
    """The values of a site from `first_on` (an ordinal) on, a day each; NaN where there is none."""

    site: Site
    first_on: int
    values: NDArray[np.float64]

    def within(self, first_on: int, last_on: int) -> NDArray[np.float64]:
        """The values of these days (ordinals; both ends count), NaN outside of the series."""
        found = np.full(last_on - first_on + 1, np.nan)
        start, end = max(first_on, self.first_on), min(last_on + 1, self.first_on + len(self))
        if start < end:
            found[start - first_on : end - first_on] = self.values[
                start - self.first_on : end - self.first_on
            ]
        return found

    def of(self, period: Period) -> NDArray[np.float64]:
        """The values of a period, a day each."""
        return self.within(period.first_on.toordinal(), period.last_on.toordinal())

    def is_awaited(self, period: Period) -> bool:
        """Whether a value of this period would have been expected."""
        if self.site.is_named:
            return True
        last_on = period.last_on.toordinal()
        return not bool(np.isnan(self.within(last_on - AWAITED_DAYS, last_on)).all())

    def __len__(self) -> int:
        return len(self.values)


def rows_by_site(
    figures: Figures,
    *,
    named: Iterable[str],
    reaches: Mapping[str, Sequence[str]],
    areas: Sequence[str],
) -> list[tuple[Site, NDArray[np.intp]]]:
    """The rows of figures with a value, by site, in the order of their names.

    A site that is named and has no figure has no rows. One that is not named counts where its own
    area, or what it reaches, has something in common with `areas`.
    """
    rows: dict[tuple[str, str], list[NDArray[np.intp]]] = {(name, ""): [] for name in named}
    own: dict[tuple[str, str], set[str]] = {key: set() for key in rows}
    valued = np.flatnonzero(~np.isnan(figures.value))
    site = figures.area[valued].astype(np.int64) * (len(figures.places) + 1) + (
        figures.place[valued] - NOWHERE
    )
    order = np.argsort(site, kind="stable")
    changes = np.flatnonzero(np.diff(site[order])) + 1
    for found in np.split(valued[order], changes) if len(order) else []:
        area = figures.areas[figures.area[found[0]]]
        place = figures.place[found[0]]
        name = area if place == NOWHERE else figures.places[place]
        key = (name, "") if (name, "") in rows else (name, area)
        rows.setdefault(key, []).append(found)
        own.setdefault(key, set()).add(area)
    sites = []
    for key in sorted(rows):
        name, area = key
        reached = shared_by(reaches.get(name, sorted(own[key])), areas)
        if reached or not area:
            found = np.sort(np.concatenate([*rows[key], np.zeros(0, np.intp)]))
            sites.append((Site(name, reached, is_named=not area), found))
    return sites


def place_series(
    figures: Figures,
    *,
    named: Iterable[str],
    reaches: Mapping[str, Sequence[str]],
    areas: Sequence[str],
) -> list[PlaceSeries]:
    """The values of each site. A day of which two sources tell counts at the median of theirs."""
    return [
        _series(site, figures.observed_on[rows], figures.value[rows])
        for site, rows in rows_by_site(figures, named=named, reaches=reaches, areas=areas)
    ]


def _series(site: Site, observed_on: NDArray[np.int32], given: NDArray[np.float64]) -> PlaceSeries:
    if not len(given):
        return PlaceSeries(site=site, first_on=date.min.toordinal(), values=np.zeros(0))
    order = np.lexsort((given, observed_on))
    days, ordered = observed_on[order], given[order]
    starts = np.flatnonzero(np.append(True, days[1:] != days[:-1]))
    ends = np.append(starts[1:], len(days)) - 1
    medians = (ordered[(starts + ends) // 2] + ordered[(starts + ends + 1) // 2]) / 2
    values = np.full(int(days[-1] - days[0]) + 1, np.nan)
    values[days[starts] - days[0]] = medians
    return PlaceSeries(site=site, first_on=int(days[0]), values=values)
