"""The method's face: an event at a time, by the reports of its days."""

from collections.abc import Sequence
from datetime import date, timedelta

from services.triggers.areas import lies_within
from services.triggers.methods.figures import Figures
from services.triggers.methods.judgement import Judgement, Period
from services.triggers.methods.method import Continuation, Method, Order, Words
from services.triggers.methods.reported_impact.document import ReportedImpact
from services.triggers.methods.reported_impact.evidence import evidence, finding
from services.triggers.methods.reported_impact.indicator import HOUSEHOLDS_AFFECTED
from services.triggers.methods.reported_impact.judgement import judge_impact
from services.triggers.methods.reported_impact.series import (
    Report,
    event_in,
    events_of,
    reports_of,
)


class ReportedImpactMethod(Method[ReportedImpact, Sequence[Report]]):
    """A period is one event, from its first day of reporting to the last so far."""

    document = ReportedImpact
    indicator_kinds = (HOUSEHOLDS_AFFECTED,)
    widens = True
    words = Words(
        judged_on="the day of the latest report",
        areas="reports activate the reported areas that lie within these",
        evidence="each area's figure and the report it came from",
    )

    def lay_out(
        self, figures: Figures, document: ReportedImpact, *, areas: Sequence[str]
    ) -> Sequence[Report]:
        return [report for report in reports_of(figures) if lies_within(report.area, areas)]

    def events(
        self, series: Sequence[Report], document: ReportedImpact, *, changed: Period
    ) -> Sequence[Period]:
        return [
            event.period
            for event in events_of(series, document=document)
            if event.first_on <= changed.last_on and event.last_on >= changed.first_on
        ]

    def judge(
        self,
        series: Sequence[Report],
        document: ReportedImpact,
        *,
        period: Period,
        areas: Sequence[str],
    ) -> Judgement:
        event = event_in(series, period=period)
        judgement = judge_impact(event, document=document)
        return Judgement(
            period=period,
            stage=judgement.stage,
            severity=judgement.severity,
            areas=judgement.areas,
            finding=finding(judgement, document=document),
            evidence=evidence(event, judgement, document=document),
        )

    def continues(
        self,
        series: Sequence[Report],
        document: ReportedImpact,
        *,
        period: Period,
        earlier: Period,
    ) -> Continuation:
        if self.is_over(document, evidence_to=earlier.last_on, on=period.first_on):
            return Continuation(order=Order.LATER, because="Reports of a later event came.")
        if self.is_over(document, evidence_to=period.last_on, on=earlier.first_on):
            return Continuation(
                order=Order.EARLIER,
                because="These reports came after a later event was activated.",
            )
        return Continuation(order=Order.SAME, because="Their event was activated before.")

    def is_over(self, document: ReportedImpact, *, evidence_to: date, on: date) -> bool:
        return on > evidence_to + timedelta(days=document.rearm.days_without_reports)


REPORTED_IMPACT = ReportedImpactMethod()
