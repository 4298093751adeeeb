"""The method's face: a day at a time, by the alerts in force on it."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from services.triggers.methods.figures import Figures
from services.triggers.methods.judgement import Judgement, Lapse, Period
from services.triggers.methods.method import Words
from services.triggers.methods.rearm import ByDay
from services.triggers.methods.warning import telling
from services.triggers.methods.warning.document import AlertWarning
from services.triggers.methods.warning.evidence import evidence, finding
from services.triggers.methods.warning.indicator import ALERT
from services.triggers.methods.warning.judgement import judge_alerts
from services.triggers.methods.warning.series import Alerts, alerts_of
from shared.clock import COUNTRY_ZONE
from shared.wording.phrase import Phrase


class WarningMethod(ByDay[AlertWarning, Alerts]):
    """A day is judged by the alerts that are in force on it."""

    document = AlertWarning
    indicator_kinds = (ALERT,)
    words = Words(
        judged_on="the day on which an alert was sent",
        areas="alerts activate what they share with these",
        evidence="the alerts in force, each in its sender's words",
    )

    def lay_out(self, figures: Figures, document: AlertWarning, *, areas: Sequence[str]) -> Alerts:
        return alerts_of(figures, document, areas=areas, zone=COUNTRY_ZONE)

    def days_of(self, series: Alerts) -> Sequence[date]:
        return series.days

    def lapses(self, series: Alerts, document: AlertWarning) -> Sequence[Lapse]:
        """The day after the last of each alert that nothing took away: it is known to have ended.

        That is no silence: its sender said when, or the document does where the sender does not.
        """
        return [
            Lapse(on=day, period=Period(first_on=day, last_on=day)) for day in series.ended_on_days
        ]

    def judge(
        self,
        series: Alerts,
        document: AlertWarning,
        *,
        period: Period,
        areas: Sequence[str],
    ) -> Judgement:
        day = period.last_on
        judgement = judge_alerts(series, day, document=document)
        return Judgement(
            period=period,
            stage=judgement.stage,
            severity=judgement.severity,
            areas=judgement.areas,
            finding=finding(judgement, day, document=document),
            evidence=evidence(judgement, day, document=document),
        )

    def reasons(self, evidence: Mapping[str, Any], *, unit: str) -> Sequence[Phrase]:
        return telling.reasons(evidence)


WARNING = WarningMethod()
