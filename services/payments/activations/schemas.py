"""Bodies of the activation routes."""

from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class ActivationOut(BaseModel):
    """How much of an activation was announced here, sent and paid, and what was stopped."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "activation_id": "0199c1de-5a00-7a54-8f62-0d6f0a6f5b0f",
                    "currency": "KHR",
                    "announced_count": 5000,
                    "announced_minor": 480_000_000,
                    "refused_count": 0,
                    "refused_minor": 0,
                    "unpayable_count": 1,
                    "unpayable_minor": 96_000,
                    "waiting_count": 0,
                    "waiting_minor": 0,
                    "paused_count": 0,
                    "paused_minor": 0,
                    "held_by_rule_count": 0,
                    "held_by_rule_minor": 0,
                    "cancelled_count": 3999,
                    "cancelled_minor": 383_904_000,
                    "sent_count": 1000,
                    "sent_minor": 96_000_000,
                    "paid_count": 990,
                    "paid_minor": 95_040_000,
                    "cancelled_on": "2020-10-12",
                    "cancellation_heard_at": "2020-10-12T02:00:05Z",
                }
            ]
        }
    )

    activation_id: UUID
    currency: str | None = Field(description="Null as long as nothing of it was announced.")
    announced_count: int
    announced_minor: int
    refused_count: int = Field(description="Entitlements of refused chunks.")
    refused_minor: int
    unpayable_count: int = Field(description="Set aside: nothing could be raised for them.")
    unpayable_minor: int
    waiting_count: int = Field(description="Raised and not sent.")
    waiting_minor: int
    paused_count: int = Field(description="Of what waits: for a pause, GET /v1/pauses.")
    paused_minor: int
    held_by_rule_count: int = Field(description="Of what waits: for a decision, GET /v1/holds.")
    held_by_rule_minor: int
    cancelled_count: int = Field(description="Not sent, and not to be sent any more.")
    cancelled_minor: int
    sent_count: int = Field(
        description="Sent, or begun to be: whatever became of it. What was sent before the "
        "activation was cancelled is followed to its end."
    )
    sent_minor: int
    paid_count: int
    paid_minor: int
    cancelled_on: date | None = Field(description="When an official cancelled it, if one did.")
    cancellation_heard_at: datetime | None
