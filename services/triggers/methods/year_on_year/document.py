"""What a trigger document says of a year's change: from how many percent, for how many months."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.triggers.methods.levels import Direction, Levels
from services.triggers.methods.method import MethodDocument
from shared.values import Measure, Whole

Percent = Annotated[float, Measure(least=-100, most=10_000)]


class ChangeLevels(Levels[Percent]):
    """Changes in percent, with their sign: 20 is a fifth more than a year before."""


class ChangeRearm(BaseModel):
    """How long the trigger stays quiet after it fired."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    quiet_months: Annotated[
        int,
        Whole(least=1, most=24),
        Field(description="Never fires again within these months after the evidence ended."),
    ]
    back_to_percent: Annotated[
        Percent,
        Field(
            description="After the quiet months it may fire again once a month's change came back "
            "past this: below it where a rise is the shock, above it where a fall is."
        ),
    ]
    after_months: Annotated[
        int,
        Whole(least=1, most=60),
        Field(description="May fire again after these months even if it never came back."),
    ]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.after_months < self.quiet_months:
            raise ValueError("after_months must be quiet_months or more.")
        return self


class YearOnYear(MethodDocument):
    """The change since the same month of the year before, for so many months in a row."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "year-on-year",
                    "direction": "high",
                    "levels": {"watch": 5, "readiness": 8, "activation": 12, "extreme": 30},
                    "months_in_a_row": 3,
                    "minimum_markets": 1,
                    "rearm": {"quiet_months": 6, "back_to_percent": 5, "after_months": 18},
                }
            ]
        }
    )

    kind: Literal["year-on-year"]
    direction: Annotated[
        Direction, Field(description="`high`: a rise is the shock; `low`: a fall is.")
    ] = Direction.HIGH
    levels: ChangeLevels
    months_in_a_row: Annotated[
        int,
        Whole(least=1, most=24),
        Field(description="So many months, with the one that is judged, must all reach a level."),
    ] = 1
    minimum_markets: Annotated[
        int,
        Whole(least=1, most=100),
        Field(
            description="A month with fewer markets is missing: 3 for prices at markets, 1 for a "
            "national series."
        ),
    ] = 1
    rearm: ChangeRearm

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        self.levels.require_order(self.direction)
        if not self.direction.reaches(self.levels.activation, self.rearm.back_to_percent):
            raise ValueError("rearm.back_to_percent must not lie further out than activation.")
        return self
