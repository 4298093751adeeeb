"""Phases of food security as they are posted.

Source: Integrated Food Security Phase Classification, Technical Manual 3.1: from 1 (minimal) to 5
(catastrophe, famine); an area is in the worst phase in which at least 20% of its people are.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from services.triggers.methods.indicator_kind import IndicatorKind, PostedRow, RowFault
from shared.values import Measure

LEAST_PHASE, WORST_PHASE = 1, 5


class PhaseDetails(BaseModel):
    """What a classification says beside the phase."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    population_share: Annotated[
        Annotated[float, Measure(least=0, most=1)] | None,
        Field(description="The share of the area's people in this phase or a worse one, 0 to 1."),
    ] = None


def faults_of(row: PostedRow) -> list[RowFault]:
    if row.value is not None and row.value not in range(LEAST_PHASE, WORST_PHASE + 1):
        return [RowFault("value", "A phase is a whole number from 1 to 5; null: not classified.")]
    return []


FOOD_SECURITY_PHASE = IndicatorKind(
    code="food_security_phase",
    says="an area's phase of food security, from 1 to 5 (IPC), with the share of its people in "
    "`details`",
    dated="the first day of the time that a classification is about",
    faults_of=faults_of,
    details=PhaseDetails,
)
