"""Bodies of the round routes."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.payments.rounds.states import RoundStatus
from shared.approvals import Reason


class ReleaseIn(BaseModel):
    """Why a round above its fund's bounds is to be sent, for another person to approve."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"reason": "The flood reached four provinces, as the minister decided."}]
        },
    )

    reason: Reason


class RoundOut(BaseModel):
    """One round of one enrolment: released whole, or not at all."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "number": 1,
                    "enrolment_id": "0199c1de-5b00-7a54-8f62-0d6f0a6f5b10",
                    "activation_id": "0199c1de-5a00-7a54-8f62-0d6f0a6f5b0f",
                    "scheme": "flood-2022",
                    "round": 1,
                    "supplement": 0,
                    "fund": "shock-response",
                    "currency": "KHR",
                    "budget_line": "floods-2022",
                    "status": "unfunded",
                    "reason": "The round needs 9,600,000 KHR and fund shock-response has 500,000 "
                    "KHR available. Nothing is sent until a deposit covers all of it.",
                    "chunk_count": 1,
                    "entitlement_count": 100,
                    "total_minor": 9_600_000,
                    "reserved_minor": None,
                    "announced_at": "2020-10-12T02:00:00Z",
                    "released_at": None,
                }
            ]
        }
    )

    number: int = Field(description="Of the round here, by which it is released.")
    enrolment_id: UUID
    activation_id: UUID
    scheme: str
    round: int
    supplement: int = Field(
        description="0 is the round as the registry completed it; the others are single chunks of "
        "it that were announced again, each reserved and released by itself."
    )
    fund: str | None
    currency: str | None
    budget_line: str | None = Field(
        description="The line of the fund that it is booked on; null: on none."
    )
    status: RoundStatus
    reason: str | None = Field(description="Why it is not released, and what to do.")
    chunk_count: int | None = Field(description="As the registry announced; null until it has.")
    entitlement_count: int | None
    total_minor: int | None
    reserved_minor: int | None = Field(
        description="What was reserved: refused chunks, and what was set aside, are not."
    )
    announced_at: datetime
    released_at: datetime | None
