"""Searches by name, and what they find."""

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.registry.households.schemas import HouseholdOut
from services.registry.households.shape import COMMUNE, HEAD_NAME
from services.registry.names.words import MAXIMUM_CHARACTERS
from shared.values import Text, Whole

MOST_FOUND = 50


class NameSearchIn(BaseModel):
    """Whom to search for. In the body, for an address is logged by everyone."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"name": HEAD_NAME.example, "area": COMMUNE.example[:4]}]},
    )

    name: Annotated[str, Text(longest=MAXIMUM_CHARACTERS), Field(description="In either script.")]
    area: Annotated[
        str | None,
        Field(
            pattern=r"^(KH|([0-9]{2}){1,3})$",
            max_length=6,
            description="Only households of this area; none: of the country.",
        ),
    ] = None
    limit: Annotated[int, Whole(least=1, most=MOST_FOUND)] = 20


class NamedOut(BaseModel):
    """Somebody who is called so, or nearly."""

    likeness: int = Field(description="Of the two names, 0 to 100.", examples=[100])
    member_id: UUID | None = Field(
        description="The member who is called so; null: the head, as the household is registered."
    )
    household: HouseholdOut


class NamesFoundOut(BaseModel):
    """The households of those who are called so, the most alike first."""

    items: list[NamedOut]
    more: bool = Field(
        description="Whether more may be called so than were looked at: name a smaller area."
    )
