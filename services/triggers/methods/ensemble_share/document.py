"""What a trigger document says of an ensemble: levels, shares, issues running, lead times."""

from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.triggers.methods.at_places import (
    MAXIMUM_PLACES,
    AtNamedPlacesDocument,
    DaysRearm,
    PlaceName,
)
from services.triggers.methods.trigger_stage import TriggerStage
from shared.values import Measure, Whole

_PART = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

MAXIMUM_LEAD_DAYS = 366

Value = Annotated[float, Measure(least=-1_000_000, most=1_000_000)]
Share = Annotated[float, Measure(least=0.01, most=1)]
Lead = Annotated[int, Whole(least=0, most=MAXIMUM_LEAD_DAYS)]


class ForecastLevel(BaseModel):
    """The level of one place, in the indicator's unit."""

    model_config = _PART

    level: Annotated[
        Value,
        Field(
            description="Members at this level or above it are counted: a fixed one, or that of a "
            "return period, from the forecast model's own past and not from a gauge's."
        ),
    ]
    severe: Annotated[
        Value | None,
        Field(description="Severe where activation's share of members reaches this level."),
    ] = None
    extreme: Annotated[
        Value | None,
        Field(description="Extreme where activation's share of members reaches this level."),
    ] = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        given = [level for level in (self.level, self.severe, self.extreme) if level is not None]
        if given != sorted(given):
            raise ValueError("Put severe at the level or above it, and extreme above severe.")
        return self


class ShareStage(BaseModel):
    """What must hold for a stage to be reached."""

    model_config = _PART

    share: Annotated[
        Share, Field(description="Share of the members at the level or above it: 0.5 is half.")
    ]
    issues_running: Annotated[
        int,
        Whole(least=1, most=30),
        Field(description="The latest so many issues within the lead time must all say so."),
    ] = 1
    lead_days_from: Annotated[
        Lead,
        Field(
            description="The shortest lead: days from the issue to what is forecast. The latest "
            "issue speaks, so a stage is reached only while it lies within the lead time."
        ),
    ]
    lead_days_to: Annotated[Lead, Field(description="The longest lead.")]

    @model_validator(mode="after")
    def _can_be_reached(self) -> Self:
        if self.lead_days_to < self.lead_days_from:
            raise ValueError("lead_days_to must be lead_days_from or more.")
        return self


class ShareRearm(DaysRearm):
    """How long the trigger stays quiet after it fired."""

    below_share: Annotated[
        Share,
        Field(
            description="After the quiet days it may fire again once the latest share for a day "
            "between was below this."
        ),
    ]


class EnsembleShare(AtNamedPlacesDocument):
    """The share of a forecast ensemble's members at a level or above it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "ensemble-share",
                    "levels": {"Kratie": {"level": 52_000, "extreme": 60_000}},
                    "minimum_members": 40,
                    "readiness": {"share": 0.3, "lead_days_from": 4, "lead_days_to": 10},
                    "activation": {
                        "share": 0.5,
                        "issues_running": 2,
                        "lead_days_from": 1,
                        "lead_days_to": 5,
                    },
                    "reaches": {"Kratie": ["10"]},
                    "rearm": {"quiet_days": 30, "after_days": 120, "below_share": 0.2},
                }
            ]
        }
    )

    kind: Literal["ensemble-share"]
    levels: Annotated[
        dict[PlaceName, ForecastLevel],
        Field(
            min_length=1,
            max_length=MAXIMUM_PLACES,
            description="The places that are judged, each with its own level; an area without a "
            "place by its code. They are awaited: one that is silent cannot be judged.",
        ),
    ]
    minimum_members: Annotated[
        int,
        Whole(least=2, most=1_000),
        Field(description="An issue with fewer members is missing."),
    ] = 10
    issued_every_days: Annotated[
        int,
        Whole(least=1, most=31),
        Field(description="How often a forecast is issued: what is missing is told by it."),
    ] = 1
    watch: ShareStage | None = None
    readiness: ShareStage | None = None
    activation: ShareStage
    rearm: ShareRearm

    @property
    def named(self) -> frozenset[str]:
        return frozenset(self.levels)

    def of_stages(self) -> list[tuple[TriggerStage, ShareStage]]:
        """The stages that the document has, the first to be reached first."""
        stages = [
            (TriggerStage.WATCH, self.watch),
            (TriggerStage.READINESS, self.readiness),
            (TriggerStage.ACTIVATION, self.activation),
        ]
        return [(stage, needed) for stage, needed in stages if needed is not None]

    @model_validator(mode="after")
    def _can_fire(self) -> Self:
        stages = self.of_stages()
        for (_, earlier), (stage, later) in pairwise(stages):
            if later.share < earlier.share:
                raise ValueError(f"The share of {stage.value} is below that of the stage before.")
        for stage, needed in stages:
            days = needed.lead_days_to - needed.lead_days_from
            if needed.issues_running > days // self.issued_every_days + 1:
                raise ValueError(
                    f"So many issues as {stage.value} needs do not fit into its lead time. "
                    "Ask for fewer, or for a longer lead time."
                )
        return self
