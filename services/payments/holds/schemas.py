"""Bodies of holds and of the rules that make them."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from services.payments.holds.states import HoldRule
from shared.approvals import Reason
from shared.documents import Code
from shared.money import MAXIMUM_AMOUNT_MINOR, CurrencyCode
from shared.values import Whole

MAXIMUM_DAYS = 3_660

Days = Annotated[int, Whole(least=1, most=MAXIMUM_DAYS)]


class AccountRule(BaseModel):
    """How many households one account may be paid for."""

    model_config = ConfigDict(extra="forbid")

    households: Annotated[
        int,
        Whole(least=1, most=1_000),
        Field(description="So many may share an account; 1: each has its own."),
    ]
    window_days: Days


class CapRule(BaseModel):
    """What one household may come to in the scheme, over all activations."""

    model_config = ConfigDict(extra="forbid")

    amount_minor: Annotated[int, Whole(least=1, most=MAXIMUM_AMOUNT_MINOR)]
    currency: CurrencyCode
    window_days: Days


class DuplicateRule(BaseModel):
    """How long after one activation of the scheme another may not pay the same household."""

    model_config = ConfigDict(extra="forbid")

    window_days: Days


class RulesIn(BaseModel):
    """What a scheme's payments are looked at for; null: not for that."""

    model_config = ConfigDict(extra="forbid")

    same_account: AccountRule | None = None
    above_cap: CapRule | None = None
    suspected_duplicate: DuplicateRule | None = None


_EXAMPLE: JsonDict = {
    "same_account": {"households": 1, "window_days": 365},
    "above_cap": {"amount_minor": 800_000, "currency": "KHR", "window_days": 180},
    "suspected_duplicate": {"window_days": 30},
}


class HoldRulesIn(RulesIn):
    """The rules of one scheme, whole, for another person to approve."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"scheme": "flood-2022", **_EXAMPLE, "reason": "Decided after the review of 2021."}
            ]
        },
    )

    scheme: Code
    reason: Reason


class HoldRulesOut(RulesIn):
    """The rules of one scheme."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"scheme": "flood-2022", **_EXAMPLE, "set_at": "2022-09-01T02:00:00Z"},
            ]
        }
    )

    scheme: str
    set_at: datetime = Field(description="They hold for rounds that are released from then on.")


class HoldOut(BaseModel):
    """A payment that a rule keeps from being sent."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "number": 12,
                    "instruction_id": "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10",
                    "rule": "same_account",
                    "reason": "Its account is to be paid for 3 households within 365 days; 1 may "
                    "be.",
                    "status": "ready",
                    "provider": "mekong",
                    "scheme": "flood-2022",
                    "activation_id": "0199c1de-5a00-7a54-8f62-0d6f0a6f5b0f",
                    "amount_minor": 96_000,
                    "currency": "KHR",
                    "held_at": "2022-10-12T02:00:05Z",
                    "age_seconds": 3600,
                    "approval_id": None,
                    "ended_at": None,
                    "resolution_id": None,
                }
            ]
        }
    )

    number: int
    instruction_id: UUID = Field(description="A payment may be held by several rules.")
    rule: HoldRule
    reason: str = Field(description="What the rule found, and what it lets go.")
    status: str = Field(description="Of the payment, as it is now.")
    provider: str
    scheme: str
    activation_id: UUID
    amount_minor: int
    currency: str
    held_at: datetime
    age_seconds: int
    approval_id: UUID | None = Field(
        description="The proposal about it that waits for a second person, or was approved and "
        "is being carried out. Null: there is none."
    )
    ended_at: datetime | None = Field(description="Null: nobody has decided.")
    resolution_id: UUID | None = Field(
        description="The decision that ended it: `GET /v1/resolutions/{resolution_id}`."
    )


class CountedOut(BaseModel):
    """A payment that a rule counted when it held another, or this one."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "instruction_id": "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10",
                    "household_id": "0199c1de-0000-7f6b-8a27-2f1f6a1d9a10",
                    "provider": "mekong",
                    "scheme": "flood-2022",
                    "activation_id": "0199c1de-5a00-7a54-8f62-0d6f0a6f5b0f",
                    "released_at": "2022-10-12T02:00:05Z",
                    "status": "ready",
                    "amount_minor": 96_000,
                    "currency": "KHR",
                }
            ]
        }
    )

    instruction_id: UUID
    household_id: UUID
    provider: str
    scheme: str
    activation_id: UUID
    released_at: datetime = Field(description="When its round was.")
    status: str = Field(description="As it is now.")
    amount_minor: int
    currency: str
