"""Bodies about indicators."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from services.triggers.areas import AreaLevel
from services.triggers.codes import Code


class IndicatorKind(StrEnum):
    """What is measured; a trigger's method takes indicators of one kind."""

    PRICE = "price"
    HOUSEHOLDS_AFFECTED = "households_affected"


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
                }
            ]
        },
    )

    code: Code
    name: Annotated[str, Field(min_length=1, max_length=200)]
    unit: Annotated[
        str,
        Field(
            min_length=1,
            max_length=40,
            description="The one unit of all its values. Another unit, pack size or price type is "
            "another indicator: a median is taken over like units only.",
        ),
    ]
    kind: Annotated[
        IndicatorKind,
        Field(
            description="`price`: one value for each market and month, above zero. "
            "`households_affected`: whole households in an area, as one authority reported."
        ),
    ]
    area_level: Annotated[
        AreaLevel, Field(description="The level of the areas that its observations are about.")
    ]


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
                    "created_at": "2020-10-01T02:00:00Z",
                }
            ]
        },
    )

    created_at: datetime
