"""Bodies of the provider routes."""

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from services.payments.providers.health.schemas import HealthOut
from shared.money import MAXIMUM_AMOUNT_MINOR
from shared.values import Text, Whole

ProviderCode = Annotated[
    str,
    Field(
        pattern="^[a-z0-9-]{1,32}$",
        max_length=32,
        description="The provider's code.",
        examples=["mekong"],
    ),
]


class ProviderOut(BaseModel):
    """A provider and the money with it, in minor units of its currency."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "code": "mekong",
                    "name": "Mekong Pay",
                    "currency": "KHR",
                    "configured": True,
                    "float_minor": 12_000_000_000,
                    "in_transit_minor": 4_800_000,
                    "suspense_minor": 0,
                    "returns_payable_minor": 0,
                    "charges_minor": 1_250_000,
                    "charges_payable_minor": 250_000,
                    "waiting_minor": 9_600_000,
                    "waiting_count": 100,
                    "waiting_for_fund_minor": 9_600_000,
                    "waiting_for_fund_count": 100,
                    "waiting_for_release_minor": 0,
                    "waiting_for_release_count": 0,
                    "health": {
                        "state": "failing",
                        "last_reply_at": "2020-10-12T05:00:03Z",
                        "last_failure_at": "2020-10-12T05:00:09Z",
                        "last_failure": "http_503",
                        "failing_since": "2020-10-12T05:00:04Z",
                        "resting_until": "2020-10-12T05:01:09Z",
                        "resting_because": "http_503",
                        "replies": 4_210,
                        "failures": 12,
                        "error_rate": 0.0028,
                        "unknown_count": 12,
                        "unknown_minor": 1_152_000,
                        "unknown_oldest_seconds": 5,
                        "float_lasts_seconds": 890,
                    },
                    "waiting_for_resumption_minor": 0,
                    "waiting_for_resumption_count": 0,
                    "waiting_for_decision_minor": 0,
                    "waiting_for_decision_count": 0,
                }
            ]
        }
    )

    code: str
    name: str
    currency: str
    configured: bool = Field(description="Whether this process is set up to send to it.")
    float_minor: int = Field(description="Our money with it, free to be sent.")
    in_transit_minor: int = Field(description="Sent, and not yet known to be paid or rejected.")
    suspense_minor: int = Field(description="Paid in contradiction, until an officer decides.")
    returns_payable_minor: int = Field(description="Came back after it was paid.")
    charges_minor: int = Field(description="What it charges for the payments that it made, ever.")
    charges_payable_minor: int = Field(
        description="Of that, not taken by it nor paid to it yet; less than nothing: it took more."
    )
    waiting_minor: int = Field(description="Ready to be sent to it, and not sent yet.")
    waiting_count: int = Field(description="How many instructions that is.")
    waiting_for_fund_minor: int = Field(
        description="Of what waits: in rounds that their fund does not cover yet."
    )
    waiting_for_fund_count: int = Field(description="How many instructions that is.")
    waiting_for_release_minor: int = Field(
        description="Of what waits: in rounds that two persons have to release."
    )
    waiting_for_release_count: int = Field(description="How many instructions that is.")
    health: HealthOut
    waiting_for_resumption_minor: int = Field(
        description="Of what waits: paused, in rounds that are released."
    )
    waiting_for_resumption_count: int = Field(description="How many instructions that is.")
    waiting_for_decision_minor: int = Field(
        description="Of what waits: held by a rule of its scheme."
    )
    waiting_for_decision_count: int = Field(description="How many instructions that is.")


class PaidFrom(StrEnum):
    FLOAT = "float"
    """The provider took it from our money with it."""
    TREASURY = "treasury"
    """It was paid on the provider's invoice."""


class ChargesIn(BaseModel):
    """What the provider took, or was paid, of what it charges, for another person to approve."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "amount_minor": 1_000_000,
                    "paid_from": "float",
                    "reference": "FEE-2020-10",
                }
            ]
        },
    )

    amount_minor: Annotated[
        int,
        Whole(least=1, most=MAXIMUM_AMOUNT_MINOR),
        Field(description="As the statement or the invoice tells, in minor units."),
    ]
    paid_from: PaidFrom
    reference: Annotated[
        str,
        Text(longest=200),
        Field(
            description="What it is called on paper. Taken from the float: as the provider's "
            "statement has it; by this and the amount, it is found there and booked once."
        ),
    ]


class PrefundingIn(BaseModel):
    """Treasury money that was paid to the provider in advance, for another person to approve."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"amount_minor": 12_000_000_000, "reference": "NBC transfer 20201012-0031"}
            ]
        },
    )

    amount_minor: Annotated[
        int,
        Whole(least=1, most=MAXIMUM_AMOUNT_MINOR),
        Field(
            description="Amount in minor units: whole riel for KHR, cents for USD.",
        ),
    ]
    reference: Annotated[
        str,
        Text(longest=200),
        Field(
            description="As the provider's statement has it: by this and the amount, it is found "
            "there."
        ),
    ]
