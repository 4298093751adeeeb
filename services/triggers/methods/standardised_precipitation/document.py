"""What a trigger document says of the SPI: over which months, dry or wet, from which value."""

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from services.triggers.methods.at_places import AtPlacesDocument, DaysRearm
from services.triggers.methods.levels import Direction, Levels
from shared.values import Measure, Whole

HIGHEST_SPI = 3.0
MINIMUM_YEARS = 20

Spi = Annotated[float, Measure(least=-HIGHEST_SPI, most=HIGHEST_SPI)]


class SpiLevels(Levels[Spi]):
    """Values of the SPI, with their sign: −1 is moderately dry, −1.5 severely, −2 extremely."""


class SpiRearm(DaysRearm):
    """How long the trigger stays quiet after it fired."""

    back_to: Annotated[
        Spi,
        Field(
            description="After the quiet days it may fire again once the SPI came back past this: "
            "above it where dry is the shock, below it where wet is."
        ),
    ]


class StandardisedPrecipitation(AtPlacesDocument):
    """Rain of the last months against the same months of earlier years, by the SPI."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "standardised-precipitation",
                    "months": 3,
                    "figures": "months",
                    "direction": "low",
                    "levels": {"readiness": -1, "activation": -1.5, "extreme": -2},
                    "minimum_years": 30,
                    "at_least_places": 1,
                    "rearm": {"quiet_days": 180, "after_days": 365, "back_to": -0.5},
                }
            ]
        }
    )

    kind: Literal["standardised-precipitation"]
    months: Annotated[
        Literal[1, 3, 6, 12],
        Field(description="The months whose rain is added up, with the month that is judged."),
    ]
    figures: Annotated[
        Literal["days", "months"],
        Field(
            description="Whether a figure is the rain of a day, or of a month and dated its first. "
            "A month with a missing day is missing."
        ),
    ]
    direction: Annotated[
        Direction, Field(description="`low`: a drought is the shock; `high`: too much rain.")
    ]
    levels: SpiLevels
    minimum_years: Annotated[
        int,
        Whole(least=MINIMUM_YEARS, most=100),
        Field(
            description="So many earlier years must have these months. The World Meteorological "
            "Organization asks for 30."
        ),
    ] = 30
    rearm: SpiRearm

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        self.levels.require_order(self.direction)
        if not self.direction.reaches(self.levels.activation, 0):
            raise ValueError("Dry is below zero and wet above: change direction or activation.")
        if not self.direction.reaches(self.levels.activation, self.rearm.back_to):
            raise ValueError("rearm.back_to must not lie further out than activation.")
        return self
