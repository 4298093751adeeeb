"""When an alert is a reason to act."""

from dataclasses import dataclass
from datetime import date

from services.triggers.methods.severity import Severity
from services.triggers.methods.trigger_stage import TriggerStage
from services.triggers.methods.warning.document import AlertWarning, WarningThresholds
from services.triggers.methods.warning.indicator import AlertSeverity
from services.triggers.methods.warning.series import Alerts, AreaAlert


@dataclass(frozen=True, kw_only=True)
class JudgedAlert:
    """An alert that is in force in an area, and the stage that it reaches."""

    alert: AreaAlert
    stage: TriggerStage


@dataclass(frozen=True, kw_only=True)
class WarningJudgement:
    """One day, judged by the alerts in force."""

    alerts: tuple[JudgedAlert, ...]
    ended: tuple[AreaAlert, ...] = ()
    """Those whose last day was the day before."""

    @property
    def stage(self) -> TriggerStage:
        """The highest that any alert reaches."""
        stages = (judged.stage for judged in self.alerts)
        return max(stages, key=lambda stage: stage.rank, default=TriggerStage.NONE)

    @property
    def reaching(self) -> tuple[AreaAlert, ...]:
        """The alerts that reach the stage."""
        if self.stage is TriggerStage.NONE:
            return ()
        return tuple(judged.alert for judged in self.alerts if judged.stage is self.stage)

    @property
    def areas(self) -> tuple[str, ...]:
        return tuple(sorted({alert.area for alert in self.reaching}))

    @property
    def severity(self) -> Severity:
        """By the worst alert: extreme, severe, or less."""
        worst = max((alert.severity.rank for alert in self.reaching), default=0)
        if worst >= AlertSeverity.EXTREME.rank:
            return Severity.EXTREME
        return Severity.SEVERE if worst >= AlertSeverity.SEVERE.rank else Severity.MODERATE


def judge_alerts(alerts: Alerts, day: date, *, document: AlertWarning) -> WarningJudgement:
    """Judge a day by the alerts that are in force on it."""
    return WarningJudgement(
        alerts=tuple(
            JudgedAlert(alert=alert, stage=_stage(alert, document=document))
            for alert in alerts.in_force(day)
        ),
        ended=tuple(alerts.ended(day)),
    )


def _stage(alert: AreaAlert, *, document: AlertWarning) -> TriggerStage:
    if _meets(alert, document.activation):
        return TriggerStage.ACTIVATION
    if document.readiness and _meets(alert, document.readiness):
        return TriggerStage.READINESS
    return TriggerStage.NONE


def _meets(alert: AreaAlert, thresholds: WarningThresholds) -> bool:
    return (
        alert.severity.rank >= thresholds.severity.rank
        and alert.details.urgency.rank >= thresholds.urgency.rank
        and alert.details.certainty.rank >= thresholds.certainty.rank
    )
