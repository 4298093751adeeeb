"""How an event's judgement is explained: in a sentence, and in the figures that are kept."""

from collections import Counter
from typing import Any

from services.triggers.methods.judgement import Period
from services.triggers.methods.reported_impact.document import ReportedImpact
from services.triggers.methods.reported_impact.judgement import ImpactJudgement
from services.triggers.methods.reported_impact.reports import Total
from services.triggers.methods.reported_impact.series import ReportedEvent
from services.triggers.methods.trigger_stage import TriggerStage


def finding(judgement: ImpactJudgement, *, document: ReportedImpact) -> str:
    threshold = document.activation.national_threshold_households
    said = [
        f"{_reported(judgement)} {_named(judgement)}; the threshold is {threshold}.",
        _fallen(judgement),
        _missed(judgement),
    ]
    is_short_of_areas = (
        judgement.stage is TriggerStage.READINESS and judgement.national_households >= threshold
    )
    if is_short_of_areas:
        said.append("No area is to be taken in yet, so nobody can be enrolled.")
    return " ".join(sentence for sentence in said if sentence)


def silence(event: ReportedEvent, *, days: int, is_by_rule: bool) -> str:
    said = f"Nobody has reported since {event.last_on}, for {days} days"
    if is_by_rule:
        return f"{said}: after so many readiness ends, by the trigger's document."
    return (
        f"{said}: it cannot be judged whether the event is over. Silence is no report of zero; ask "
        "the authorities."
    )


def evidence(
    judgement: ImpactJudgement, *, period: Period, document: ReportedImpact
) -> dict[str, Any]:
    return {
        "method": document.kind,
        "reported_from": period.first_on.isoformat(),
        "reported_to": period.last_on.isoformat(),
        "national_households": judgement.national_households,
        "highest_report": None if judgement.highest is None else _total(judgement.highest),
        "latest_reports": [_total(total) for total in judgement.latest],
        "areas": [
            {
                "area": reach.area,
                "households": reach.report.households,
                "source": reach.report.source,
                "reported_on": reach.report.reported_on.isoformat(),
                "published_on": reach.report.published_on.isoformat(),
                "taken_in": reach.taken_in,
            }
            for reach in judgement.figures
        ],
        "not_reached": [
            {
                "area": reach.area,
                "households": reach.report.households,
                "because": reach.because.value,
            }
            for reach in judgement.figures
            if reach.because is not None
        ],
        "thresholds": document.model_dump(mode="json"),
    }


def _reported(judgement: ImpactJudgement) -> str:
    highest = judgement.highest
    if highest is None:
        return "No report has a figure:"
    return (
        f"{highest.households} households in the report of {highest.source} of "
        f"{highest.reported_on};"
    )


def _fallen(judgement: ImpactJudgement) -> str:
    """What the latest reports come to, where that is less: readiness follows them."""
    latest = judgement.latest_households
    return f"The latest say {latest}." if latest < judgement.national_households else ""


def _named(judgement: ImpactJudgement) -> str:
    counted = sum(reach.report.households is not None for reach in judgement.figures)
    named = len(judgement.figures) - counted
    return f"{counted} areas reported with a figure so far, {named} more named without one"


def _missed(judgement: ImpactJudgement) -> str:
    """Which of the reported areas are not reached, and why."""
    reasons = [reach.because for reach in judgement.figures if reach.because is not None]
    if not reasons:
        return ""
    counted = Counter(reasons)
    parts = ", ".join(f"{counted[reason]} {reason.words}" for reason in sorted(counted))
    reached = len(judgement.figures) - len(reasons)
    return f"Of {len(judgement.figures)} areas reported, {reached} are reached ({parts})."


def _total(total: Total) -> dict[str, Any]:
    return {
        "source": total.source,
        "reported_on": total.reported_on.isoformat(),
        "households": total.households,
    }
