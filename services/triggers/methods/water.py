"""Kinds of indicators of water: how high a river stands, how much of it flows, how much rain fell.

The bounds are far beyond what was ever measured anywhere: a figure outside of them is a slip of
the keyboard or of the unit, and no flood.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal

from services.triggers.methods.indicator_kind import IndicatorKind, PostedRow, RowFault
from services.triggers.quality.expectations import DISCHARGES, RAINFALLS, STAGES

LOWEST_STAGE_METRES = Decimal(-20)
HIGHEST_STAGE_METRES = Decimal(200)
HIGHEST_DISCHARGE = Decimal(1_000_000)
"""Cubic metres a second; the Amazon's highest is about a third of it."""
HIGHEST_RAINFALL_MILLIMETRES = Decimal(10_000)
"""The most that ever fell in a month is about 9,300 mm (Cherrapunji, July 1861)."""


def _within(
    least: Decimal, most: Decimal, what: str, *, at_a_place: bool
) -> Callable[[PostedRow], Sequence[RowFault]]:
    def faults_of(row: PostedRow) -> list[RowFault]:
        faults = []
        if row.value is not None and not least <= row.value <= most:
            faults.append(
                RowFault("value", f"{what} lies from {least} to {most:f}: check the unit.")
            )
        if at_a_place and row.place is None:
            faults.append(RowFault("place", f"{what} is measured at a station: name it."))
        return faults

    return faults_of


RIVER_STAGE = IndicatorKind(
    code="river_stage",
    says="metres of water at a gauge's own zero, a station as the place",
    dated="the day of a river stage",
    faults_of=_within(
        LOWEST_STAGE_METRES, HIGHEST_STAGE_METRES, "A river stage in metres", at_a_place=True
    ),
    expects=STAGES,
)

DISCHARGE = IndicatorKind(
    code="discharge",
    says="cubic metres a second past a station, which is the place",
    dated="the day of a discharge",
    faults_of=_within(
        Decimal(0), HIGHEST_DISCHARGE, "A discharge in cubic metres a second", at_a_place=True
    ),
    expects=DISCHARGES,
)

RAINFALL = IndicatorKind(
    code="rainfall",
    says="millimetres that fell on a day or in a month, at a station or over an area",
    dated="the day of rainfall, or the first of its month",
    faults_of=_within(
        Decimal(0), HIGHEST_RAINFALL_MILLIMETRES, "Rainfall in millimetres", at_a_place=False
    ),
    expects=RAINFALLS,
)
