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


class PreparedAccountsOut(BaseModel):
    """What is known of the accounts of whomever a trigger that is ready would have paid."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "readiness_id": "0199c1de-53a1-8f6b-8a27-2f1f6a1d9a10",
                    "trigger": "mekong-stage",
                    "scheme": "flood-2022",
                    "fetched_at": "2022-10-08T17:01:00Z",
                    "accounts": 4151,
                    "passed": 4090,
                    "doubted": 38,
                    "closed": 20,
                    "waiting": 3,
                }
            ]
        }
    )

    readiness_id: UUID = Field(description="`GET /v1/preparations` of the registry lists it.")
    trigger: str
    scheme: str
    fetched_at: datetime | None = Field(description="When all were fetched last; null: not yet.")
    accounts: int = Field(description="At providers that can be asked about accounts.")
    passed: int
    doubted: int = Field(description="Held under another name: these would be held for persons.")
    closed: int = Field(description="These would be rejected.")
    waiting: int = Field(description="Of which nothing is known yet.")
