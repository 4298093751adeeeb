"""How a day's alerts are explained: in a sentence, and in what is kept of them."""

from datetime import date
from typing import Any

from services.triggers.methods.warning.document import AlertWarning
from services.triggers.methods.warning.judgement import WarningJudgement


def finding(judgement: WarningJudgement, day: date, *, document: AlertWarning) -> str:
    thresholds = document.activation
    return (
        f"{day}: {_in_force(judgement)}{_ended(judgement)}; "
        f"activation needs {thresholds.severity.value} severity, "
        f"{thresholds.urgency.value} urgency and {thresholds.certainty.value} certainty, or more: "
        f"{judgement.stage.value}."
    )


def evidence(judgement: WarningJudgement, day: date, *, document: AlertWarning) -> dict[str, Any]:
    return {
        "method": document.kind,
        "day": day.isoformat(),
        "alerts": [
            {
                "area": judged.alert.area,
                "sent_on": judged.alert.sent_on.isoformat(),
                "severity": judged.alert.severity.value,
                "reaches": judged.stage.value,
                **judged.alert.details.model_dump(mode="json"),
            }
            for judged in judgement.alerts
        ],
        "ended": [
            {
                "area": alert.area,
                "sent_on": alert.sent_on.isoformat(),
                "last_on": alert.last_on.isoformat(),
                "said_when": alert.details.expires is not None,
                "sender": alert.details.sender,
                "identifier": alert.details.identifier,
            }
            for alert in judgement.ended
        ],
        "thresholds": document.model_dump(mode="json"),
    }


def _ended(judgement: WarningJudgement) -> str:
    ended = {(alert.details.sender, alert.details.identifier) for alert in judgement.ended}
    return f" ({len(ended)} ended the day before, as was known)" if ended else ""


def _in_force(judgement: WarningJudgement) -> str:
    alerts = {
        (judged.alert.details.sender, judged.alert.details.identifier)
        for judged in judgement.alerts
    }
    areas = {judged.alert.area for judged in judgement.alerts}
    if not alerts:
        return "no alert is in force"
    worst = max(judgement.alerts, key=lambda judged: judged.alert.severity.rank).alert
    return (
        f"{len(alerts)} alerts in force in {len(areas)} areas, the worst of them "
        f"{worst.severity.value} ({worst.details.event}, {worst.details.urgency.value}, "
        f"{worst.details.certainty.value})"
    )
