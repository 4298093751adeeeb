"""Bodies of budget lines."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from shared.approvals import Reason
from shared.documents import Code
from shared.money import MAXIMUM_AMOUNT_MINOR
from shared.values import Text, Whole


class BudgetLineIn(BaseModel):
    """A line to be opened, or another name and ceiling for one, for another person to approve."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "code": "floods-2022",
                    "name": "Floods of the wet season 2022",
                    "ceiling_minor": 12_000_000_000,
                    "reason": "Annex 2 of sub-decree 1182.",
                }
            ]
        },
    )

    code: Code
    name: Annotated[str, Text(longest=200)]
    ceiling_minor: Annotated[
        int,
        Whole(least=0, most=MAXIMUM_AMOUNT_MINOR),
        Field(
            description="What may be committed and spent on it together, ever, in minor units of "
            "the fund's currency."
        ),
    ]
    reason: Reason


class BudgetLineOut(BaseModel):
    """A line of a fund, and what is committed and spent on it, in minor units."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "code": "floods-2022",
                    "fund": "shock-response",
                    "name": "Floods of the wet season 2022",
                    "currency": "KHR",
                    "ceiling_minor": 12_000_000_000,
                    "committed_minor": 1_200_000_000,
                    "spent_minor": 8_400_000_000,
                    "opened_at": "2022-05-01T02:00:00Z",
                }
            ]
        }
    )

    code: str
    fund: str
    name: str
    currency: str
    ceiling_minor: int
    committed_minor: int = Field(description="Reserved for rounds on it that are being paid.")
    spent_minor: int = Field(description="Paid to households in rounds on it.")
    opened_at: datetime
