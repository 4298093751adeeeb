"""How a period's phases are explained: in a sentence, and in the figures that are kept."""

from typing import Any

from services.triggers.methods.judgement import Period
from services.triggers.methods.phase.document import FoodSecurityPhase, PhaseThresholds
from services.triggers.methods.phase.judgement import JudgedArea, PhaseJudgement


def finding(judgement: PhaseJudgement, *, period: Period, document: FoodSecurityPhase) -> str:
    unknown = sum(not area.is_judged for area in judgement.areas)
    said = (
        f"{period.last_on}: {len(judgement.areas)} classifications of areas, "
        f"{len(judgement.reaching)} of them reach {judgement.stage.value}; activation needs "
        f"{_needed(document.activation)}."
    )
    if unknown:
        said += f" Of {unknown}, nothing says what the phase was before."
    return said


def evidence(
    judgement: PhaseJudgement, *, period: Period, document: FoodSecurityPhase
) -> dict[str, Any]:
    return {
        "method": document.kind,
        "classified_from": period.first_on.isoformat(),
        "classified_to": period.last_on.isoformat(),
        "areas": [_area(area) for area in judgement.areas],
        "thresholds": document.model_dump(mode="json"),
    }


def _needed(thresholds: PhaseThresholds) -> str:
    needed = f"phase {thresholds.phase}"
    if thresholds.rise:
        needed += f" and a rise by {thresholds.rise}"
    if thresholds.population_share:
        needed += f" of {thresholds.population_share:.0%} of the people"
    return needed


def _area(area: JudgedArea) -> dict[str, Any]:
    return {
        "area": area.phases.area,
        "source": area.phases.source,
        "day": area.latest.day.isoformat(),
        "phase": area.latest.phase,
        "population_share": area.latest.population_share,
        "before": None
        if area.before is None
        else {"day": area.before.day.isoformat(), "phase": area.before.phase},
        "rise": area.rise,
        "reaches": area.stage.value,
        "judged": area.is_judged,
    }
