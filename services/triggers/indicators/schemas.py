"""Bodies about indicators."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from services.triggers.areas import AreaLevel
from services.triggers.indicators.tables import Places
from services.triggers.methods import registry
from services.triggers.methods.calendar import Calendar
from shared.documents import Code
from shared.values import Text, YesNo

KINDS = registry.indicator_kinds()

if TYPE_CHECKING:
    KindCode = str
else:
    KindCode = Literal[tuple(KINDS)]


class IndicatorIn(BaseModel):
    """A measured thing, to be registered before its first observation."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "code": "rice-wholesale-price",
                    "name": "Wholesale price of rice (mixed, low quality)",
                    "unit": "USD/KG",
                    "kind": "price",
                    "area_level": "province",
                    "places": "listed",
                }
            ]
        },
    )

    code: Code
    name: Annotated[str, Text(longest=200)]
    unit: Annotated[
        str,
        Text(longest=40),
        Field(
            description="The one unit of all its values. Another unit, pack size or price type is "
            "another indicator: a median is taken over like units only.",
        ),
    ]
    kind: Annotated[
        KindCode,
        Field(
            description="What is measured; a trigger's method judges indicators of one kind. "
            + " ".join(f"`{kind.code}`: {kind.says}." for kind in KINDS.values())
        ),
    ]
    area_level: Annotated[
        AreaLevel,
        Field(
            description="The level of the areas that its observations are about: the smallest, of "
            "a kind that takes totals for larger ones too."
        ),
    ]
    forecast: Annotated[
        YesNo,
        Field(
            description="Whether its values are forecasts: published before the day that they are "
            "about. Forecasts of one day that were published on different days are kept side by "
            "side."
        ),
    ] = False
    places: Annotated[
        Places,
        Field(
            description="`listed`: its figures name places of `/v1/places`, however spelt, and any "
            "other is set aside until a person says which is meant. `open`: they name any place, "
            "and two spellings are two."
        ),
    ] = Places.OPEN

    calendar: Annotated[
        Calendar | None,
        Field(
            description="When a period of it may be judged. Null: as is usual for its kind: "
            + " ".join(f"`{kind.code}`: {kind.calendar.in_words()}." for kind in KINDS.values())
        ),
    ] = None

    def calendar_or_usual(self) -> Calendar:
        """Its calendar, or that of its kind."""
        return self.calendar or KINDS[self.kind].calendar


class IndicatorOut(IndicatorIn):
    """An indicator as it is registered."""

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "code": "rice-wholesale-price",
                    "name": "Wholesale price of rice (mixed, low quality)",
                    "unit": "USD/KG",
                    "kind": "price",
                    "area_level": "province",
                    "forecast": False,
                    "calendar": {
                        "frequency": "month",
                        "complete_with_places": None,
                        "waits_days": 10,
                    },
                    "judge_at": "2020-10-11T17:00:00Z",
                    "places": "listed",
                    "created_at": "2020-10-01T02:00:00Z",
                    "posted_by": "officer@nspc.example",
                    "failing_since": None,
                }
            ]
        },
    )

    calendar: Calendar
    created_at: datetime
    posted_by: str
    failing_since: datetime | None = Field(
        description="Since when it, or a trigger that reads it, cannot be judged: it is tried each "
        "minute, and no activation opens by it meanwhile. Tell the developers. Null: it can."
    )
    judge_at: Annotated[
        datetime | None,
        Field(
            description="When its triggers are evaluated next; null: not until it has new figures."
        ),
    ] = None
