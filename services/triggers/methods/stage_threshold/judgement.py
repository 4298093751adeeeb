"""What a gauge says of a period: the furthest stage that was reached and lasts on a day of it."""

from datetime import date

import numpy as np

from services.triggers.methods.judgement import Period
from services.triggers.methods.stage_threshold.document import StageThreshold
from services.triggers.methods.stage_threshold.series import GaugeSeries
from services.triggers.methods.trigger_stage import TriggerStage
from services.triggers.methods.verdicts import Verdict


def judge_gauge(gauge: GaugeSeries, document: StageThreshold, period: Period) -> Verdict:
    """A gauge without a value in the period cannot be judged, whatever it said before."""
    days = gauge.days_of(period)
    known_on = gauge.known_on[days]
    if not len(known_on):
        return Verdict(
            site=gauge.site,
            says=f"{gauge.site.name} has no stage for {period.last_on}.",
            is_unjudged=True,
        )
    values = gauge.series.values[known_on - gauge.series.first_on]
    highest = int(np.argmax(values))
    metres = float(values[highest])
    on = date.fromordinal(int(known_on[highest]))
    stage = TriggerStage.NONE
    for each, lasting in gauge.stages.items():
        if lasting.lasts[days].any():
            stage = each
    levels = document.levels[gauge.site.name]
    in_a_row = int(gauge.stages[TriggerStage.ACTIVATION].days_in_a_row[days].max())
    return Verdict(
        site=gauge.site,
        stage=stage,
        severity=levels.severity(metres),
        says=f"{gauge.site.name}: {metres:.2f} m on {on}, {in_a_row} days in a row at "
        f"{levels.activation:.2f} m or above (activation from {document.days_in_a_row}).",
        numbers={
            "metres": metres,
            "observed_on": on.isoformat(),
            "days_in_a_row": in_a_row,
            "levels_metres": levels.model_dump(mode="json"),
        },
    )


def is_released(gauge: GaugeSeries, period: Period) -> bool:
    """Whether the gauge has a value at the end of which its activation no longer lasts."""
    lasts = gauge.stages[TriggerStage.ACTIVATION].lasts[gauge.days_of(period)]
    return bool(len(lasts)) and not bool(lasts[-1])
