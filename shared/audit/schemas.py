"""Bodies about the audit record."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class Action(StrEnum):
    """What is recorded: a change, that personal values were shown, or that rows were taken out."""

    CHANGE = "change"
    UNMASKED_READ = "unmasked-read"
    EXPORT = "export"


class AuditRecordOut(BaseModel):
    """Who did what, when, from where and why."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10",
                    "sequence": 1234,
                    "recorded_at": "2020-10-12T02:00:05.123456Z",
                    "subject": "officer@nspc.example",
                    "client": "portal",
                    "request_id": "0199c1de-53a0-7b11-9d3c-5c1f6a1d9a77",
                    "operation": "POST /v1/funds/{fund_code}/deposits",
                    "action": "change",
                    "objects": ["funds/shock-response"],
                    "before": {"available_minor": 0},
                    "after": {"available_minor": 40_000_000_000},
                    "reason": "MEF sub-decree 1182/2020",
                }
            ]
        }
    )

    id: UUID
    sequence: int | None = Field(description="Its place in the chain; null: it is not chained yet.")
    recorded_at: datetime = Field(description="By the database's clock.")
    subject: str = Field(description="Who: the subject of the token.")
    client: str | None = Field(description="The client that the token was given to.")
    request_id: UUID = Field(description="The answer's X-Request-ID.")
    operation: str = Field(description="The method, and the path as the OpenAPI document has it.")
    action: Action
    objects: list[str] = Field(description="What it is about, by path.")
    before: Any = Field(
        description="What it was, where that is told; what is personal of it is sealed."
    )
    after: Any = Field(description="What it became, likewise.")
    reason: str | None = Field(description="Why it was changed, or what it was read for.")


class AuditHeadOut(BaseModel):
    """The end of a service's chain: write `head` down where no one can change it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "head": "payments=1234:7d1a54127b222502f5b79b5fb0803061152a44f92b37e23c6527baf6"
                    "65d4da9a",
                    "sequence": 1234,
                    "waiting": 0,
                }
            ]
        }
    )

    head: str = Field(description="As `python -m services audit --head` takes it.")
    sequence: int = Field(description="How many records are chained.")
    waiting: int = Field(description="Records that are not chained yet.")
