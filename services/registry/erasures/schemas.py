"""Bodies about households whose time is over."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.registry.households.tables import Archiving
from shared.approvals import ApprovalStatus, Reason


class DueForErasureOut(BaseModel):
    """A household that was archived so long ago that it is to be erased, if two persons agree."""

    id: UUID
    area_code: str = Field(examples=["010201"])
    archived_at: datetime
    archived_because: Archiving
    archived_days: int = Field(examples=[900])


class ErasuresIn(BaseModel):
    """Why everybody who is due is to be erased."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"reason": "Retention of 2026, as the rule says."}]},
    )

    reason: Reason


class ErasuresOut(BaseModel):
    """An erasure of many, and how far it is."""

    id: UUID = Field(description="The proposal's: `GET /v1/approvals/{id}`.")
    status: ApprovalStatus
    archived_before: datetime = Field(description="Only who was archived before that is erased.")
    paid_before: datetime = Field(description="Only who was paid last before that is erased.")
    households: int = Field(description="How many were due when it was proposed.", examples=[2315])
    erased: int = Field(description="How many are erased so far.", examples=[1500])
    passed_over: int = Field(
        description="For how many the rule does not hold any more: they were restored or erased, "
        "or something of them is under way again.",
        examples=[3],
    )
    approved_at: datetime | None
    finished_at: datetime | None = Field(description="Null: not all are looked at yet.")
