"""How a month's change is explained: in a sentence, and in the numbers that are kept."""

from typing import Any

from services.triggers.methods.trigger_stage import TriggerStage
from services.triggers.methods.year_on_year.document import YearOnYear
from services.triggers.methods.year_on_year.judgement import ChangeJudgement


def finding(judgement: ChangeJudgement, *, document: YearOnYear) -> str:
    last = judgement.last
    changed = "unknown" if last.percent is None else f"{last.percent:.1f}%"
    if judgement.unjudged:
        outcome = "cannot be judged"
    elif judgement.stage is TriggerStage.NONE:
        outcome = "below the thresholds"
    else:
        outcome = judgement.stage.value
    return (
        f"{last.month:%Y-%m}: change since the year before {changed} (activation from "
        f"{document.levels.activation:g}% in {document.months_in_a_row} months in a row): "
        f"{outcome}."
    )


def evidence(judgement: ChangeJudgement, *, document: YearOnYear) -> dict[str, Any]:
    return {
        "method": document.kind,
        "month": judgement.last.month.isoformat(),
        "changes": [
            {"month": each.month.isoformat(), "value": each.value, "percent": each.percent}
            for each in judgement.changes
        ],
        "thresholds": document.model_dump(mode="json"),
    }
