"""What a trigger document says of a percentile: of what, within which season, from where on."""

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from services.triggers.methods.at_places import AtPlacesDocument, DaysRearm
from services.triggers.methods.levels import Direction, Levels
from shared.values import Measure, Whole

Percentile = Annotated[float, Measure(least=0, most=100)]


class PercentileLevels(Levels[Percentile]):
    """Percentiles: 95 is higher than 95 of 100 values of the season."""


class PercentileRearm(DaysRearm):
    """How long the trigger stays quiet after it fired."""

    back_to: Annotated[
        Percentile,
        Field(
            description="After the quiet days it may fire again once the percentile came back past "
            "this: below it where high is the shock, above it where low is."
        ),
    ]


class SeasonPercentile(AtPlacesDocument):
    """A period's value among those of the same days of earlier years."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "season-percentile",
                    "direction": "low",
                    "takes": "mean",
                    "around_days": 15,
                    "levels": {"readiness": 10, "activation": 5, "extreme": 1},
                    "minimum_years": 15,
                    "minimum_figures": 1,
                    "reaches": {"Prek Kdam": ["08"]},
                    "rearm": {"quiet_days": 60, "after_days": 300, "back_to": 25},
                }
            ]
        }
    )

    kind: Literal["season-percentile"]
    direction: Annotated[
        Direction, Field(description="Whether a high percentile or a low one is the shock.")
    ]
    takes: Annotated[
        Literal["mean", "highest", "lowest", "total"],
        Field(description="What is taken of a period's figures, where it has several."),
    ] = "mean"
    around_days: Annotated[
        int,
        Whole(least=0, most=60),
        Field(
            description="The season: periods of the same length that begin up to so many days "
            "before or after the same day of each earlier year. 0 for monthly figures."
        ),
    ]
    levels: PercentileLevels
    minimum_years: Annotated[
        int,
        Whole(least=5, most=100),
        Field(description="So many earlier years must have a value in the season."),
    ] = 15
    minimum_figures: Annotated[
        int,
        Whole(least=1, most=366),
        Field(description="A period with fewer figures is missing, in this year and in others."),
    ] = 1
    rearm: PercentileRearm

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        self.levels.require_order(self.direction)
        if not self.direction.reaches(self.levels.activation, self.rearm.back_to):
            raise ValueError("rearm.back_to must not lie further out than activation.")
        return self
