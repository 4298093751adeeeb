"""What is reported of an event: an area's households as one authority gave them on one day."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from services.triggers.methods.figures import Figures
from services.triggers.methods.judgement import Period
from services.triggers.methods.reported_impact.document import ReportedImpact


@dataclass(frozen=True, kw_only=True)
class Report:
    """One area in one authority's report; `households` is None where no figure was given."""

    area: str
    source: str
    reported_on: date
    published_on: date
    households: int | None


@dataclass(frozen=True, kw_only=True)
class ReportedEvent:
    """The reports of one event, in the order of their days."""

    reports: tuple[Report, ...]

    @property
    def first_on(self) -> date:
        return self.reports[0].reported_on

    @property
    def last_on(self) -> date:
        """The last day of reporting so far."""
        return self.reports[-1].reported_on

    @property
    def period(self) -> Period:
        return Period(first_on=self.first_on, last_on=self.last_on)


def reports_of(figures: Figures) -> list[Report]:
    """The figures as reports, in the order of their days."""
    return [
        Report(
            area=figure.area,
            source=figure.source,
            reported_on=figure.observed_on,
            published_on=figure.published_on,
            households=None if figure.value is None else int(figure.value),
        )
        for figure in figures.rows()
    ]


def events_of(reports: Iterable[Report], *, document: ReportedImpact) -> list[ReportedEvent]:
    """Group reports into events, oldest first: a long enough silence ends one."""
    silence = timedelta(days=document.rearm.days_without_reports)
    grouped: list[list[Report]] = []
    for report in _by_day(reports):
        if grouped and report.reported_on - grouped[-1][-1].reported_on <= silence:
            grouped[-1].append(report)
        else:
            grouped.append([report])
    return [ReportedEvent(reports=tuple(group)) for group in grouped]


def event_in(reports: Iterable[Report], *, period: Period) -> ReportedEvent:
    """The event of a period that `events_of` gave."""
    within = [
        report for report in reports if period.first_on <= report.reported_on <= period.last_on
    ]
    return ReportedEvent(reports=tuple(_by_day(within)))


def _by_day(reports: Iterable[Report]) -> list[Report]:
    return sorted(reports, key=lambda report: report.reported_on)
