"""What the rain of a place says of a period.

A day without a figure is not a dry day. What is known to have fallen is the least that fell: it
may be enough for a stage by itself; where it is not and a day is missing, nothing can be said.
"""

from datetime import date
from typing import NamedTuple

import numpy as np

from services.triggers.methods.judgement import Period
from services.triggers.methods.places import PlaceSeries
from services.triggers.methods.rainfall_total.document import RainfallTotal
from services.triggers.methods.trigger_stage import TriggerStage
from services.triggers.methods.verdicts import Verdict


class Total(NamedTuple):
    """The rain of the days up to one, as far as it is known."""

    last_on: date
    millimetres: float
    days_missing: int


def judge_rain(place: PlaceSeries, document: RainfallTotal, period: Period) -> Verdict:
    found = totals(place, period, days=document.days)
    highest = max(found, key=lambda total: total.millimetres)
    stage = document.levels.stage(highest.millimetres)
    missing = max(total.days_missing for total in found)
    is_unjudged = stage is TriggerStage.NONE and missing > 0
    name = place.site.name
    if is_unjudged:
        says = (
            f"{name}: {missing} of the {document.days} days up to {period.last_on} have no rain "
            f"figure; {highest.millimetres:.1f} mm are known."
        )
    else:
        least = "at least " if highest.days_missing else ""
        says = (
            f"{name}: {least}{highest.millimetres:.1f} mm in the {document.days} days up to "
            f"{highest.last_on}, activation from {document.levels.activation:g} mm."
        )
    return Verdict(
        site=place.site,
        stage=stage,
        severity=document.levels.severity(highest.millimetres),
        says=says,
        numbers={
            "millimetres": highest.millimetres,
            "days": document.days,
            "observed_to": highest.last_on.isoformat(),
            "days_missing": highest.days_missing,
        },
        is_unjudged=is_unjudged,
    )


def is_below(place: PlaceSeries, document: RainfallTotal, period: Period) -> bool:
    """Whether every total of the period is known whole, and lies below the level of release."""
    return all(
        not total.days_missing and total.millimetres < document.rearm.below_millimetres
        for total in totals(place, period, days=document.days)
    )


def totals(place: PlaceSeries, period: Period, *, days: int) -> list[Total]:
    """The total up to each day of a period, to a thousandth of a millimetre."""
    first, last = period.first_on.toordinal(), period.last_on.toordinal()
    windows = np.lib.stride_tricks.sliding_window_view(place.within(first - days + 1, last), days)
    return [
        Total(
            last_on=date.fromordinal(first + offset),
            millimetres=round(float(np.nansum(window)), 3),
            days_missing=int(np.isnan(window).sum()),
        )
        for offset, window in enumerate(windows)
    ]
