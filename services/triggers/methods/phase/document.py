"""What a trigger document says of phases: how bad, and how much worse than before."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.triggers.methods.phase.indicator import LEAST_PHASE, WORST_PHASE
from services.triggers.methods.rearm import RearmedDocument
from shared.values import Measure, Whole


class PhaseThresholds(BaseModel):
    """What an area must come to, in all respects, to reach a stage."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    phase: Annotated[
        int, Whole(least=LEAST_PHASE, most=WORST_PHASE), Field(description="This phase, or worse.")
    ]
    rise: Annotated[
        int,
        Whole(least=0, most=WORST_PHASE - LEAST_PHASE),
        Field(
            description="So many phases, or more, above the area's classification before. 0: the "
            "phase alone decides.",
        ),
    ] = 0
    population_share: Annotated[
        float,
        Measure(least=0, most=1),
        Field(
            description="The share of its people in that phase or a worse one, from 0 to 1. An "
            "area of which the share is not known does not reach it. 0: not asked.",
        ),
    ] = 0


class FoodSecurityPhase(RearmedDocument):
    """An area's phase of food security: its level, and its rise."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "phase",
                    "readiness": {"phase": 3, "rise": 0},
                    "activation": {"phase": 3, "rise": 1, "population_share": 0.2},
                    "before_within_days": 400,
                    "rearm": {"quiet_days": 180},
                }
            ]
        }
    )

    kind: Literal["phase"]
    readiness: PhaseThresholds | None = None
    activation: PhaseThresholds
    before_within_days: Annotated[
        int,
        Whole(least=1, most=1_500),
        Field(
            description="The classification before, from which a rise is counted, is not older "
            "than this. Where there is none, a rise cannot be judged.",
        ),
    ] = 400

    @model_validator(mode="after")
    def _readiness_first(self) -> Self:
        ready, active = self.readiness, self.activation
        if ready and (
            ready.phase > active.phase
            or ready.rise > active.rise
            or ready.population_share > active.population_share
        ):
            raise ValueError("Readiness thresholds must not lie above those of activation.")
        return self
