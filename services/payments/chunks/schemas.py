"""Bodies of the chunk routes."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.payments.chunks.states import ChunkStatus, SetAsideReason


class ChunkOut(BaseModel):
    """A portion of entitlements as the registry announced it, and what became of it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "chunk_id": "0199c1de-5c00-7a54-8f62-0d6f0a6f5b11",
                    "enrolment_id": "0199c1de-5b00-7a54-8f62-0d6f0a6f5b10",
                    "activation_id": "0199c1de-5a00-7a54-8f62-0d6f0a6f5b0f",
                    "scheme": "flood-2022",
                    "round": 1,
                    "fund": "shock-response",
                    "currency": "KHR",
                    "entitlement_count": 5000,
                    "total_minor": 480_000_000,
                    "set_aside_count": 1,
                    "set_aside_minor": 96_000,
                    "status": "raised",
                    "reason": None,
                    "announced_at": "2020-10-12T02:00:00Z",
                    "raised_at": "2020-10-12T02:00:01Z",
                    "settled_at": None,
                }
            ]
        }
    )

    chunk_id: UUID
    enrolment_id: UUID
    activation_id: UUID
    scheme: str
    round: int
    fund: str
    currency: str
    entitlement_count: int = Field(description="As announced.")
    total_minor: int = Field(description="As announced, in minor units.")
    set_aside_count: int = Field(
        description="Entitlements that are not paid from here: GET /v1/chunks/{chunk_id}/set-aside "
        "says which, and why."
    )
    set_aside_minor: int
    status: ChunkStatus
    reason: str | None = Field(description="Why it was refused, or was not fetched yet.")
    announced_at: datetime
    raised_at: datetime | None
    settled_at: datetime | None


class SetAsideOut(BaseModel):
    """An entitlement of a raised chunk that has no instruction there."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "entitlement_id": "0199c1de-6100-7a54-8f62-0d6f0a6f5b12",
                    "household_id": "0199c1dd-6100-7a54-8f62-0d6f0a6f5b13",
                    "amount_minor": 96_000,
                    "announcement": 1,
                    "reason": "unknown-provider",
                    "set_aside_at": "2020-10-12T02:00:01Z",
                }
            ]
        }
    )

    entitlement_id: UUID
    household_id: UUID
    amount_minor: int
    announcement: int = Field(description="How often the registry had announced it.")
    reason: SetAsideReason = Field(
        description="`already-paid`, `undecided` and `already-failed`: the instruction of another "
        "chunk says how it ended. The others are unpayable until the registry mends them and "
        "announces them again."
    )
    set_aside_at: datetime
