"""What is reported of an event: an area's households as one authority gave them on one day."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property, partial
from itertools import groupby

from services.triggers.areas import lies_within
from services.triggers.methods.figures import Figure, Figures
from services.triggers.methods.judgement import Period
from services.triggers.methods.reported_impact.document import ReportedImpact
from services.triggers.methods.reported_impact.reports import (
    Report,
    Total,
    highest_of,
    totals_of,
)


@dataclass(frozen=True, kw_only=True)
class Reports:
    """All reports, in the order of their days: of the trigger's areas, and of others."""

    within: tuple[Report, ...]
    outside: tuple[Report, ...] = ()
    grouped: dict[int, list["ReportedEvent"]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """By the days of silence that end one, the events that were asked for already."""
    _events: dict[Period, "ReportedEvent"] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def event_in(self, period: Period) -> "ReportedEvent":
        """The event of a period that `events_of` gave; made once."""
        if period not in self._events:
            self._events[period] = ReportedEvent(
                reports=_of_period(self.within, period), outside=_of_period(self.outside, period)
            )
        return self._events[period]


@dataclass(frozen=True, kw_only=True)
class ReportedEvent:
    """The reports of one event, in the order of their days; `outside`: of areas not its own."""

    reports: tuple[Report, ...]
    outside: tuple[Report, ...] = ()

    @property
    def first_on(self) -> date:
        return self.reports[0].reported_on

    @property
    def last_on(self) -> date:
        """The last day of reporting so far."""
        return self.reports[-1].reported_on

    @cached_property
    def totals(self) -> list[Total]:
        """Of each report with a figure, in the order of their days."""
        return totals_of(self.reports)

    @cached_property
    def highest(self) -> list[Report]:
        """Of each area the report that says most."""
        return highest_of(self.reports)

    @cached_property
    def highest_outside(self) -> list[Report]:
        """The same of areas that are not the trigger's."""
        return highest_of(self.outside)

    @property
    def period(self) -> Period:
        return Period(first_on=self.first_on, last_on=self.last_on)


def reports_of(figures: Figures, *, areas: Sequence[str]) -> Reports:
    """The figures as reports; the same for all triggers that act in the same areas.

    An area that is reported by its places is reported by their sum, or by the figure for the
    whole of it where that is higher.
    """
    return figures.laid_out(("reports", *areas), partial(_reports_of, areas=areas))


def _reports_of(figures: Figures, *, areas: Sequence[str]) -> Reports:
    by_area: dict[tuple[date, str, str], list[Figure]] = defaultdict(list)
    for figure in figures.rows:
        by_area[figure.observed_on, figure.source, figure.area].append(figure)
    reports = [
        Report(
            area=area,
            source=source,
            reported_on=reported_on,
            published_on=max(figure.published_on for figure in rows),
            households=_households(rows),
        )
        for (reported_on, source, area), rows in by_area.items()
    ]
    within = [report for report in reports if lies_within(report.area, areas)]
    outside = [report for report in reports if not lies_within(report.area, areas)]
    return Reports(within=_by_day(within), outside=_by_day(outside))


def _households(figures: Iterable[Figure]) -> int | None:
    whole: int | None = None
    parts: int | None = None
    for figure in figures:
        if figure.value is None:
            continue
        if figure.place is None:
            whole = int(figure.value)
        else:
            parts = (parts or 0) + int(figure.value)
    return max((each for each in (whole, parts) if each is not None), default=None)


def events_of(reports: Reports, *, document: ReportedImpact) -> list[ReportedEvent]:
    """The events of a series, oldest first; the same for all triggers that pause for as long."""
    days = document.rearm.days_without_reports
    if days not in reports.grouped:
        reports.grouped[days] = _grouped(reports.within, silence=timedelta(days=days))
    return reports.grouped[days]


def _grouped(reports: Iterable[Report], *, silence: timedelta) -> list[ReportedEvent]:
    """Group reports into events, oldest first: a long enough silence ends one.

    A report of zero breaks no silence. It belongs to the event that it follows before the
    silence is long enough, and otherwise stands by itself, with the other zeros of its day.
    """
    grouped: list[list[Report]] = []
    affected_on: date | None = None
    """The last day of the last group on which somebody was affected; None: a group of zeros."""
    for day, given in groupby(_by_day(reports), key=lambda report: report.reported_on):
        of_day = list(given)
        is_of_impact = any(report.is_of_impact for report in of_day)
        if affected_on is not None and day - affected_on <= silence:
            grouped[-1] += of_day
        else:
            grouped.append(of_day)
            affected_on = None
        if is_of_impact:
            affected_on = day
    return [ReportedEvent(reports=tuple(group)) for group in grouped]


def event_before(reports: Reports, day: date, *, document: ReportedImpact) -> ReportedEvent | None:
    """The last event before a day, as far as it was reported by then; None: there is none."""
    said = [report for report in reports.within if report.reported_on < day]
    before = _grouped(said, silence=timedelta(days=document.rearm.days_without_reports))
    return reports.event_in(before[-1].period) if before else None


def last_affected_on(reports: Reports, *, period: Period) -> date:
    """The last day of a period on which somebody was affected; its last where there was none."""
    days = [
        report.reported_on for report in _of_period(reports.within, period) if report.is_of_impact
    ]
    return max(days, default=period.last_on)


def _of_period(reports: Iterable[Report], period: Period) -> tuple[Report, ...]:
    return tuple(
        report for report in reports if period.first_on <= report.reported_on <= period.last_on
    )


def _by_day(reports: Iterable[Report]) -> tuple[Report, ...]:
    return tuple(
        sorted(reports, key=lambda report: (report.reported_on, report.source, report.area))
    )
