"""The method's face: a day at a time, by what was last seen from above."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from services.triggers.methods.figures import Figures
from services.triggers.methods.flood_extent import telling
from services.triggers.methods.flood_extent.document import FloodExtent
from services.triggers.methods.flood_extent.evidence import evidence, finding
from services.triggers.methods.flood_extent.indicator import FLOOD_EXTENT
from services.triggers.methods.flood_extent.judgement import judge_extents
from services.triggers.methods.flood_extent.series import Extent, extents_of
from services.triggers.methods.judgement import Judgement, Period
from services.triggers.methods.method import Words
from services.triggers.methods.rearm import ByDay
from services.triggers.methods.trigger_stage import TriggerStage
from shared.wording.phrase import Phrase


class FloodExtentMethod(ByDay[FloodExtent, Sequence[Extent]]):
    """A period is judged by its last day."""

    document = FloodExtent
    indicator_kinds = (FLOOD_EXTENT,)
    words = Words(
        judged_on="the day on which a flood extent was seen",
        areas="extents activate the flooded areas that lie within these",
        evidence="the flooded share of each area, and what each source shows together",
    )

    def lay_out(
        self, figures: Figures, document: FloodExtent, *, areas: Sequence[str]
    ) -> Sequence[Extent]:
        return extents_of(figures, areas=areas)

    def days_of(self, series: Sequence[Extent]) -> Sequence[date]:
        return [extent.seen_on for extent in series]

    def judge(
        self,
        series: Sequence[Extent],
        document: FloodExtent,
        *,
        period: Period,
        areas: Sequence[str],
    ) -> Judgement:
        day = period.last_on
        judgement = judge_extents(series, day, document=document)
        return Judgement(
            period=period,
            stage=judgement.stage,
            severity=judgement.severity,
            areas=judgement.areas if judgement.stage is not TriggerStage.NONE else (),
            finding=finding(judgement, day, document=document),
            evidence=evidence(judgement, day, document=document),
            unjudged=judgement.unjudged,
        )

    def reasons(self, evidence: Mapping[str, Any], *, unit: str) -> Sequence[Phrase]:
        return telling.reasons(evidence)


FLOOD_EXTENT_METHOD = FloodExtentMethod()
