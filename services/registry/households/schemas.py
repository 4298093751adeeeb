"""How households look over HTTP."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.registry.households.bodies import shown, with_fields
from services.registry.households.fields import Field as HouseholdField
from services.registry.households.shape import (
    ACCOUNT,
    COMMUNE,
    FOUND,
    OPEN,
    PHONE,
    PROVIDER,
    SEALED,
)
from services.registry.households.tables import Archiving
from shared.values import Text


@with_fields(SEALED, shown)
class PersonOut(BaseModel):
    """The head of the household: only for callers with `households:read-personal`."""


class PayeeAccountOut(BaseModel):
    """Where a household is paid."""

    provider_code: str = Field(examples=[PROVIDER.example])
    account: str | None = Field(
        description="Only for callers with `households:read-personal`.",
        examples=[ACCOUNT.example],
    )
    began_at: datetime


@with_fields(OPEN, shown)
class HouseholdOut(BaseModel):
    """A registered household."""

    id: UUID
    changed_at: datetime
    members_listed: bool = Field(
        description="Whether its members are known one by one. Its counts in a list are then those "
        "of the day when they were listed or last changed; read it alone for those of today."
    )
    archived_at: datetime | None = Field(
        description="Since when it is none that could be enrolled; null: it is registered. What it "
        "was owed before stays."
    )
    archived_because: Archiving | None = Field(
        description="Why it is none any more. `merged`: see `merged_into`."
    )
    merged_into: UUID | None = Field(
        description="The household that it is part of since; it may live elsewhere."
    )
    erased_at: datetime | None = Field(
        description="Since when nobody can tell who they were; null: they are known."
    )
    payee_account: PayeeAccountOut | None = Field(
        description="Null: entitlements of this household are unpayable until it has one."
    )
    person: PersonOut | None = Field(
        default=None, description="Only for callers with `households:read-personal`."
    )


class HouseholdSort(StrEnum):
    """In which order households are listed."""

    AREA = "area"
    CHANGED = "changed"


class Registration(StrEnum):
    """What a registration is good for."""

    PAYABLE = "payable"
    WITHOUT_ACCOUNT = "without-account"


class FoundHouseholdOut(BaseModel):
    """A household that was found by a person's number, to whoever may not see persons."""

    id: UUID
    area_code: str = Field(description="The commune where it lives.", examples=[COMMUNE.example])
    registration: Registration = Field(
        description="`payable`: it is registered, with an account. `without-account`: it is "
        "registered, and cannot be paid until it has an account."
    )


Found = HouseholdOut | FoundHouseholdOut
"""What a search shows: all of it with `households:read-personal`, else what it takes to go on."""


def _searched(field: HouseholdField) -> Any:
    return (
        Annotated[str, Text(longest=40, shortest=3), Field(description=field.described)] | None,
        None,
    )


@with_fields(FOUND, _searched)
class PersonSearchIn(BaseModel):
    """What to search by: exactly one. In the body, for an address is logged by everyone."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{PHONE.name: PHONE.example}]}
    )

    @model_validator(mode="after")
    def _by_one_thing(self) -> Self:
        given = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"search by exactly one of {', '.join(type(self).model_fields)}")
        return self
