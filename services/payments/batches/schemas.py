"""Bodies about batches."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from services.payments.batches.states import BatchStatus

BATCH_EXAMPLE: JsonDict = {
    "id": "0199c1de-7100-7a54-8f62-0d6f0a6f5b21",
    "provider": "mekong",
    "activation_id": "0199c1de-5a00-7a54-8f62-0d6f0a6f5b0f",
    "chunk_id": "0199c1de-6000-7a54-8f62-0d6f0a6f5b11",
    "currency": "KHR",
    "line_count": 10_000,
    "total_minor": 1_504_000_000,
    "status": "under_way",
    "reason": None,
    "completions_read": 6_000,
    "rejections_read": 41,
    "provider_batch_id": "B-20201012-000017",
    "made_at": "2020-10-12T02:00:03Z",
    "finished_at": None,
}


class BatchOut(BaseModel):
    """Payments that left, or are about to leave, in one request."""

    model_config = ConfigDict(json_schema_extra={"examples": [BATCH_EXAMPLE]})

    id: UUID = Field(description="The correlation id at the provider, the same on every resend.")
    provider: str
    activation_id: UUID
    chunk_id: UUID = Field(description="Its lines are payments of this chunk.")
    currency: str
    line_count: int = Field(description="Payments it was made of.")
    total_minor: int = Field(description="What they come to, in minor units.")
    status: BatchStatus
    reason: str | None = Field(description="Why it is where it is, as a code.")
    completions_read: int = Field(description="Results read so far that say paid.")
    rejections_read: int = Field(description="Results read so far that say not paid.")
    provider_batch_id: str | None = Field(description="The provider's name for it.")
    made_at: datetime
    finished_at: datetime | None


class BatchMoveOut(BaseModel):
    """One step of its life."""

    from_status: BatchStatus
    to_status: BatchStatus
    moved_at: datetime
    actor: str
    reason: str | None


class BatchHistoryOut(BatchOut):
    """A batch with every move."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    **BATCH_EXAMPLE,
                    "moves": [
                        {
                            "from_status": "sending",
                            "to_status": "created",
                            "moved_at": "2020-10-12T02:00:04Z",
                            "actor": "batches",
                            "reason": None,
                        }
                    ],
                }
            ]
        }
    )

    moves: list[BatchMoveOut]
