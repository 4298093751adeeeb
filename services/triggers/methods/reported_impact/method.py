"""The method's face: an event at a time, by the reports of its days."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from services.triggers.methods.chart import Chart
from services.triggers.methods.figures import Figures
from services.triggers.methods.judgement import Judgement, Lapse, Period
from services.triggers.methods.measured import Measured, measured_of
from services.triggers.methods.method import Continuation, Method, Order, Words
from services.triggers.methods.reported_impact import telling
from services.triggers.methods.reported_impact.document import ReportedImpact
from services.triggers.methods.reported_impact.evidence import evidence, finding, silence
from services.triggers.methods.reported_impact.indicator import HOUSEHOLDS_AFFECTED
from services.triggers.methods.reported_impact.judgement import is_holding, judge_impact
from services.triggers.methods.reported_impact.series import (
    ReportedEvent,
    Reports,
    event_before,
    events_of,
    last_affected_on,
    reports_of,
)
from services.triggers.methods.trigger_stage import TriggerStage
from shared.wording.phrase import Phrase


class ReportedImpactMethod(Method[ReportedImpact, Reports]):
    """A period is one event, from its first day of reporting to the last so far."""

    document = ReportedImpact
    indicator_kinds = (HOUSEHOLDS_AFFECTED,)
    widens = True
    words = Words(
        judged_on="the day of the latest report",
        areas="reports activate the reported areas that lie within these",
        evidence="the report that decides, each area's figure and the report it came from, and "
        "which of the reported areas are not reached, with why",
    )

    def lay_out(
        self, figures: Figures, document: ReportedImpact, *, areas: Sequence[str]
    ) -> Reports:
        return reports_of(figures, areas=areas)

    def events(
        self, series: Reports, document: ReportedImpact, *, changed: Period
    ) -> Sequence[Period]:
        return [
            event.period
            for event in events_of(series, document=document)
            if event.first_on <= changed.last_on and event.last_on >= changed.first_on
        ]

    def lapses(self, series: Reports, document: ReportedImpact) -> Sequence[Lapse]:
        """Days on which nobody reports any more of an event that keeps a trigger ready.

        After as many as an event may pause, and as many as the document lets readiness end by.
        """
        pause, rule = document.rearm.days_without_reports, _stands_down_after(document)
        told_after = [pause, rule] if rule is not None and rule > pause else [rule or pause]
        return [
            Lapse(
                on=event.last_on + timedelta(days=days + 1),
                period=Period(
                    first_on=event.last_on + timedelta(days=1),
                    last_on=event.last_on + timedelta(days=days),
                ),
            )
            for event, following in _with_following(events_of(series, document=document))
            if is_holding(judge_impact(event, document=document))
            for days in told_after
            if following is None or following.first_on > event.last_on + timedelta(days=days)
        ]

    def judge(
        self,
        series: Reports,
        document: ReportedImpact,
        *,
        period: Period,
        areas: Sequence[str],
    ) -> Judgement:
        event = series.event_in(period)
        if not event.reports:
            silent = event_before(series, period.first_on, document=document)
            if silent is not None:
                return _of_silence(silent, period, document=document)
        judgement = judge_impact(event, document=document)
        return Judgement(
            period=period,
            stage=judgement.stage,
            severity=judgement.severity,
            areas=judgement.areas,
            finding=finding(judgement, document=document),
            evidence=evidence(judgement, period=period, document=document),
        )

    def measured(self, evidence: Mapping[str, Any]) -> Sequence[Measured]:
        return [
            measured_of(
                Phrase("households reported", "គ្រួសារដែលបានរាយការណ៍"),
                evidence["national_households"],
                thresholds=evidence["thresholds"],
                threshold="national_threshold_households",
            )
        ]

    def continues(
        self,
        series: Reports,
        document: ReportedImpact,
        *,
        period: Period,
        earlier: Period,
    ) -> Continuation:
        if self.is_over(
            document, evidence_to=last_affected_on(series, period=earlier), on=period.first_on
        ):
            return Continuation(order=Order.LATER, because="Reports of a later event came.")
        if self.is_over(
            document, evidence_to=last_affected_on(series, period=period), on=earlier.first_on
        ):
            return Continuation(
                order=Order.EARLIER,
                because="These reports came after a later event was activated.",
            )
        return Continuation(order=Order.SAME, because="Their event was activated before.")

    def is_over(self, document: ReportedImpact, *, evidence_to: date, on: date) -> bool:
        return on > evidence_to + timedelta(days=document.rearm.days_without_reports)

    def reasons(self, evidence: Mapping[str, Any], *, unit: str) -> Sequence[Phrase]:
        return telling.reasons(evidence, unit=unit)

    def chart(self, evidence: Mapping[str, Any], *, unit: str) -> Chart:
        return telling.chart(evidence, unit=unit)


def _of_silence(event: ReportedEvent, period: Period, *, document: ReportedImpact) -> Judgement:
    """Days on which nobody reported: no calm, unless the document says after how many it is."""
    judged = judge_impact(event, document=document)
    days = (period.last_on - event.last_on).days
    rule = _stands_down_after(document)
    is_by_rule = rule is not None and days >= rule
    return Judgement(
        period=period,
        stage=TriggerStage.NONE,
        severity=judged.severity,
        areas=(),
        finding=silence(event, days=days, is_by_rule=is_by_rule),
        evidence={
            **evidence(judged, period=event.period, document=document),
            "silent_days": days,
            "stands_down_by_rule": is_by_rule,
        },
        unjudged=None if is_by_rule else silence(event, days=days, is_by_rule=False),
    )


def _stands_down_after(document: ReportedImpact) -> int | None:
    return None if document.readiness is None else document.readiness.stands_down_after_days


def _with_following(
    events: Sequence[ReportedEvent],
) -> Sequence[tuple[ReportedEvent, ReportedEvent | None]]:
    return list(zip(events, [*events[1:], None], strict=True))


REPORTED_IMPACT = ReportedImpactMethod()
