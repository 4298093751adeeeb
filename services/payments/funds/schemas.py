"""Bodies of the fund routes."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.approvals import Reason
from shared.money import MAXIMUM_AMOUNT_MINOR, CurrencyCode
from shared.values import Text, Whole

FundCode = Annotated[
    str,
    Field(
        pattern="^[a-z0-9][a-z0-9-]{0,63}$",
        max_length=64,
        description="The fund's code, the same as in the schemes that it pays for.",
        examples=["shock-response"],
    ),
]
PositiveAmountMinor = Annotated[
    int,
    Whole(least=1, most=MAXIMUM_AMOUNT_MINOR),
    Field(
        description="Amount in minor units: whole riel for KHR, cents for USD.",
        examples=[40_000_000_000],
    ),
]


class BoundsIn(BaseModel):
    """What a fund pays without further ado, in minor units of its currency."""

    maximum_payment_minor: Annotated[
        int,
        Whole(least=1, most=MAXIMUM_AMOUNT_MINOR),
        Field(
            description="For one household, one time. What is above it is set aside, unpaid.",
        ),
    ]
    maximum_round_minor: Annotated[
        int,
        Whole(least=1, most=MAXIMUM_AMOUNT_MINOR),
        Field(
            description="For one round of one activation. What is above it waits until two persons "
            "release it.",
        ),
    ]

    @model_validator(mode="after")
    def _leave_room(self) -> Self:
        if self.maximum_round_minor < self.maximum_payment_minor:
            raise ValueError("A round pays at least one household: maximum_round_minor is too low.")
        return self


class FundIn(BoundsIn):
    """A fund to be opened, for another person to approve."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "code": "shock-response",
                    "name": "Shock response fund 2020",
                    "currency": "KHR",
                    "maximum_payment_minor": 1_200_000,
                    "maximum_round_minor": 12_000_000_000,
                }
            ]
        },
    )

    code: FundCode
    name: Annotated[str, Text(longest=200)]
    currency: CurrencyCode


class FundBoundsIn(BoundsIn):
    """Other bounds for a fund, for another person to approve."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "maximum_payment_minor": 1_500_000,
                    "maximum_round_minor": 12_000_000_000,
                    "reason": "Sub-decree 73 of 2021 raises the benefit.",
                }
            ]
        },
    )

    reason: Reason


class FundOut(BaseModel):
    """A fund and its balances, in minor units of its currency."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "code": "shock-response",
                    "name": "Shock response fund 2020",
                    "currency": "KHR",
                    "created_at": "2020-10-01T00:00:00Z",
                    "maximum_payment_minor": 1_200_000,
                    "maximum_round_minor": 12_000_000_000,
                    "authorised_minor": 40_000_000_000,
                    "available_minor": 30_400_000_000,
                    "reserved_minor": 0,
                    "committed_minor": 1_200_000_000,
                    "spent_minor": 8_400_000_000,
                }
            ]
        }
    )

    code: str
    name: str
    currency: str
    created_at: datetime
    maximum_payment_minor: int | None = Field(
        description="For one household, one time; null: nobody has set it."
    )
    maximum_round_minor: int | None = Field(
        description="For one round of one activation; null: nobody has set it, and each round "
        "waits until two persons release it."
    )
    authorised_minor: int = Field(
        description="Paid in, ever, without what was taken back by a reversal."
    )
    available_minor: int = Field(description="Not promised to anyone.")
    reserved_minor: int = Field(
        description="Kept for triggers that are ready: `GET /v1/reservations`."
    )
    committed_minor: int = Field(description="Reserved for rounds that are being paid.")
    spent_minor: int = Field(description="Paid to households.")


class DepositIn(BaseModel):
    """Money that arrived at the treasury for the fund, for another person to approve."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"amount_minor": 40_000_000_000, "reference": "MEF sub-decree 1182/2020"}]
        },
    )

    amount_minor: PositiveAmountMinor
    reference: Annotated[str, Text(longest=200), Field(description="What it is called on paper.")]
