"""Bodies of the webhook routes."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.payments.providers.answers import AnswerKind
from services.payments.webhooks.states import WebhookStatus

CALLBACK_EXAMPLE: dict[str, Any] = {
    "transactionReference": "mekong-0000000042",
    "transactionStatus": "completed",
    "type": "disbursement",
    "amount": "96000",
    "currency": "KHR",
    "creditParty": [{"key": "msisdn", "value": "+85500000000"}],
    "debitParty": [{"key": "organisationid", "value": "nspc"}],
    "requestingOrganisationTransactionReference": "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10",
}


class Verdict(StrEnum):
    """What becomes of a callback like this one."""

    WOULD_BE_APPLIED = "would_be_applied"
    WOULD_BE_ASKED_ABOUT = "would_be_asked_about"
    """It is about a batch: nothing of one is settled by a callback alone."""
    WOULD_BE_UNMATCHED = "would_be_unmatched"
    """It names no payment of ours at this provider: it is kept, and matched later if it can be."""
    WOULD_BE_MALFORMED = "would_be_malformed"
    """It cannot be read as a callback: it is kept, and nothing follows."""
    WOULD_BE_REFUSED = "would_be_refused"
    """Its signature does not hold: it is answered 401, and not kept."""


class TestedOut(BaseModel):
    """What would be made of a callback. Nothing was stored, and nothing follows from it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "signature": "good",
                    "verdict": "would_be_applied",
                    "about": "payment",
                    "reads_as": "settled",
                    "reason": None,
                    "instruction_id": "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10",
                    "amount_minor": 96000,
                    "currency": "KHR",
                    "transaction_reference": "mekong-0000000042",
                    "what_to_do": "Nothing: this is how a callback is to look.",
                }
            ]
        }
    )

    signature: str = Field(description="`good`, or why it does not hold.")
    verdict: Verdict
    about: Literal["payment", "batch", "nothing"]
    reads_as: AnswerKind | None = Field(
        description="What it says of the payment; null: it speaks of none."
    )
    reason: str | None = Field(description="The code that goes with it.")
    instruction_id: UUID | None = Field(
        description="Our reference: `requestingOrganisationTransactionReference`."
    )
    amount_minor: int | None = Field(description="In minor units: whole riel, or cents.")
    currency: str | None
    transaction_reference: str | None
    what_to_do: str


class WebhookOut(BaseModel):
    """A callback as it was received. Its body is sealed and not shown."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0199c1df-0a57-7c11-9a53-5f3a3d1f7b02",
                    "provider": "mekong",
                    "webhook_id": "msg_2rZk5Xn3",
                    "status": "applied",
                    "instruction_id": "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10",
                    "reason": None,
                    "received_at": "2020-10-17T03:14:15Z",
                    "worked_at": "2020-10-17T03:14:16Z",
                }
            ]
        }
    )

    id: UUID
    provider: str
    webhook_id: str = Field(description="The provider's id of the message, the same on a repeat.")
    status: WebhookStatus
    instruction_id: UUID | None = Field(description="What it speaks of, where that can be read.")
    reason: str | None
    received_at: datetime
    worked_at: datetime | None
    differed_at: datetime | None = Field(
        default=None,
        description="When its id came again with another body, which was not taken; null: never.",
    )
