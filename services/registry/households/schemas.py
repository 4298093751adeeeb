"""How households look over HTTP."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.registry.households.tables import PovertyStatus


class PersonOut(BaseModel):
    """The head of the household: only for callers with `households:read-personal`."""

    name: str = Field(examples=["Sok Chanthy"])
    phone: str | None = Field(examples=["+85512345678"])
    id_number: str | None = Field(examples=["010203045"])
    registration_number: str = Field(examples=["KH-010201-000001"])


class PayeeAccountOut(BaseModel):
    """Where a household is paid."""

    provider_code: str = Field(examples=["wing"])
    account: str | None = Field(
        description="Only for callers with `households:read-personal`.", examples=["+85512345678"]
    )
    began_at: datetime


class HouseholdOut(BaseModel):
    """A registered household."""

    id: UUID
    area_code: str = Field(description="The commune.", examples=["010201"])
    poverty_status: PovertyStatus
    members: int = Field(examples=[5])
    children_0_5: int = Field(examples=[1])
    pregnant: int = Field(examples=[0])
    disabled: int = Field(examples=[0])
    elderly_60: int = Field(examples=[1])
    changed_at: datetime
    payee_account: PayeeAccountOut | None = Field(
        description="Null: entitlements of this household are unpayable until it has one."
    )
    person: PersonOut | None = Field(
        default=None, description="Only for callers with `households:read-personal`."
    )


class PersonSearch(BaseModel):
    """What to search by: exactly one. In the body, for an address is logged by everyone."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"phone": "+85512345678"}]}
    )

    phone: Annotated[str, Field(min_length=3, max_length=20)] | None = None
    id_number: Annotated[str, Field(min_length=3, max_length=40)] | None = None
    registration_number: Annotated[str, Field(min_length=3, max_length=40)] | None = None
    account: Annotated[str, Field(min_length=3, max_length=40)] | None = None

    @model_validator(mode="after")
    def _by_one_thing(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError(
                "search by exactly one of phone, id_number, registration_number, account"
            )
        return self


class PayeeAccountIn(BaseModel):
    """The account that a household is paid to from now on."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"provider_code": "wing", "account": "+85512345678"}]},
    )

    provider_code: Annotated[str, Field(pattern=r"^[a-z0-9-]{2,32}$")]
    account: Annotated[str, Field(pattern=r"^\+?[0-9A-Za-z-]{4,34}$")]
