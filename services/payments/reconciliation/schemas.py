"""Bodies of the statement routes."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.payments.reconciliation.kinds import Direction, StatementFormat

STATEMENT: dict[str, Any] = {
    "id": "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10",
    "provider": "mekong",
    "day": "2020-10-17",
    "format": "csv",
    "mapping_version": 1,
    "content_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "currency": "KHR",
    "line_count": 9631,
    "set_aside_count": 1,
    "out_count": 9630,
    "out_minor": 924480000,
    "in_count": 1,
    "in_minor": 1000000000,
    "opening_minor": 0,
    "closing_minor": 75520000,
    "open_count": 2,
    "uploaded_by": "treasurer@nspc.example",
    "uploaded_at": "2020-10-18T02:00:00Z",
}


class StatementOut(BaseModel):
    """What a provider says of one day, and how many differences to our books are open."""

    model_config = ConfigDict(json_schema_extra={"examples": [STATEMENT]})

    id: UUID
    provider: str
    day: date = Field(description="In the country's zone.")
    format: StatementFormat
    mapping_version: int | None = Field(
        description="The version of the statement mapping that it was read by; none for camt.053."
    )
    content_sha256: str = Field(description="Of the file: the same file twice changes nothing.")
    currency: str
    line_count: int = Field(description="Lines that were read.")
    set_aside_count: int = Field(
        description="Lines that could not be read: `GET /v1/statements/{statement_id}/set-aside`."
    )
    out_count: int
    out_minor: int
    in_count: int
    in_minor: int
    opening_minor: int | None = Field(description="None: the file does not say.")
    closing_minor: int | None
    open_count: int = Field(description="Differences without an end: `GET /v1/differences`.")
    uploaded_by: str
    uploaded_at: datetime
    superseded_by: UUID | None = Field(
        default=None,
        description="The corrected statement that holds in its place; none: this is the current.",
    )
    superseded_at: datetime | None = None


class StatementLineOut(BaseModel):
    """One line of a statement. Accounts and names are not kept of it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "line": 2,
                    "direction": "out",
                    "amount_minor": 96000,
                    "balance_minor": 999904000,
                    "booked_at": "2020-10-17T03:14:16Z",
                    "instruction_id": "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10",
                    "reference": "MK-8812-0001",
                }
            ]
        },
    )

    line: int = Field(description="Of the file: its first line, or its first entry, is 1.")
    direction: Direction
    amount_minor: int
    balance_minor: int | None = Field(description="What was left after it.")
    booked_at: datetime | None
    instruction_id: UUID | None = Field(
        description="Our id on the line, or the payment that has the line's reference. It may name "
        "none of ours."
    )
    reference: str | None = Field(description="The provider's.")


class SetAsideLineOut(BaseModel):
    """A line that could not be read. What it said is not repeated."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "line": 17,
                    "field": "amount",
                    "reason": "It is no amount of the provider's currency: digits, and a point "
                    "before decimals.",
                }
            ]
        },
    )

    line: int
    field: str = Field(description="Which of the mapped columns, or `line` as a whole.")
    reason: str
