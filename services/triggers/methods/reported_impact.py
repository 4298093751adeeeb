"""When reported households are a shock: reports grouped into events, and an event judged.

Two authorities count differently and a figure may fall from one report to the next. An area's
figure is the highest that any authority published during the event, so a lower later figure
takes nothing back from anyone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.triggers.methods.stage import Severity, Stage

_DOCUMENT = ConfigDict(extra="forbid", frozen=True)

Households = Annotated[int, Field(ge=1, le=10_000_000)]


class ImpactReadiness(BaseModel):
    """When to prepare."""

    model_config = _DOCUMENT

    national_threshold_households: Annotated[
        Households, Field(description="Households reported over all areas from which to prepare.")
    ]


class ImpactActivation(BaseModel):
    """When to enrol and pay, and which of the reported areas."""

    model_config = _DOCUMENT

    national_threshold_households: Annotated[
        Households, Field(description="Households reported over all areas from which it fires.")
    ]
    area_threshold_households: Annotated[
        Households, Field(description="Households reported in one area from which it is taken in.")
    ]


class ImpactRearm(BaseModel):
    """Which reports belong to one event."""

    model_config = _DOCUMENT

    days_without_reports: Annotated[
        int,
        Field(
            ge=1,
            le=180,
            description="A report that follows the one before within these days belongs to the "
            "same event and widens its activation; after a longer silence a new event begins.",
        ),
    ]


class ReportedImpact(BaseModel):
    """Households reported affected, by area, from one authority or several."""

    model_config = _DOCUMENT

    kind: Literal["reported-impact"]
    readiness: ImpactReadiness | None = None
    activation: ImpactActivation
    unquantified: Annotated[
        Literal["include", "ignore"],
        Field(description="What to do with an area that is named without a figure."),
    ]
    extreme_from_households: Annotated[
        Households | None,
        Field(description="National figure from which severity is extreme rather than severe."),
    ] = None
    rearm: ImpactRearm

    @model_validator(mode="after")
    def _readiness_first(self) -> Self:
        if (
            self.readiness
            and self.readiness.national_threshold_households
            > self.activation.national_threshold_households
        ):
            raise ValueError("The readiness threshold must not lie above that of activation.")
        return self


@dataclass(frozen=True, kw_only=True)
class Report:
    """One area in one authority's report; `households` is None where no figure was given."""

    area: str
    source: str
    reported_on: date
    revision: int
    households: int | None


@dataclass(frozen=True, kw_only=True)
class ReportedEvent:
    """The reports of one event, from its first day of reporting to the last so far."""

    first_on: date
    last_on: date
    reports: tuple[Report, ...]


@dataclass(frozen=True, kw_only=True)
class AreaFigure:
    """An area's highest figure and the report it came from; no figure: the first that named it."""

    report: Report
    taken_in: bool


@dataclass(frozen=True, kw_only=True)
class ImpactJudgement:
    """One event, judged. `areas` are those to be taken in, in the order of their codes."""

    stage: Stage
    severity: Severity
    national_households: int
    figures: tuple[AreaFigure, ...]

    @property
    def areas(self) -> tuple[str, ...]:
        return tuple(figure.report.area for figure in self.figures if figure.taken_in)


def events_of(reports: Iterable[Report], *, method: ReportedImpact) -> list[ReportedEvent]:
    """Group reports into events, oldest first: a long enough silence ends one."""
    silence = timedelta(days=method.rearm.days_without_reports)
    grouped: list[list[Report]] = []
    for report in sorted(reports, key=lambda each: each.reported_on):
        if grouped and report.reported_on - grouped[-1][-1].reported_on <= silence:
            grouped[-1].append(report)
        else:
            grouped.append([report])
    return [
        ReportedEvent(
            first_on=group[0].reported_on, last_on=group[-1].reported_on, reports=tuple(group)
        )
        for group in grouped
    ]


def judge_impact(event: ReportedEvent, *, method: ReportedImpact) -> ImpactJudgement:
    """Judge an event: the sum of the areas' highest figures against the national thresholds."""
    figures = tuple(
        AreaFigure(report=report, taken_in=_taken_in(report, method=method))
        for report in _highest(event.reports)
    )
    national = sum(figure.report.households or 0 for figure in figures)
    extreme = method.extreme_from_households
    return ImpactJudgement(
        stage=_stage(national, method=method),
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


def _taken_in(report: Report, *, method: ReportedImpact) -> bool:
    if report.households is None:
        return method.unquantified == "include"
    return report.households >= method.activation.area_threshold_households


def _stage(national: int, *, method: ReportedImpact) -> Stage:
    if national >= method.activation.national_threshold_households:
        return Stage.ACTIVATION
    if method.readiness and national >= method.readiness.national_threshold_households:
        return Stage.READINESS
    return Stage.NONE
