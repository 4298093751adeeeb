"""When reported households are a shock.

Two authorities count differently and a figure may fall from one report to the next. An area's
figure is the highest that any authority published during the event, so a lower later figure
takes nothing back from anyone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from services.triggers.methods.reported_impact.document import ReportedImpact
from services.triggers.methods.reported_impact.series import Report, ReportedEvent
from services.triggers.methods.severity import Severity
from services.triggers.methods.trigger_stage import TriggerStage


@dataclass(frozen=True, kw_only=True)
class AreaFigure:
    """An area's highest figure and the report it came from; no figure: the first that named it."""

    report: Report
    taken_in: bool


@dataclass(frozen=True, kw_only=True)
class ImpactJudgement:
    """One event, judged. `areas` are those to be taken in, in the order of their codes."""

    stage: TriggerStage
    severity: Severity
    national_households: int
    figures: tuple[AreaFigure, ...]

    @property
    def areas(self) -> tuple[str, ...]:
        return tuple(figure.report.area for figure in self.figures if figure.taken_in)


def judge_impact(event: ReportedEvent, *, document: ReportedImpact) -> ImpactJudgement:
    """Judge an event: the sum of the areas' highest figures against the national thresholds."""
    figures = tuple(
        AreaFigure(report=report, taken_in=_taken_in(report, document=document))
        for report in _highest(event.reports)
    )
    national = sum(figure.report.households or 0 for figure in figures)
    extreme = document.extreme_from_households
    return ImpactJudgement(
        stage=_stage(national, document=document),
        severity=Severity.EXTREME
        if extreme is not None and national >= extreme
        else Severity.SEVERE,
        national_households=national,
        figures=figures,
    )


def _highest(reports: Sequence[Report]) -> list[Report]:
    highest: dict[str, Report] = {}
    for report in reports:
        known = highest.get(report.area)
        if known is None or _figure(report) > _figure(known):
            highest[report.area] = report
    return [highest[area] for area in sorted(highest)]


def _figure(report: Report) -> int:
    return -1 if report.households is None else report.households


def _taken_in(report: Report, *, document: ReportedImpact) -> bool:
    if report.households is None:
        return document.unquantified == "include"
    return report.households >= document.activation.area_threshold_households


def _stage(national: int, *, document: ReportedImpact) -> TriggerStage:
    if national >= document.activation.national_threshold_households:
        return TriggerStage.ACTIVATION
    if document.readiness and national >= document.readiness.national_threshold_households:
        return TriggerStage.READINESS
    return TriggerStage.NONE
