"""Bodies about steps that need two persons."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from shared.approvals.tables import Decision
from shared.values import Text

MAXIMUM_DECISIONS = 500


APPROVAL_EXAMPLE: JsonDict = {
    "id": "0199c1de-8000-7a54-8f62-0d6f0a6f5b20",
    "kind": "resolution",
    "status": "waiting",
    "what": "Record 12 unknown payments as settled.",
    "document": {"outcome": "settled", "provider": "mekong", "status": "unknown"},
    "households": 12,
    "amount_minor": 1_152_000,
    "currency": "KHR",
    "proposed_by": "officer@nspc.example",
    "proposed_at": "2020-10-18T02:00:00Z",
    "reason": "On the provider's statement of 17 October.",
    "evidence_by": [],
    "expires_at": "2020-10-25T02:00:00Z",
    "decided_by": None,
    "decided_at": None,
    "decision_reason": None,
    "outcome": None,
}


class ApprovalStatus(StrEnum):
    """How a proposal stands; it expires by the clock alone."""

    WAITING = "waiting"
    APPROVED = "approved"
    DECLINED = "declined"
    EXPIRED = "expired"


Reason = Annotated[
    str,
    Text(longest=500, shortest=3, lines=True),
    Field(description="Why, for whoever asks later."),
]


class DecisionIn(BaseModel):
    """Why a proposal is approved or declined."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"reason": "Compared with the statement of 17 October."}]},
    )

    reason: Reason


class DecisionsIn(BaseModel):
    """One decision about several proposals."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "approval_ids": ["0199c1de-8000-7a54-8f62-0d6f0a6f5b20"],
                    "decision": "approved",
                    "reason": "Compared with the statement of 17 October.",
                }
            ]
        },
    )

    approval_ids: Annotated[list[UUID], Field(min_length=1, max_length=MAXIMUM_DECISIONS)]
    decision: Decision
    reason: Reason


class DecidedOut(BaseModel):
    """What became of one of several decisions."""

    approval_id: UUID
    decided: bool
    detail: str | None = Field(description="Why it was not, and what to do.")


class DecisionsOut(BaseModel):
    """What became of each decision, in the order in which they were given."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "results": [
                        {
                            "approval_id": "0199c1de-8000-7a54-8f62-0d6f0a6f5b20",
                            "decided": True,
                            "detail": None,
                        }
                    ]
                }
            ]
        }
    )

    results: list[DecidedOut]


class ApprovalOut(BaseModel):
    """A step that needs two persons: what it would do, and how it stands."""

    model_config = ConfigDict(json_schema_extra={"examples": [APPROVAL_EXAMPLE]})

    id: UUID
    kind: str
    status: ApprovalStatus
    what: str = Field(description="What it would do, in words.")
    document: dict[str, Any] = Field(description="What was proposed.")
    households: int | None = Field(description="How many it concerns, where that is known.")
    amount_minor: int | None = Field(description="How much it moves, where that is known.")
    currency: str | None
    proposed_by: str
    proposed_at: datetime
    reason: str | None
    evidence_by: list[str] = Field(
        description="Who posted what it follows from, and so does not approve it either."
    )
    expires_at: datetime = Field(description="Undecided until then, it has to be proposed again.")
    decided_by: str | None
    decided_at: datetime | None
    decision_reason: str | None
    outcome: str | None = Field(description="Where what came of it is read, once approved.")
