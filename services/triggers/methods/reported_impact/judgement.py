"""When reported households are a shock.

**One authority's report** is what it published of one day of reporting. Its total is the figure
that it gave for the whole where it gave one, or the sum of the areas in it, whichever is more; a
figure for an area is never added to those of the places inside of it. An area that it named
without a figure adds nothing, and a report without any figure has no total: what the authority
said before stands.

**The national figure is the total of one report**, of the authority whose report says most. Two
authorities count the same households, so they are not added up. Nor are two days: a report is of
all that is under water as its author knows it, so that water which moved from one province to
the next is in each report once. The sum of each area's highest figure would count it twice.

**An event that reached activation stays there**, although later reports say less: nothing is
taken back from anyone, and an area that the water reaches afterwards is part of the same event
and is added. So it is the highest report of the event that decides on activation. A figure that
was wrong is put right by publishing the same day's figure again, which replaces it.
**Readiness follows the latest reports** (the highest total among each authority's latest): where
they fall, what was held ready can be let go.

**The areas are all that were named so far**, each with the highest figure that any authority gave
of it. An area that a later report leaves out, or gives less for, stays. The country as a whole
names no area: its figure counts, and enrols nobody. Where no area is to be taken in, the event
comes as far as readiness only.
"""

from dataclasses import dataclass, replace

from services.triggers.methods.reported_impact.document import ReportedImpact
from services.triggers.methods.reported_impact.reach import Reach, reach_of
from services.triggers.methods.reported_impact.reports import Total
from services.triggers.methods.reported_impact.series import ReportedEvent
from services.triggers.methods.severity import Severity
from services.triggers.methods.trigger_stage import TriggerStage


@dataclass(frozen=True, kw_only=True)
class ImpactJudgement:
    """One event, judged. `areas` are those to be taken in, in the order of their codes."""

    stage: TriggerStage
    severity: Severity
    highest: Total | None
    """The report that says most, the first of several; None: none has a figure."""
    latest: tuple[Total, ...]
    """Each authority's latest report with a figure, in the order of their names."""
    figures: tuple[Reach, ...]
    """Each area that was named, with the report that says most of it."""

    @property
    def areas(self) -> tuple[str, ...]:
        return tuple(reach.area for reach in self.figures if reach.taken_in)

    @property
    def national_households(self) -> int:
        return 0 if self.highest is None else self.highest.households

    @property
    def latest_households(self) -> int:
        return max((total.households for total in self.latest), default=0)


def judge_impact(event: ReportedEvent, *, document: ReportedImpact) -> ImpactJudgement:
    """Judge an event by its reports so far."""
    totals = event.totals
    latest = {total.source: total for total in totals}
    figures = reach_of(event, document=document)
    judged = ImpactJudgement(
        stage=TriggerStage.NONE,
        severity=Severity.SEVERE,
        highest=max(totals, key=lambda total: total.households, default=None),
        latest=tuple(latest[source] for source in sorted(latest)),
        figures=figures,
    )
    return replace(
        judged,
        stage=_stage(judged, document=document),
        severity=_severity(judged, document=document),
    )


def is_holding(judgement: ImpactJudgement) -> bool:
    """Whether an event keeps a trigger ready, or active."""
    return judgement.stage.rank >= TriggerStage.READINESS.rank


def _stage(judged: ImpactJudgement, *, document: ReportedImpact) -> TriggerStage:
    if judged.national_households >= document.activation.national_threshold_households:
        return TriggerStage.ACTIVATION if judged.areas else TriggerStage.READINESS
    ready = document.readiness
    if ready and judged.latest_households >= ready.national_threshold_households:
        return TriggerStage.READINESS
    return TriggerStage.NONE


def _severity(judged: ImpactJudgement, *, document: ReportedImpact) -> Severity:
    extreme = document.extreme_from_households
    is_extreme = extreme is not None and judged.national_households >= extreme
    return Severity.EXTREME if is_extreme else Severity.SEVERE
