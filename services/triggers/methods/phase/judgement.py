"""When a phase is a shock: when it is bad enough, and worse than it was.

Two authorities may classify one area; each is judged by its own classifications, and an area
reaches what any of them says. A rise is counted from the same authority's classification before,
since two authorities' phases are not always alike. Where there is none a rise cannot be judged:
that is said, and is no calm.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from services.triggers.methods.judgement import Period
from services.triggers.methods.phase.document import FoodSecurityPhase, PhaseThresholds
from services.triggers.methods.phase.series import AreaPhases, Classified
from services.triggers.methods.severity import Severity
from services.triggers.methods.trigger_stage import TriggerStage

_EXTREME_FROM = 5
_SEVERE_FROM = 4


@dataclass(frozen=True, kw_only=True)
class JudgedArea:
    """One area by one authority."""

    phases: AreaPhases
    latest: Classified
    before: Classified | None
    stage: TriggerStage
    is_judged: bool
    """False: a rise decides whether it reaches a higher stage, and nothing says what was before."""

    @property
    def rise(self) -> int | None:
        """In phases, below zero where it fell; None: nothing says what was before."""
        return None if self.before is None else self.latest.phase - self.before.phase


@dataclass(frozen=True, kw_only=True)
class PhaseJudgement:
    """One period, judged area by area."""

    areas: tuple[JudgedArea, ...]

    @property
    def stage(self) -> TriggerStage:
        """The highest that any area reaches."""
        stages = (area.stage for area in self.areas)
        return max(stages, key=lambda stage: stage.rank, default=TriggerStage.NONE)

    @property
    def reaching(self) -> tuple[JudgedArea, ...]:
        """The areas that reach the stage."""
        if self.stage is TriggerStage.NONE:
            return ()
        return tuple(area for area in self.areas if area.stage is self.stage)

    @property
    def severity(self) -> Severity:
        """By the worst phase: 5 is extreme, 4 severe, less is moderate."""
        worst = max((area.latest.phase for area in self.reaching), default=0)
        if worst >= _EXTREME_FROM:
            return Severity.EXTREME
        return Severity.SEVERE if worst >= _SEVERE_FROM else Severity.MODERATE

    @property
    def unjudged(self) -> str | None:
        """Why the period says nothing; None: it does."""
        if self.stage is not TriggerStage.NONE:
            return None
        if not self.areas:
            return "No area was classified in this time."
        if not all(area.is_judged for area in self.areas):
            return "A phase is high enough, and nothing says what it was before."
        return None


def judge_phases(
    series: Sequence[AreaPhases], period: Period, *, document: FoodSecurityPhase
) -> PhaseJudgement:
    """Judge each area that was classified in a period, by that and by what was before."""
    judged = []
    for phases in series:
        latest = phases.latest_in(period)
        if latest is not None:
            before = phases.before(latest, within_days=document.before_within_days)
            judged.append(_judge_area(phases, latest, before, document=document))
    return PhaseJudgement(areas=tuple(judged))


def _judge_area(
    phases: AreaPhases,
    latest: Classified,
    before: Classified | None,
    *,
    document: FoodSecurityPhase,
) -> JudgedArea:
    stage, is_judged = TriggerStage.NONE, True
    for thresholds, reached in (
        (document.readiness, TriggerStage.READINESS),
        (document.activation, TriggerStage.ACTIVATION),
    ):
        if thresholds is None or not _is_bad(latest, thresholds):
            continue
        if thresholds.rise == 0:
            stage = reached
        elif before is None:
            is_judged = False
        elif latest.phase - before.phase >= thresholds.rise:
            stage = reached
    return JudgedArea(phases=phases, latest=latest, before=before, stage=stage, is_judged=is_judged)


def _is_bad(latest: Classified, thresholds: PhaseThresholds) -> bool:
    return (
        latest.phase >= thresholds.phase
        and (latest.population_share or 0) >= thresholds.population_share
    )
