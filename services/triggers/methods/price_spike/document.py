"""What a trigger document says of a price: thresholds, what is needed to judge, when to rearm."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.triggers.methods.method import MethodDocument
from services.triggers.methods.price_spike.alps import MINIMUM_HISTORY_MONTHS
from services.triggers.methods.price_spike.ifpa import MINIMUM_EARLIER_YEARS
from shared.values import Measure, Whole

MINIMUM_MARKETS = 3

_PART = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class PriceThresholds(BaseModel):
    """What must hold for a stage to be reached."""

    model_config = _PART

    alps: Annotated[
        float,
        Measure(least=0, most=10),
        Field(description="ALPS from which this half holds; 1 is alert."),
    ]
    ifpa: Annotated[
        float,
        Measure(least=0, most=10),
        Field(description="IFPA from which this half holds; 0.5 is moderately high."),
    ]
    require: Annotated[
        Literal["both", "either"],
        Field(description="Whether both halves must hold, or one is enough."),
    ]


class PriceRearm(BaseModel):
    """How long the trigger stays quiet after it fired."""

    model_config = _PART

    quiet_months: Annotated[
        int,
        Whole(least=1, most=24),
        Field(
            description="Never fires again within these months, counted from the month that fired: "
            "as long as the scheme's rounds run.",
        ),
    ]
    below_alps: Annotated[
        float,
        Measure(least=-10, most=10),
        Field(
            description="After the quiet months it may fire again once a month's ALPS fell below "
            "this; 0.25 is where stress begins.",
        ),
    ]
    after_months: Annotated[
        int,
        Whole(least=1, most=60),
        Field(
            description="It may fire again after these months even if the price never fell.",
        ),
    ]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.after_months < self.quiet_months:
            raise ValueError("after_months must be quiet_months or more.")
        return self


class PriceSpike(MethodDocument):
    """A spike of the national monthly price, by ALPS (WFP) and IFPA (FAO)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "price-spike",
                    "minimum_markets": 3,
                    "minimum_history_months": 36,
                    "minimum_earlier_years": 3,
                    "readiness": {"alps": 0.25, "ifpa": 0.5, "require": "both"},
                    "activation": {"alps": 1.0, "ifpa": 0.5, "require": "both"},
                    "rearm": {"quiet_months": 7, "below_alps": 0.25, "after_months": 12},
                }
            ]
        }
    )

    kind: Literal["price-spike"]
    minimum_markets: Annotated[
        int,
        Whole(least=MINIMUM_MARKETS, most=100),
        Field(description="A month with fewer markets is missing."),
    ] = MINIMUM_MARKETS
    minimum_history_months: Annotated[
        int,
        Whole(least=MINIMUM_HISTORY_MONTHS, most=240),
        Field(
            description="ALPS needs this many earlier months with a price.",
        ),
    ] = MINIMUM_HISTORY_MONTHS
    minimum_earlier_years: Annotated[
        int,
        Whole(least=MINIMUM_EARLIER_YEARS, most=20),
        Field(
            description="IFPA needs the growth of this many earlier years.",
        ),
    ] = MINIMUM_EARLIER_YEARS
    readiness: PriceThresholds | None = None
    activation: PriceThresholds
    rearm: PriceRearm

    @model_validator(mode="after")
    def _readiness_first(self) -> Self:
        ready, active = self.readiness, self.activation
        if ready and (ready.alps > active.alps or ready.ifpa > active.ifpa):
            raise ValueError("Readiness thresholds must not lie above those of activation.")
        return self
