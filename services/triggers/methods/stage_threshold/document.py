"""What a trigger document says of gauges: their levels, how long above, how far below again."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from services.triggers.methods.at_places import (
    MAXIMUM_PLACES,
    AtNamedPlacesDocument,
    DaysRearm,
    PlaceName,
)
from services.triggers.methods.levels import RisingLevels
from shared.values import Measure, Whole

Metres = Annotated[float, Measure(least=-20, most=200)]


class GaugeLevels(RisingLevels[Metres]):
    """Stages of one gauge, in metres above its own zero."""


class StageThreshold(AtNamedPlacesDocument):
    """River stage at gauges against alarm and flood stages."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "stage-threshold",
                    "levels": {
                        "Kratie": {"readiness": 22.0, "activation": 23.0, "extreme": 24.0},
                        "Stung Treng": {"readiness": 10.7, "activation": 12.0},
                    },
                    "days_in_a_row": 2,
                    "release_below_metres": 0.3,
                    "at_least_places": 1,
                    "reaches": {"Kratie": ["1002", "1004"], "Stung Treng": ["19"]},
                    "rearm": {"quiet_days": 30, "after_days": 120},
                }
            ]
        }
    )

    kind: Literal["stage-threshold"]
    levels: Annotated[
        dict[PlaceName, GaugeLevels],
        Field(
            min_length=1,
            max_length=MAXIMUM_PLACES,
            description="The gauges that are judged, each with its own levels in metres. They are "
            "awaited: one that is silent cannot be judged.",
        ),
    ]
    days_in_a_row: Annotated[
        int,
        Whole(least=1, most=60),
        Field(description="So many days at the level or above it reach the stage."),
    ] = 1
    silent_days: Annotated[
        int,
        Whole(least=0, most=60),
        Field(
            description="A silence of so many days neither counts nor breaks days in a row; after "
            "a longer one they are counted anew. Silence never ends a stage."
        ),
    ] = 7
    release_below_metres: Annotated[
        float,
        Measure(least=0, most=20),
        Field(
            description="A stage that was reached lasts until the water lies further than this "
            "below its level."
        ),
    ] = 0.3
    rearm: DaysRearm

    @property
    def named(self) -> frozenset[str]:
        return frozenset(self.levels)
