"""Bodies of the alarm routes."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.payments.alarms.tables import AlarmKind


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
                }
            ]
        },
    )

    number: int
    instruction_id: UUID
    kind: AlarmKind
    detail: str = Field(description="What happened and what to do.")
    occurrences: int = Field(description="How often it was told.")
    raised_at: datetime
