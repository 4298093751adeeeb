"""A gauge's stages laid out by day: when each was reached, and whether it lasts.

A stage is reached after so many days in a row at its level or above, and lasts until the water
lies below the level by more than a margin: a river that swings about a level is one flood and not
ten. Threshold with persistence and hysteresis, as flood warning services use it; the margin of
0.30 m is this system's own choice.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.triggers.methods.figures import Figures
from services.triggers.methods.judgement import Period
from services.triggers.methods.places import PlaceSeries, Site, place_series
from services.triggers.methods.stage_threshold.document import StageThreshold
from services.triggers.methods.trigger_stage import TriggerStage

_DECIMALS = 6
"""Of an observation; a margin is taken from a level without the noise of binary fractions."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Lasting:
    """Of the days with a value: how many in a row were high by then, and whether a stage lasts."""

    days_in_a_row: NDArray[np.intp]
    lasts: NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, eq=False)
class GaugeSeries:
    """A gauge: its values, and how each of its stages stood on the days that have one."""

    series: PlaceSeries
    known_on: NDArray[np.intp]
    """The days with a value, as ordinals in order."""
    stages: dict[TriggerStage, Lasting]

    @property
    def site(self) -> Site:
        return self.series.site

    def is_awaited(self, period: Period) -> bool:
        return self.series.is_awaited(period)

    def days_of(self, period: Period) -> slice:
        """Which of the days with a value lie in a period."""
        first, last = period.first_on.toordinal(), period.last_on.toordinal()
        start, end = np.searchsorted(self.known_on, [first, last + 1])
        return slice(int(start), int(end))


def gauges(
    figures: Figures, document: StageThreshold, *, areas: Sequence[str]
) -> list[GaugeSeries]:
    """The gauges that have levels; others are not of this trigger."""
    return [
        _gauge(series, document)
        for series in place_series(
            figures, named=document.named, reaches=document.reaches, areas=areas
        )
        if series.site.is_named
    ]


def _gauge(series: PlaceSeries, document: StageThreshold) -> GaugeSeries:
    places = np.flatnonzero(~np.isnan(series.values))
    return GaugeSeries(
        series=series,
        known_on=places + series.first_on,
        stages={
            stage: lasting(
                series.values[places],
                places,
                level=level,
                release=round(level - document.release_below_metres, _DECIMALS),
                days_in_a_row=document.days_in_a_row,
                silent_days=document.silent_days,
            )
            for stage, level in document.levels[series.site.name].of_stages()
        },
    )


def lasting(
    values: NDArray[np.float64],
    days: NDArray[np.intp],
    *,
    level: float,
    release: float,
    days_in_a_row: int,
    silent_days: int,
) -> Lasting:
    """How a stage stood on each of the days that have a value; of later days nothing is used."""
    index = np.arange(len(values))
    high = values >= level
    after_silence = np.diff(days, prepend=days[:1]) > silent_days + 1
    # The last day that does not belong to the run of high days that ends on each day.
    before_run = np.where(high, np.where(after_silence, index - 1, -1), index)
    run = index - _latest(before_run)
    reached = _latest(np.where(high & (run >= days_in_a_row), index, -1))
    released = _latest(np.where(values < release, index, -1))
    return Lasting(days_in_a_row=run, lasts=reached > released)


def _latest(index: NDArray[np.intp]) -> NDArray[np.intp]:
    return np.maximum.accumulate(index) if len(index) else index
