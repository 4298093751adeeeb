"""What households agree to, over HTTP."""

from datetime import date, datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.registry.consents.tables import ConsentGiver
from services.registry.households.shape import REGISTRATION_NUMBER
from shared.values import Day, Text


class ConsentIn(BaseModel):
    """What a household agrees to."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "purpose": "share-with-health-ministry",
                    "given_by": "head",
                    "given_on": "2026-01-03",
                    "document": "Form 7, no. 2231",
                }
            ]
        },
    )

    purpose: str = Field(pattern="^[a-z][a-z0-9-]{1,39}$", max_length=40, examples=["payment"])
    given_by: ConsentGiver
    given_on: Day
    document: Annotated[str, Text(longest=200)] | None = Field(
        default=None, description="Where it is written, without names."
    )


class AgreementIn(ConsentIn):
    """What one household of a list agrees to; the household by its id, or by its number."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "registration_number": "KH-010201-000877",
                    "purpose": "share-with-health-ministry",
                    "given_by": "head",
                    "given_on": "2026-01-03",
                }
            ]
        },
    )

    household_id: UUID | None = None
    registration_number: str | None = Field(
        default=None,
        pattern=f"^{REGISTRATION_NUMBER.kind.pattern}$",
        max_length=40,
        examples=["KH-010201-000877"],
    )

    @model_validator(mode="after")
    def _of_one(self) -> Self:
        if (self.household_id is None) == (self.registration_number is None):
            raise ValueError("household_id and registration_number: give one of them")
        return self


class AgreementsIn(BaseModel):
    """What up to 1,000 households agree to."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "consents": [
                        {
                            "registration_number": "KH-010201-000877",
                            "purpose": "share-with-health-ministry",
                            "given_by": "head",
                            "given_on": "2026-01-03",
                            "document": "Form 7, no. 2231",
                        }
                    ]
                }
            ]
        },
    )

    consents: list[AgreementIn] = Field(min_length=1, max_length=1_000)


class AgreedOut(BaseModel):
    """What became of one consent of a list."""

    household_id: UUID | None = Field(description="Null: no such household is registered.")
    recorded: bool = Field(description="Whether it was recorded by this request.")
    detail: str | None = Field(description="Why it was not.", examples=[None])


class AgreementsOut(BaseModel):
    """What became of each consent, in the order in which they were given."""

    results: list[AgreedOut]


class WithdrawalIn(BaseModel):
    """A household agrees no more."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"purpose": "share-with-health-ministry", "withdrawn_on": "2026-01-04"}]
        },
    )

    purpose: str = Field(pattern="^[a-z][a-z0-9-]{1,39}$", max_length=40, examples=["payment"])
    withdrawn_on: Day


class ConsentOut(BaseModel):
    """What a household agreed to."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    household_id: UUID
    purpose: str = Field(examples=["share-with-health-ministry"])
    given_by: ConsentGiver
    given_on: date
    document: str | None = Field(examples=["Form 7, no. 2231"])
    recorded_by: str = Field(examples=["dara@ministry.example"])
    recorded_at: datetime
    withdrawn_on: date | None = Field(description="Null: it holds.")
    withdrawn_by: str | None = Field(examples=["dara@ministry.example"])
    withdrawn_at: datetime | None
