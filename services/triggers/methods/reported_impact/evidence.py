"""How an event's judgement is explained: in a sentence, and in the figures that are kept."""

from typing import Any

from services.triggers.methods.reported_impact.document import ReportedImpact
from services.triggers.methods.reported_impact.judgement import ImpactJudgement
from services.triggers.methods.reported_impact.series import ReportedEvent


def finding(judgement: ImpactJudgement, *, document: ReportedImpact) -> str:
    counted = sum(figure.report.households is not None for figure in judgement.figures)
    named = len(judgement.figures) - counted
    return (
        f"{judgement.national_households} households reported in {counted} areas, "
        f"{named} more named without a figure; "
        f"the threshold is {document.activation.national_threshold_households}."
    )


def evidence(
    event: ReportedEvent, judgement: ImpactJudgement, *, document: ReportedImpact
) -> dict[str, Any]:
    return {
        "method": document.kind,
        "reported_from": event.first_on.isoformat(),
        "reported_to": event.last_on.isoformat(),
        "national_households": judgement.national_households,
        "areas": [
            {
                "area": figure.report.area,
                "households": figure.report.households,
                "source": figure.report.source,
                "reported_on": figure.report.reported_on.isoformat(),
                "published_on": figure.report.published_on.isoformat(),
                "taken_in": figure.taken_in,
            }
            for figure in judgement.figures
        ],
        "thresholds": document.model_dump(mode="json"),
    }
