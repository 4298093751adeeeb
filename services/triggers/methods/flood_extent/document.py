"""What a trigger document says of flood extents: how much of an area, and how many areas."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.triggers.methods.flood_extent.indicator import LARGEST_KM2
from services.triggers.methods.rearm import RearmedDocument
from shared.values import Measure, Whole

_PART = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

Areas = Annotated[int, Whole(least=1, most=20_000)]
SquareKilometres = Annotated[float, Measure(least=0.01, most=LARGEST_KM2)]


class ExtentThresholds(BaseModel):
    """How much must be under water together; of two, one is enough."""

    model_config = _PART

    areas: Annotated[
        Areas | None,
        Field(description="So many areas, each flooded by `area_threshold_share` or more."),
    ] = None
    flooded_km2: Annotated[
        SquareKilometres | None,
        Field(
            description="So many square kilometres under water, over all areas of which they are "
            "known."
        ),
    ] = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.areas is None and self.flooded_km2 is None:
            raise ValueError("Say how many areas, or how many square kilometres.")
        return self


class FloodExtent(RearmedDocument):
    """The flooded share of each area, as it is seen from above."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "flood-extent",
                    "area_threshold_share": 0.2,
                    "readiness": {"areas": 10, "flooded_km2": 500},
                    "activation": {"areas": 50, "flooded_km2": 2_000},
                    "extreme_from": {"areas": 300},
                    "seen_within_days": 6,
                    "rearm": {"quiet_days": 30},
                }
            ]
        }
    )

    kind: Literal["flood-extent"]
    area_threshold_share: Annotated[
        float,
        Measure(least=0.001, most=1),
        Field(
            description="The flooded share from which an area counts, and is taken in. Take what "
            "is water all year out of the shares, or set it above.",
        ),
    ]
    readiness: ExtentThresholds | None = None
    activation: ExtentThresholds
    extreme_from: Annotated[
        ExtentThresholds | None,
        Field(description="From which severity is extreme rather than severe."),
    ] = None
    seen_within_days: Annotated[
        int,
        Whole(least=1, most=60),
        Field(
            description="An area counts as it was last seen within so many days, the day judged "
            "among them: a satellite does not see the whole country on one day.",
        ),
    ] = 6

    @model_validator(mode="after")
    def _readiness_first(self) -> Self:
        ready, active = self.readiness, self.activation
        if ready and (
            _is_above(ready.areas, active.areas) or _is_above(ready.flooded_km2, active.flooded_km2)
        ):
            raise ValueError(
                "What reaches activation must reach readiness as well: give readiness each "
                "threshold that activation has, and none above it."
            )
        return self


def _is_above(ready: float | None, active: float | None) -> bool:
    return active is not None and (ready is None or ready > active)
