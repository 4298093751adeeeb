"""The method's face: a day, or a period of the indicator's calendar, at a time."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from services.triggers.methods.figures import Figures
from services.triggers.methods.judgement import Judgement, Period
from services.triggers.methods.method import Words
from services.triggers.methods.phase import telling
from services.triggers.methods.phase.document import FoodSecurityPhase
from services.triggers.methods.phase.evidence import evidence, finding
from services.triggers.methods.phase.indicator import FOOD_SECURITY_PHASE
from services.triggers.methods.phase.judgement import judge_phases
from services.triggers.methods.phase.series import AreaPhases, phases_of
from services.triggers.methods.rearm import ByDay
from shared.wording.phrase import Phrase


class PhaseMethod(ByDay[FoodSecurityPhase, Sequence[AreaPhases]]):
    """Each area that was classified in a period is judged by itself."""

    document = FoodSecurityPhase
    indicator_kinds = (FOOD_SECURITY_PHASE,)
    words = Words(
        judged_on="the first day of what a classification is about",
        areas="phases activate the areas that reach them, within these",
        evidence="each area's phase, and what it was before",
    )

    def lay_out(
        self, figures: Figures, document: FoodSecurityPhase, *, areas: Sequence[str]
    ) -> Sequence[AreaPhases]:
        return phases_of(figures, areas=areas)

    def days_of(self, series: Sequence[AreaPhases]) -> Sequence[date]:
        return [each.day for phases in series for each in phases.classified]

    def judge(
        self,
        series: Sequence[AreaPhases],
        document: FoodSecurityPhase,
        *,
        period: Period,
        areas: Sequence[str],
    ) -> Judgement:
        judgement = judge_phases(series, period, document=document)
        return Judgement(
            period=period,
            stage=judgement.stage,
            severity=judgement.severity,
            areas=tuple(
                sorted({code for area in judgement.reaching for code in area.phases.within})
            ),
            finding=finding(judgement, period=period, document=document),
            evidence=evidence(judgement, period=period, document=document),
            unjudged=judgement.unjudged,
        )

    def reasons(self, evidence: Mapping[str, Any], *, unit: str) -> Sequence[Phrase]:
        return telling.reasons(evidence)


PHASE = PhaseMethod()
