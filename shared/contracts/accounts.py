"""Accounts of whomever a trigger that is ready would pay, as the registry tells them."""

from uuid import UUID

from pydantic import Base64Bytes, BaseModel, ConfigDict, Field

MOST_ACCOUNTS = 5_000


class PreparedAccount(BaseModel):
    """One account, sealed as ``shared.contracts.entitlements`` tells, with its fingerprints."""

    model_config = ConfigDict(ser_json_bytes="base64")

    household_id: UUID
    provider: str = Field(max_length=32)
    account_sealed: Base64Bytes
    account_fingerprint: Base64Bytes
    household_fingerprint: Base64Bytes


class PreparedPage(BaseModel):
    """Accounts in the order of their households."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "items": [
                        {
                            "household_id": "0199c1dd-6100-7a54-8f62-0d6f0a6f5b13",
                            "provider": "mekong",
                            "account_sealed": "AQAB8aM0dGhlIHNlYWxlZCBhY2NvdW50",
                            "account_fingerprint": "XwyaGy0+T2A=",
                            "household_fingerprint": "Vb8ZoACGAHw=",
                        }
                    ],
                    "next_after": None,
                }
            ]
        }
    )

    items: list[PreparedAccount] = Field(max_length=MOST_ACCOUNTS)
    next_after: UUID | None = Field(description="Give it as `after` for the next; null: no more.")
