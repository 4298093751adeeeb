"""What a trigger document says of reported households: thresholds, and what one event is."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.triggers.methods.method import MethodDocument
from shared.values import Whole

_PART = ConfigDict(extra="forbid", frozen=True)

Households = Annotated[int, Whole(least=1, most=10_000_000)]


class ImpactReadiness(BaseModel):
    """When to prepare."""

    model_config = _PART

    national_threshold_households: Annotated[
        Households,
        Field(description="Households in one authority's report from which to prepare."),
    ]
    stands_down_after_days: Annotated[
        Annotated[int, Whole(least=1, most=366)] | None,
        Field(
            description="After so many days without a report readiness ends, by this rule. Null: "
            "silence ends none. Only a report that is lower does; nobody reporting for as long as "
            "an event may pause is told as what cannot be judged."
        ),
    ] = None


class ImpactActivation(BaseModel):
    """When to enrol and pay, and which of the reported areas."""

    model_config = _PART

    national_threshold_households: Annotated[
        Households,
        Field(
            description="Households in one authority's report, over all of its areas, from which "
            "it fires.",
        ),
    ]
    area_threshold_households: Annotated[
        Households, Field(description="Households reported in one area from which it is taken in.")
    ]


class ImpactRearm(BaseModel):
    """Which reports belong to one event."""

    model_config = _PART

    days_without_reports: Annotated[
        int,
        Whole(least=1, most=180),
        Field(
            description="A report that follows the one before within these days belongs to the "
            "same event and widens its activation; after a longer silence a new event begins. A "
            "report of zero households does not break the silence.",
        ),
    ]


class ReportedImpact(MethodDocument):
    """Households reported affected, by area, from one authority or several."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "reported-impact",
                    "readiness": {"national_threshold_households": 10_000},
                    "activation": {
                        "national_threshold_households": 20_000,
                        "area_threshold_households": 1_000,
                    },
                    "unquantified": "include",
                    "extreme_from_households": 100_000,
                    "rearm": {"days_without_reports": 30},
                }
            ]
        }
    )

    kind: Literal["reported-impact"]
    readiness: ImpactReadiness | None = None
    activation: ImpactActivation
    unquantified: Annotated[
        Literal["include", "ignore"],
        Field(description="What to do with an area that is named without a figure."),
    ]
    extreme_from_households: Annotated[
        Households | None,
        Field(description="National figure from which severity is extreme rather than severe."),
    ] = None
    rearm: ImpactRearm

    @model_validator(mode="after")
    def _readiness_first(self) -> Self:
        if (
            self.readiness
            and self.readiness.national_threshold_households
            > self.activation.national_threshold_households
        ):
            raise ValueError("The readiness threshold must not lie above that of activation.")
        return self
