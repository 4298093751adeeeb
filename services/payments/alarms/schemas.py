"""Bodies of the alarm routes."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.payments.alarms.tables import AlarmKind
from shared.approvals import Reason


class AlarmOut(BaseModel):
    """What a person has to look at."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "number": 3,
                    "instruction_id": "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10",
                    "kind": "late_success",
                    "detail": "The provider reports it paid after it had rejected it. Decide with "
                    "POST /v1/instructions/{id}/resolution.",
                    "occurrences": 1,
                    "raised_at": "2020-10-17T03:14:16Z",
                    "age_seconds": 3600,
                    "provider": None,
                    "subscription_id": None,
                    "cleared_at": None,
                    "cleared_by": None,
                    "cleared_reason": None,
                }
            ]
        },
    )

    number: int
    instruction_id: UUID | None = Field(
        description="None: it is about a provider, or a subscription."
    )
    kind: AlarmKind
    detail: str = Field(description="What happened and what to do.")
    occurrences: int = Field(description="How often it was told.")
    raised_at: datetime
    age_seconds: int = Field(description="Since it was raised: until now, or until it was cleared.")
    provider: str | None = Field(description="Of an alarm about a provider as such.")
    subscription_id: UUID | None = Field(description="Of an alarm about a subscription.")
    cleared_at: datetime | None = Field(description="Since when its cause is gone.")
    cleared_by: str | None = Field(description="None: its cause was gone by itself.")
    cleared_reason: str | None


class ClearanceIn(BaseModel):
    """Why nothing is left to be done about an alarm."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"reason": "The provider took the second payment back, says its letter."}]
        },
    )

    reason: Reason
