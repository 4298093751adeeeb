"""Whom an activation missed, over HTTP."""

from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.registry.enrolments.states import EntitlementStatus
from shared.wording.said import Said

_ACTIVATION = "0199c1de-53a1-8f6b-8a27-2f1f6a1d9a10"


class Missed(StrEnum):
    """Why a household of an activation got nothing, and what there is to do."""

    NO_ACCOUNT = "no-account"
    """It is owed, and has no account: register one, then repair."""
    BAD_ACCOUNT = "bad-account"
    """Its account failed, or payments cannot send there: change it, then repair."""
    SET_ASIDE = "set-aside"
    """It is owed, and payments or the fund's bound set it aside, or its chunk was refused."""
    SUSPECTED = "suspected"
    """It is suspected to be another household, and waits until somebody decides."""
    LATE = "late"
    """It is eligible by now, and was registered or changed after its commune was enrolled."""


class MissedCount(BaseModel):
    """How many were missed for one reason."""

    why: Missed
    words: Said
    households: int
    amount_minor: int = Field(description="What they are owed, or would get in round 1.")


class MissedOut(BaseModel):
    """Whom an activation missed, by reason."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "activation_id": _ACTIVATION,
                    "currency": "KHR",
                    "missed": [
                        {
                            "why": "no-account",
                            "words": {"en": "Without an account", "km": "គ្មានគណនី"},
                            "households": 312,
                            "amount_minor": 49920000,
                        }
                    ],
                }
            ]
        }
    )

    activation_id: UUID
    currency: str | None
    missed: list[MissedCount]


class MissedHousehold(BaseModel):
    """A household that was missed, in one round."""

    household_id: UUID
    area_code: str = Field(examples=["020101"])
    round: int = Field(examples=[1])
    amount_minor: int = Field(examples=[160000])
    status: EntitlementStatus | None = Field(description="Null: it is not enrolled.")
    reason: str | None = Field(examples=["no-payee-account"])
