"""Flood extents as they are posted: the flooded share of an area."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from services.triggers.methods.indicator_kind import IndicatorKind, PostedRow, RowFault
from shared.values import Measure

LARGEST_KM2 = 1_000_000


class ExtentDetails(BaseModel):
    """What a flood extent says beside the share."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    flooded_km2: Annotated[
        Annotated[float, Measure(least=0, most=LARGEST_KM2)] | None,
        Field(description="How much of the area is under water, in square kilometres."),
    ] = None


def faults_of(row: PostedRow) -> list[RowFault]:
    if row.value is not None and not 0 <= row.value <= 1:
        return [
            RowFault(
                "value",
                "A flooded share is a number from 0 to 1, such as 0.35 for 35%; null where the "
                "area was not seen.",
            )
        ]
    return []


FLOOD_EXTENT = IndicatorKind(
    code="flood_extent",
    says="the share of an area that is under water, from 0 to 1, null where it was not seen (under "
    "clouds, out of view), with the square kilometres in `details`",
    dated="the day on which a flood extent was seen",
    faults_of=faults_of,
    details=ExtentDetails,
)
