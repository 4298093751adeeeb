"""Bodies of the difference routes."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.payments.reconciliation.kinds import Closure, DifferenceKind, Outcome
from shared.approvals import Reason
from shared.values import Text

DIFFERENCE: dict[str, Any] = {
    "number": 12,
    "statement_id": "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10",
    "provider": "mekong",
    "day": "2020-10-17",
    "kind": "unknown_payment",
    "line": 812,
    "instruction_id": None,
    "reference": "MK-8812-0812",
    "currency": "KHR",
    "statement_minor": 5000,
    "ledger_minor": None,
    "suspense_minor": 5000,
    "what_to_do": "Ask the provider what it was. POST /v1/differences/{number}/resolution as "
    "charged, or as released once it is back; another person approves it.",
    "found_at": "2020-10-18T02:00:00Z",
    "age_seconds": 7200,
    "assigned_to": "treasurer@nspc.example",
    "assigned_by": "treasurer@nspc.example",
    "assigned_at": "2020-10-18T02:30:00Z",
    "closed_at": None,
    "closure": None,
    "closed_reason": None,
    "approval_id": None,
}


class DifferenceOut(BaseModel):
    """One thing in which a statement and our books differ."""

    model_config = ConfigDict(json_schema_extra={"examples": [DIFFERENCE]})

    number: int
    statement_id: UUID
    provider: str
    day: date
    kind: DifferenceKind
    line: int | None = Field(description="Of the statement; none: only our books have it.")
    instruction_id: UUID | None = Field(description="The payment of ours that it is about.")
    reference: str | None = Field(description="The provider's, or the prefunding's.")
    currency: str
    statement_minor: int | None = Field(description="What the statement says.")
    ledger_minor: int | None = Field(description="What our books say.")
    suspense_minor: int = Field(description="How much of it is in SUSPENSE until it is resolved.")
    what_to_do: str
    found_at: datetime
    age_seconds: int = Field(description="Since it was found: until now, or until its end.")
    assigned_to: str | None
    assigned_by: str | None
    assigned_at: datetime | None
    closed_at: datetime | None
    closure: Closure | None
    closed_reason: str | None
    approval_id: UUID | None = Field(description="Of what two persons decided.")


class AssignmentIn(BaseModel):
    """Who looks into a difference."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"assigned_to": "treasurer@nspc.example"}]},
    )

    assigned_to: Annotated[str, Text(longest=200)] = Field(
        description="The person's name as their token has it."
    )


class DifferenceResolutionIn(BaseModel):
    """What a difference was, and what is booked for it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"outcome": "charged", "reason": "The provider's fee for October, by its letter."}
            ]
        },
    )

    outcome: Outcome = Field(
        description="released: the money is at the provider after all, and goes back to the float. "
        "charged: the provider kept it, or it is lost; booked as its charges, and as taken what of "
        "these our books owe it already. received: the provider gave it; booked to the float. "
        "accepted: nothing is booked by it."
    )
    reason: Reason
