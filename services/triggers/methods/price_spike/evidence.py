"""How a month's judgement is explained: in a sentence, and in the numbers that are kept."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from services.triggers.methods.price_spike.alps import Alps
from services.triggers.methods.price_spike.document import PriceSpike
from services.triggers.methods.price_spike.ifpa import Ifpa
from services.triggers.methods.price_spike.judgement import PriceJudgement
from services.triggers.methods.price_spike.series import NationalMonth, month_after
from services.triggers.methods.trigger_stage import TriggerStage
from services.triggers.methods.unjudged import Unjudged

# What a reader needs beside the two indicators: the months that IFPA compares, and between.
_MONTHS_SHOWN = 13

_STAGE_WORDS = {
    TriggerStage.NONE: "below the thresholds.",
    TriggerStage.READINESS: "readiness.",
    TriggerStage.ACTIVATION: "activation.",
}


def finding(judgement: PriceJudgement, *, document: PriceSpike) -> str:
    return (
        f"{judgement.month:%Y-%m}: "
        f"ALPS {_number(judgement.alps)} (activation from {document.activation.alps}), "
        f"IFPA {_number(judgement.ifpa)} (from {document.activation.ifpa}), "
        f"{document.activation.require} required: "
        f"{'cannot be judged.' if judgement.unjudged else _STAGE_WORDS[judgement.stage]}"
    )


def evidence(
    months: Sequence[NationalMonth], judgement: PriceJudgement, *, document: PriceSpike
) -> dict[str, Any]:
    shown_from = month_after(judgement.month, months=1 - _MONTHS_SHOWN)
    return {
        "method": document.kind,
        "month": judgement.month.isoformat(),
        "national_prices": [
            {
                "month": entry.month.isoformat(),
                "median": entry.median,
                "markets": entry.markets,
                "counts": entry.markets >= document.minimum_markets,
            }
            for entry in months
            if shown_from <= entry.month <= judgement.month
        ],
        "alps": _numbers(judgement.alps),
        "ifpa": _numbers(judgement.ifpa),
        "thresholds": document.model_dump(mode="json"),
    }


def _number(judged: Alps | Ifpa | Unjudged) -> str:
    return "unknown" if isinstance(judged, Unjudged) else f"{judged.value:.2f}"


def _numbers(judged: Alps | Ifpa | Unjudged) -> dict[str, Any]:
    if isinstance(judged, Unjudged):
        return {"unjudged": judged.reason}
    return {**asdict(judged), "band": judged.band.value}
