"""How members look over HTTP."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.registry.households.bodies import shown, with_fields
from services.registry.households.schemas import HouseholdOut
from services.registry.members.shape import MEMBER_NUMBER, OPEN, PROGRAMME_CODE, SEALED
from services.registry.members.tables import Leaving
from shared.values import Text


class ProgrammeMembershipOut(BaseModel):
    """A routine programme that somebody is in, or was."""

    code: str = Field(examples=["covid-cash"])
    since: date | None = Field(description="Null: as long as they are known.")
    until: date | None = Field(description="The first day on which they are not in it any more.")


@with_fields((*OPEN, *SEALED), shown)
class MemberOut(BaseModel):
    """A member of a household, as they are today: only with `households:read-personal`."""

    id: UUID
    household_id: UUID
    joined_on: date | None = Field(description="Null: as long as the household is known.")
    left_on: date | None = Field(
        description="The first day on which they are none of it any more; null: they are."
    )
    left_because: Leaving | None
    programmes: list[ProgrammeMembershipOut]
    changed_at: datetime


class HouseholdWithMembersOut(HouseholdOut):
    """A registered household. Where its members are listed, its counts are those of today."""

    listed: list[MemberOut] | None = Field(
        default=None,
        description="Its members of today; null: only counts are known, or the caller has no "
        "`households:read-personal`.",
    )


class MemberAddedOut(BaseModel):
    """Who was added, without what is known of them."""

    id: UUID
    household_id: UUID
    member_number: int = Field(examples=[MEMBER_NUMBER.example])


class ProgrammeIn(BaseModel):
    """A routine programme that members of households may be in."""

    model_config = ConfigDict(extra="forbid")

    code: str = Field(pattern=f"^{PROGRAMME_CODE}$", max_length=40, examples=["family-package"])
    name_en: Annotated[str, Text(longest=200)] = Field(examples=["Family package"])
    name_km: Annotated[str, Text(longest=200)] = Field(examples=["កញ្ចប់គ្រួសារ"])


class ProgrammeOut(BaseModel):
    """A routine programme."""

    code: str = Field(examples=["covid-cash"])
    name_en: str = Field(examples=["Cash transfer for poor households during Covid-19"])
    name_km: str = Field(examples=["ឧបត្ថម្ភសាច់ប្រាក់ក្នុងអំឡុងពេលកូវីដ-១៩"])
