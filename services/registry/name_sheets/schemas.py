"""Bodies about sheets of names, which are laid beside lists of payments."""

from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.config import JsonDict

from shared.values import Whole

MOST_LINES = 1_000

_LINE_EXAMPLE: JsonDict = {
    "number": 1,
    "entitlement_id": "0199c1de-53a1-8f6b-8a27-2f1f6a1d9a11",
}


class NameLineIn(BaseModel):
    """A line of a list of payments: whose entitlement it is about."""

    model_config = ConfigDict(extra="forbid")

    number: Annotated[int, Whole(least=1, most=MOST_LINES)]
    entitlement_id: UUID


class NameSheetIn(BaseModel):
    """A list of payments, as payments tells its lines."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"list_code": "000012-0A6F5B21", "lines": [_LINE_EXAMPLE]}]
        },
    )

    list_code: Annotated[str, Field(pattern="^[0-9]{6,10}-[0-9A-F]{8}$", max_length=19)] = Field(
        description="The list's code, which is printed on the sheet as well."
    )
    lines: Annotated[list[NameLineIn], Field(min_length=1, max_length=MOST_LINES)]

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len({line.number for line in self.lines}) < len(self.lines):
            raise ValueError("A list has each number once.")
        if len({line.entitlement_id for line in self.lines}) < len(self.lines):
            raise ValueError("A list has each entitlement once.")
        return self


class NameLineOut(BaseModel):
    """Who a line of a list is for."""

    number: int = Field(examples=[1])
    code: str = Field(description="The same as on the list.", examples=["7K3M-Q9XW"])
    name: str | None = Field(description="Of the head of the household.", examples=["Sok Dara"])
    registration_number: str | None = Field(
        description="As on the household's card.", examples=["010202-1-00001"]
    )
    area_code: str = Field(description="Its commune today.", examples=["010202"])


class NameSheetOut(BaseModel):
    """The names for a list of payments."""

    list_code: str = Field(examples=["000012-0A6F5B21"])
    lines: list[NameLineOut] = Field(description="In the order of the numbers.")
    unknown: list[int] = Field(
        description="Numbers of lines whose entitlement is not here.", examples=[[]]
    )
