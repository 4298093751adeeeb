"""The method's face: a day at a time, by the gauges that have levels."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.triggers.methods.at_places import AtPlaces
from services.triggers.methods.calendar import Calendar, Frequency
from services.triggers.methods.figures import Figures
from services.triggers.methods.judgement import Period
from services.triggers.methods.method import Words
from services.triggers.methods.stage_threshold.document import StageThreshold
from services.triggers.methods.stage_threshold.judgement import is_released, judge_gauge
from services.triggers.methods.stage_threshold.series import GaugeSeries, gauges
from services.triggers.methods.stage_threshold.telling import tell_gauge
from services.triggers.methods.verdicts import Verdict
from services.triggers.methods.water import RIVER_STAGE
from shared.wording.phrase import Phrase


class StageThresholdMethod(AtPlaces[StageThreshold, GaugeSeries]):
    """A gauge is judged by its days so far."""

    document = StageThreshold
    indicator_kinds = (RIVER_STAGE,)
    calendar = Calendar(frequency=Frequency.DAY, waits_days=1)
    words = Words(
        judged_on="the day of a river stage",
        areas="gauges activate the areas that they reach within these",
        evidence="stages and the days above their levels",
    )

    def lay_out(
        self, figures: Figures, document: StageThreshold, *, areas: Sequence[str]
    ) -> Sequence[GaugeSeries]:
        return gauges(figures, document, areas=areas)

    def judge_place(self, place: GaugeSeries, document: StageThreshold, period: Period) -> Verdict:
        return judge_gauge(place, document, period)

    def tell_place(self, place: Mapping[str, Any], *, unit: str) -> Phrase:
        return tell_gauge(place)

    def is_below(self, place: GaugeSeries, document: StageThreshold, period: Period) -> bool:
        return is_released(place, period)


STAGE_THRESHOLD = StageThresholdMethod()
