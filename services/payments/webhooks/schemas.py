"""Bodies of the webhook routes."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

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
