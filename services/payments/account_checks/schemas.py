"""Bodies of what is known of accounts."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.payments.account_checks.states import AccountOutcome


class AccountCheckOut(BaseModel):
    """What was learnt of one account, for one household: no account, and no name."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "household_id": "0199c1de-5a00-7a54-8f62-0d6f0a6f5b0f",
                    "provider": "mekong",
                    "account_fingerprint": "5f0c9a1b2d3e4f60",
                    "outcome": "doubted",
                    "reason": None,
                    "verdict": "unlike",
                    "likeness": 52,
                    "method": "words",
                    "accepted": False,
                    "wanted_at": "2022-10-12T02:00:05Z",
                    "asked_at": "2022-10-12T02:00:06Z",
                    "tries": 0,
                }
            ]
        }
    )

    household_id: UUID
    provider: str
    account_fingerprint: str = Field(
        description="The same for the same account, as long as the registry finds accounts by the "
        "same key."
    )
    outcome: AccountOutcome | None = Field(description="Null: it is not known yet.")
    reason: str | None = Field(description="Why it is closed, or why nothing could be learnt.")
    verdict: str | None = Field(description="The registry's, of the names; null: nobody asked.")
    likeness: int | None = Field(description="Of a hundred.")
    method: str | None
    accepted: bool = Field(description="Two persons let these two names pass.")
    wanted_at: datetime = Field(description="When a payment to it was raised that waits for this.")
    asked_at: datetime | None = Field(description="When anything was learnt, or not, last.")
    tries: int = Field(description="How often it was asked about in vain since.")
