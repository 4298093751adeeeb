"""Bodies of the delivery routes."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.payments.deliveries.states import DeliveryStatus


class DeliveryOut(BaseModel):
    """One event on its way to one subscriber."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "5d0e2f6c-9a41-8c3e-b7d1-20f4a6c8e913",
                    "subscription_id": "0199c1de-8000-7a54-8f62-0d6f0a6f5b20",
                    "event_id": "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10",
                    "type": "org.sangkroh.activation-opened.v1",
                    "status": "waiting",
                    "attempts": 2,
                    "made_at": "2020-10-12T02:00:05Z",
                    "attempted_at": "2020-10-12T02:00:10Z",
                    "next_attempt_at": "2020-10-12T02:05:21Z",
                    "finished_at": None,
                    "answer_status": 503,
                    "detail": "It answered with the status 503.",
                }
            ]
        }
    )

    id: UUID = Field(description="What the receiver gets as `webhook-id`, at every attempt.")
    subscription_id: UUID
    event_id: UUID
    type: str
    status: DeliveryStatus
    attempts: int = Field(description="Since it was made, or replayed.")
    made_at: datetime
    attempted_at: datetime | None
    next_attempt_at: datetime | None
    finished_at: datetime | None
    answer_status: int | None = Field(description="Of the receiver's last answer.")
    detail: str | None = Field(description="What went wrong the last time.")
