"""How entitlements look over HTTP: with the reason for every riel."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from services.registry.enrolments.states import EntitlementStatus
from services.registry.households.bodies import shown, with_fields
from services.registry.households.shape import COUNTED


class EntitlementOut(BaseModel):
    """What one household is owed in one round."""

    id: UUID
    household_id: UUID
    activation_id: UUID
    chunk_id: UUID = Field(description="The chunk that it came of, its home.")
    scheme: str = Field(examples=["flood-2022"])
    scheme_version: int = Field(examples=[1])
    round: int = Field(examples=[1])
    area_code: str = Field(description="The commune where it lived then.", examples=["020101"])
    amount_minor: int = Field(
        description="What the round pays this household; owed unless `excluded`.", examples=[176000]
    )
    currency: str = Field(examples=["KHR"])
    status: EntitlementStatus
    reason: str | None = Field(description="Why it is not paid.", examples=["no-payee-account"])
    announced_at: datetime | None
    finished_at: datetime | None = Field(description="When it was paid, or failed.")


class ComponentOut(BaseModel):
    """One part of an amount."""

    name: str = Field(examples=["member"])
    count: int | None = Field(
        description="Null where it is of somebody's health: only for callers with "
        "`households:read-personal`.",
        examples=[5],
    )
    each_minor: int = Field(examples=[16000])
    amount_minor: int | None = Field(description="Null with `count`.", examples=[80000])


class AnnouncementOut(BaseModel):
    """One time that payments was told of an entitlement, and what came of it."""

    number: int = Field(examples=[1])
    chunk_id: UUID
    announced_at: datetime | None
    provider_code: str = Field(description="Of the account of then.", examples=["mekong"])
    status: EntitlementStatus
    reason: str | None = Field(examples=["accountNotFound"])
    finished_at: datetime | None
    requested_by: str | None = Field(
        description="Who asked for the repair; null: it came of the enrolment.",
        examples=["officer@nspc.example"],
    )
    why: str | None = Field(examples=["The account was another person's."])


@with_fields(COUNTED, shown)
class EntitlementExplainedOut(EntitlementOut):
    """An entitlement and how its amount comes about, from what was known at enrolment."""

    benefit_case: int = Field(description="Which case of the scheme fits, from 1.", examples=[1])
    benefit_where: str | None = Field(
        description="That case's rule; null fits everyone.", examples=["residence = 'urban'"]
    )
    eligibility: str = Field(examples=["poverty_status IN ('poor-1', 'poor-2')"])
    announcements: list[AnnouncementOut] = Field(
        description="Each to the account of its time, the first one first; at most one is paid."
    )
    components: list[ComponentOut] = Field(
        description="They add up to the amount. To whoever is not shown health, each part that the "
        "scheme pays for it is told, whether it is anything for this household or not."
    )
