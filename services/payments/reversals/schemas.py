"""Bodies of reversals, and of what they take back."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from shared.approvals import Reason


class ReversalIn(BaseModel):
    """A deposit or prefunding that was recorded wrongly, for another person to approve."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "approval_id": "0199c1de-6100-7a54-8f62-0d6f0a6f5b12",
                    "reason": "A zero too many: sub-decree 1182 says 4,000,000,000.",
                }
            ]
        },
    )

    approval_id: UUID = Field(
        description="The `id` of the deposit or prefunding: that of the proposal that recorded it."
    )
    reason: Reason


class BroughtInOut(BaseModel):
    """Money that two persons recorded as arrived for a fund, or as paid to a provider."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0199c1de-6100-7a54-8f62-0d6f0a6f5b12",
                    "amount_minor": 40_000_000_000,
                    "currency": "KHR",
                    "reference": "MEF sub-decree 1182/2020",
                    "posted_at": "2020-10-01T03:00:00Z",
                    "proposed_by": "officer@nspc",
                    "approved_by": "checker@nspc",
                    "reversal_id": None,
                }
            ]
        }
    )

    id: UUID = Field(description="That of its proposal: `GET /v1/approvals/{approval_id}`.")
    amount_minor: int
    currency: str
    reference: str | None = Field(description="What it is called on paper.")
    posted_at: datetime
    proposed_by: str
    approved_by: str
    reversal_id: UUID | None = Field(
        description="The reversal that took it back: `GET /v1/reversals/{reversal_id}`; null: it "
        "stands."
    )


class ReversalOut(BaseModel):
    """A deposit or prefunding that was taken back, whole."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0199c1de-7000-7a54-8f62-0d6f0a6f5b12",
                    "reverses": "0199c1de-6100-7a54-8f62-0d6f0a6f5b12",
                    "kind": "deposit",
                    "fund": "shock-response",
                    "provider": None,
                    "amount_minor": 40_000_000_000,
                    "currency": "KHR",
                    "reference": "MEF sub-decree 1182/2020",
                    "reason": "A zero too many: sub-decree 1182 says 4,000,000,000.",
                    "proposed_by": "officer@nspc",
                    "approved_by": "checker@nspc",
                    "reversed_at": "2020-10-02T03:00:00Z",
                }
            ]
        }
    )

    id: UUID = Field(description="That of its proposal: `GET /v1/approvals/{approval_id}`.")
    reverses: UUID = Field(description="The deposit or prefunding that it took back.")
    kind: Literal["deposit", "prefunding"] = Field(description="What it took back.")
    fund: str | None = Field(description="Of a deposit.")
    provider: str | None = Field(description="Of a prefunding.")
    amount_minor: int
    currency: str
    reference: str | None = Field(description="What was taken back is called so on paper.")
    reason: str | None
    proposed_by: str
    approved_by: str
    reversed_at: datetime
