"""How areas look over HTTP."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from services.registry.areas.gazetteer import SHIPPED_EDITION
from services.registry.areas.tables import ChangeKind, Level, Residence
from shared.values import Text

PlainNumber = Annotated[Decimal, PlainSerializer(float, return_type=float, when_used="json")]
"""An index or a coordinate: exact inside, a JSON number outside."""

AreaCode = Annotated[
    str, Field(pattern=r"^(KH|([0-9]{2}){1,4})$", max_length=8, examples=["010201"])
]

AreaCodes = Annotated[
    str,
    Field(
        pattern=r"^(KH|([0-9]{2}){1,4})(,(KH|([0-9]{2}){1,4})){0,399}$",
        max_length=3_600,
        examples=["0102,020301"],
    ),
]
"""Four hundred at most, each with eight digits at most."""


_BANTEAY_NEANG: dict[str, Any] = {
    "code": "010201",
    "parent_code": "0102",
    "level": "commune",
    "name_en": "Banteay Neang",
    "name_km": "បន្ទាយនាង",
    "residence": "rural",
    "households_total": 5465,
    "idpoor1_households": 325,
    "idpoor2_households": 414,
    "flood_hazard_index": 2.9,
    "vulnerability_index": 0.637499,
    "latitude": 13.483,
    "longitude": 103.03461,
    "edition": SHIPPED_EDITION,
    "ended_at": None,
}


class AreaOut(BaseModel):
    """A place in the national gazetteer."""

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={"examples": [_BANTEAY_NEANG]},
    )

    code: AreaCode
    parent_code: str | None = Field(description="The area that it lies in; null for the country.")
    level: Level
    name_en: str
    name_km: str
    residence: Residence | None = Field(description="Communes only.")
    households_total: int | None = Field(description="All households; null where not counted.")
    idpoor1_households: int | None = Field(description="Identified as poor level 1 (2022 round).")
    idpoor2_households: int | None = Field(description="Identified as poor level 2 (2022 round).")
    flood_hazard_index: PlainNumber | None = Field(
        description="Communes: higher floods more often."
    )
    vulnerability_index: PlainNumber | None = Field(
        description="Communes: 0 to 1, higher is worse."
    )
    latitude: PlainNumber | None
    longitude: PlainNumber | None
    edition: str = Field(description="The last edition of the gazetteer that it is in.")
    ended_at: datetime | None = Field(
        description="Since when it is in none any more; null: it is in force."
    )


class AreaNameOut(BaseModel):
    """What an area is called."""

    code: str
    level: Level
    name_en: str
    name_km: str


class AreaListedOut(AreaOut):
    """A place, with those that it lies in."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    **_BANTEAY_NEANG,
                    "path": [
                        {
                            "code": "01",
                            "level": "province",
                            "name_en": "Banteay Meanchey",
                            "name_km": "បន្ទាយមានជ័យ",
                        },
                        {
                            "code": "0102",
                            "level": "district",
                            "name_en": "Mongkol Borey",
                            "name_km": "មង្គលបូរី",
                        },
                    ],
                    "likeness": 94,
                }
            ]
        }
    )

    path: list[AreaNameOut] = Field(
        description="The areas that it lies in, the province first: names repeat."
    )
    likeness: int | None = Field(
        description="Where a name was searched for: how like it is, of 100 that is the same."
    )


class AreaChangeOut(BaseModel):
    """What an edition made of a code."""

    model_config = ConfigDict(from_attributes=True)

    edition: str
    since: datetime
    kind: ChangeKind
    from_code: str
    name_en: str = Field(description="What `from_code` was called until then, in English.")
    name_km: str = Field(description="In Khmer.")
    to_code: str


class AreaDetailOut(AreaOut):
    """A place, and what became of its code, or of what it came of."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    **_BANTEAY_NEANG,
                    "ended_at": "2026-03-02T02:00:00Z",
                    "history": [
                        {
                            "edition": "ncdd-2026",
                            "since": "2026-03-02T02:00:00Z",
                            "kind": "moved",
                            "from_code": "010201",
                            "name_en": "Banteay Neang",
                            "name_km": "បន្ទាយនាង",
                            "to_code": "010299",
                        }
                    ],
                    "successors": ["010299"],
                }
            ]
        }
    )

    history: list[AreaChangeOut] = Field(description="From and to this code, the oldest first.")
    successors: list[str] = Field(
        description="Codes in force that this one leads to, if it is not the place any more that "
        "it was. An activation for this code reaches them."
    )


class GazetteerIn(BaseModel):
    """Which edition of the gazetteer to load."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"edition": SHIPPED_EDITION}]}
    )

    edition: Annotated[
        str, Text(longest=64), Field(description="An edition that is shipped with the registry.")
    ]


class GazetteerOut(BaseModel):
    """What a load of the gazetteer did."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "edition": SHIPPED_EDITION,
                    "areas": {
                        "country": 1,
                        "province": 25,
                        "district": 210,
                        "commune": 1652,
                        "village": 14578,
                    },
                    "changed": 16466,
                }
            ]
        }
    )

    edition: str
    areas: dict[Level, int] = Field(description="Areas by level, as they stand now.")
    changed: int = Field(description="Areas added or altered by this load; 0 when repeated.")
