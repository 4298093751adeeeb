"""How runs that are held look over HTTP."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.registry.chunks.tables import RunKind
from shared.approvals import ApprovalStatus, Reason


class HeldRunOut(BaseModel):
    """A run that is worked out, and that nothing is paid of before a second person says so."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "run_id": "0199c1de-8000-8a54-8f62-0d6f0a6f5b20",
                    "activation_id": "0199c1de-8000-7a54-8f62-0d6f0a6f5b21",
                    "scheme": "flood-2022",
                    "round": 1,
                    "kind": "opening",
                    "held_at": "2020-10-12T03:00:00Z",
                    "what": "Let the opening of round 1 of activation "
                    "0199c1de-8000-7a54-8f62-0d6f0a6f5b21 (flood-2022) through: over all rounds it "
                    "comes to 24,156 households and 3,758,580,100 KHR, approved up to 20,000 and "
                    "1,000,000,000.",
                    "households": 24156,
                    "amount_minor": 3758580100,
                    "currency": "KHR",
                    "approval_id": "0199c1de-8000-7a54-8f62-0d6f0a6f5b22",
                    "status": "waiting",
                    "what_to_do": "A second person decides: POST /v1/approvals/"
                    "0199c1de-8000-7a54-8f62-0d6f0a6f5b22/approval.",
                }
            ]
        }
    )

    run_id: UUID
    activation_id: UUID
    scheme: str
    round: int
    kind: RunKind
    held_at: datetime
    what: str
    households: int = Field(description="To whom the activation comes with it.")
    amount_minor: int = Field(description="And to how much, over all rounds.")
    currency: str
    approval_id: UUID = Field(description="The proposal to let it through that was made last.")
    status: ApprovalStatus = Field(description="How that stands.")
    what_to_do: str


class LetThroughIn(BaseModel):
    """Why a run is to be let through all the same."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"reason": "The minister widened the programme."}]},
    )

    reason: Reason
