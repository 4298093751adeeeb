"""How rounds look over HTTP."""

from datetime import date, datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class RoundStatus(StrEnum):
    """Where a round stands."""

    SCHEDULED = "scheduled"
    """Due later."""
    DUE = "due"
    """Waits for an officer to release it."""
    RELEASED = "released"
    """Entitlements are being worked out, or were."""
    HELD = "held"
    """Worked out, and some of it is above the activation's ceiling: a second person decides."""
    FINISHED = "finished"
    """Every entitlement of the round has its end."""


class RoundOut(BaseModel):
    """One round of an activation."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "number": 2,
                    "due_on": "2020-11-13",
                    "status": "released",
                    "released_at": "2020-11-13T02:00:00Z",
                    "released_by": "officer@nspc.example",
                    "chunks_planned": 16,
                    "chunks_done": 16,
                    "runs_held": 0,
                    "payable_count": 30001,
                    "payable_minor": 4560032000,
                    "unpayable_count": 411,
                    "excluded_count": 0,
                    "paid_count": 0,
                    "paid_minor": 0,
                    "failed_count": 0,
                    "failed_minor": 0,
                    "refused_count": 0,
                }
            ]
        }
    )

    number: int
    due_on: date
    status: RoundStatus
    released_at: datetime | None
    released_by: str | None
    chunks_planned: int = Field(description="Chunks of the round; 0 before its release.")
    chunks_done: int = Field(description="Of them, worked out and announced.")
    runs_held: int = Field(
        description="Its runs that wait for a second person: GET /v1/held-runs lists them."
    )
    payable_count: int = Field(description="Entitlements that payments has, or had, in hand.")
    payable_minor: int
    unpayable_count: int = Field(
        description="Entitled, but without an account that can be paid to."
    )
    excluded_count: int = Field(description="Left out of this round: another scheme pays.")
    paid_count: int
    paid_minor: int
    failed_count: int
    failed_minor: int
    refused_count: int = Field(
        description="In chunks that payments refused, and not announced again."
    )
