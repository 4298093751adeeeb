"""Bodies of the fund routes."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

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


class FundIn(BaseModel):
    """A fund to be opened."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"code": "shock-response", "name": "Shock response fund 2020", "currency": "KHR"}
            ]
        },
    )

    code: FundCode
    name: Annotated[str, Text(longest=200)]
    currency: CurrencyCode


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
                    "authorised_minor": 40_000_000_000,
                    "available_minor": 30_400_000_000,
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
    authorised_minor: int = Field(description="Paid in, ever.")
    available_minor: int = Field(description="Not promised to anyone.")
    committed_minor: int = Field(description="Reserved for rounds that are being paid.")
    spent_minor: int = Field(description="Paid to households.")


class DepositIn(BaseModel):
    """Money that arrived at the treasury for the fund."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"amount_minor": 40_000_000_000, "reference": "MEF sub-decree 1182/2020"}]
        },
    )

    amount_minor: PositiveAmountMinor
    reference: Annotated[str, Text(longest=200), Field(description="What it is called on paper.")]
