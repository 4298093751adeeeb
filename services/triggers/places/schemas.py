"""Bodies about places."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, model_validator

from services.triggers.areas import AreaCode
from services.triggers.places.names import key_of
from services.triggers.places.tables import PlaceKind
from shared.documents import Code
from shared.values import Exact, Text

_LATITUDE = 90
_LONGITUDE = 180

PlaceSpelling = Annotated[
    str,
    Text(longest=100),
    Field(description="A name, as somebody writes it."),
]
Degrees = Annotated[
    Decimal,
    Exact(digits=9, decimals=6),
    PlainSerializer(float, return_type=float, when_used="json"),
]


def _with_letters(spelling: str) -> str:
    if not key_of(spelling):
        raise ValueError("It has no letter and no digit. Write the name.")
    return spelling


class PlaceIn(BaseModel):
    """A market, a gauge or a station, by which figures are kept under one name."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "code": "phnom-penh-orussey",
                    "name": "Phnom Penh - Orussey",
                    "aliases": ["Phnom Penh (Orussey)", "Orussey Market"],
                    "kind": "market",
                    "area": "12",
                    "latitude": 11.563056,
                    "longitude": 104.914722,
                }
            ]
        },
    )

    code: Code
    name: Annotated[
        str,
        Text(longest=100),
        Field(description="The one name under which its observations are kept."),
    ]
    aliases: Annotated[
        list[PlaceSpelling],
        Field(
            max_length=50,
            description="Other names. Case, spacing and punctuation need no alias.",
        ),
    ] = []
    kind: PlaceKind
    area: Annotated[AreaCode, Field(description="The area in which it lies.")]
    latitude: Annotated[Degrees | None, Field(description="Degrees north.")] = None
    longitude: Annotated[Degrees | None, Field(description="Degrees east.")] = None

    @model_validator(mode="after")
    def _names_and_point(self) -> "PlaceIn":
        for spelling in (self.name, *self.aliases):
            _with_letters(spelling)
        if (self.latitude is None) != (self.longitude is None):
            raise ValueError("A point has a latitude and a longitude. Give both, or neither.")
        if self.latitude is not None and abs(self.latitude) > _LATITUDE:
            raise ValueError(f"A latitude lies from -{_LATITUDE} to {_LATITUDE}.")
        if self.longitude is not None and abs(self.longitude) > _LONGITUDE:
            raise ValueError(f"A longitude lies from -{_LONGITUDE} to {_LONGITUDE}.")
        return self


class PlaceOut(PlaceIn):
    """A place as it is kept, with every name that it goes by."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "code": "phnom-penh-orussey",
                    "name": "Phnom Penh - Orussey",
                    "aliases": ["Orussey Market"],
                    "kind": "market",
                    "area": "12",
                    "latitude": 11.563056,
                    "longitude": 104.914722,
                    "created_at": "2020-10-01T02:00:00Z",
                    "posted_by": "officer@nspc.example",
                }
            ]
        },
    )

    aliases: list[str] = Field(description="Other names, where they are more than other spelling.")
    created_at: datetime
    posted_by: str
