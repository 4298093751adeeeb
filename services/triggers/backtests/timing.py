"""When the figures of a history were out, and what that does to a backtest: pure."""

from dataclasses import replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from services.triggers.evaluations.due import Known
from services.triggers.methods.calendar import Calendar, Frequency
from services.triggers.methods.figures import Figures

_LATE_AFTER_DAYS = 62
"""What comes out later than this after its period ended was no news any more."""


def until(known: Known, day: date) -> Known:
    """What was out by the end of a day: nothing later decides anything."""
    return replace(known, figures=known.figures.published_until(day))


def assumed(known: Known, *, days: int) -> Known:
    """Each figure dated as out so many days after its period ended, unless it was out before.

    Where a figure was revised, only its first word is dated so: what came later came later. A
    forecast says by itself when it was made.
    """
    figures = known.figures
    if figures.forecast or not len(figures):
        return known
    due = _period_ends(figures, known.calendar) + days
    published = np.where(
        figures.is_first, np.minimum(figures.published_on, due), figures.published_on
    )
    return replace(known, figures=replace(figures, published_on=published.astype(np.int32)))


def late_share(known: Known, *, first_on: date, last_on: date) -> tuple[int, int]:
    """Of the figures about these days: how many came out long after, and how many there are."""
    figures = known.figures.within(first_on, last_on)
    if figures.forecast or not len(figures):
        return 0, len(figures)
    awaited = max(known.calendar.waits_days, _LATE_AFTER_DAYS)
    late = figures.published_on > _period_ends(figures, known.calendar) + awaited
    return int(late.sum()), len(figures)


def _period_ends(figures: Figures, calendar: Calendar) -> NDArray[np.int32]:
    if calendar.frequency in (Frequency.EVENT, Frequency.DAY):
        return figures.observed_on
    days, which = np.unique(figures.observed_on, return_inverse=True)
    ends = [calendar.period_of(date.fromordinal(int(day)))[1].toordinal() for day in days]
    return np.array(ends, np.int32)[which]


def first_observed(known: Known) -> date | None:
    """The first day that a figure is about."""
    if not len(known.figures):
        return None
    return date.fromordinal(int(known.figures.observed_on.min()))


def last_observed(known: Known) -> date | None:
    """The last day that a figure is about."""
    if not len(known.figures):
        return None
    return date.fromordinal(int(known.figures.observed_on.max()))
