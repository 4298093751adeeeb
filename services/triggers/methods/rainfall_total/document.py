"""What a trigger document says of rain: over how many days, and from how many millimetres."""

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from services.triggers.methods.at_places import AtPlacesDocument, DaysRearm
from services.triggers.methods.levels import RisingLevels
from shared.values import Measure, Whole

MAXIMUM_DAYS = 366

Millimetres = Annotated[float, Measure(least=0.1, most=20_000)]


class RainLevels(RisingLevels[Millimetres]):
    """Rain in millimetres over the days together."""


class RainRearm(DaysRearm):
    """How long the trigger stays quiet after it fired."""

    below_millimetres: Annotated[
        Millimetres,
        Field(description="After the quiet days it may fire again once the total was below this."),
    ]


class RainfallTotal(AtPlacesDocument):
    """Rain over so many days, from a figure for each day."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "rainfall-total",
                    "days": 5,
                    "levels": {"watch": 100, "readiness": 150, "activation": 200, "extreme": 350},
                    "at_least_places": 2,
                    "rearm": {"quiet_days": 14, "after_days": 60, "below_millimetres": 50},
                }
            ]
        }
    )

    kind: Literal["rainfall-total"]
    days: Annotated[
        int,
        Whole(least=1, most=MAXIMUM_DAYS),
        Field(description="The days whose rain is added up, with the day that is judged."),
    ]
    levels: RainLevels
    rearm: RainRearm

    @model_validator(mode="after")
    def _release_below_activation(self) -> Self:
        if self.rearm.below_millimetres > self.levels.activation:
            raise ValueError("rearm.below_millimetres must not be more than activation needs.")
        return self
