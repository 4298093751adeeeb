"""The report of one provider and day."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.payments.differences.schemas import DIFFERENCE, DifferenceOut
from services.payments.reconciliation.kinds import DifferenceKind
from services.payments.reconciliation.schemas import STATEMENT, SetAsideLineOut, StatementOut


class SupersededOut(BaseModel):
    """A statement that a corrected one took the place of."""

    id: UUID
    uploaded_by: str
    uploaded_at: datetime
    superseded_at: datetime


class OpenKindOut(BaseModel):
    """The open differences of one kind, together."""

    kind: DifferenceKind
    count: int
    statement_minor: int = Field(description="What the statement says of them.")
    ledger_minor: int = Field(description="What our books say of them.")
    suspense_minor: int
    oldest_age_seconds: int
    what_to_do: str


class ResolvedOut(BaseModel):
    """A difference that two persons ended: what they decided, and why."""

    model_config = ConfigDict(from_attributes=True)

    number: int
    kind: DifferenceKind
    reference: str | None
    statement_minor: int | None
    ledger_minor: int | None
    what: str = Field(description="What was decided, in words.")
    reason: str | None
    proposed_by: str
    approved_by: str
    resolved_at: datetime


class BalancesOut(BaseModel):
    """The balances of the day, in minor units; None where the statement does not say."""

    closing_before_minor: int | None = Field(
        description="What the statement of the day before ended with; none: there is none."
    )
    opening_minor: int | None
    net_minor: int = Field(description="By how much the lines change the balance.")
    closing_minor: int | None
    float_minor: int = Field(description="PROVIDER_FLOAT when the day ended.")
    in_transit_minor: int = Field(description="IN_TRANSIT when the day ended.")
    told_later_minor: int = Field(
        description="What statements show as gone by then, and our books only heard of later."
    )
    expected_minor: int = Field(
        description="float + in transit - told later: what the provider has to have of ours."
    )


_REPORT: dict[str, Any] = {
    "provider": "mekong",
    "day": "2020-10-17",
    "currency": "KHR",
    "everything_matches": False,
    "verdict": "1 difference is open. 1 difference is resolved by two persons.",
    "statement": STATEMENT,
    "superseded": [],
    "paid_count": 9630,
    "paid_minor": 924480000,
    "agreeing_count": 9630,
    "open": [
        {
            "kind": "unknown_payment",
            "count": 1,
            "statement_minor": 5000,
            "ledger_minor": 0,
            "suspense_minor": 5000,
            "oldest_age_seconds": 7200,
            "what_to_do": DIFFERENCE["what_to_do"],
        }
    ],
    "explained_count": 2,
    "resolved_count": 1,
    "balances": {
        "closing_before_minor": 0,
        "opening_minor": 0,
        "net_minor": 75520000,
        "closing_minor": 75520000,
        "float_minor": 75520000,
        "in_transit_minor": 0,
        "told_later_minor": 0,
        "expected_minor": 75520000,
    },
    "differences": [DIFFERENCE],
    "resolved": [
        {
            "number": 11,
            "kind": "unknown_payment",
            "reference": "MK-8812-0811",
            "statement_minor": 25000,
            "ledger_minor": None,
            "what": "Record 25,000 KHR as charged or lost by mekong: difference 11, "
            "unknown_payment, on the statement of 2020-10-17.",
            "reason": "The provider's fee for October, by its letter.",
            "proposed_by": "treasurer@nspc.example",
            "approved_by": "checker@nspc.example",
            "resolved_at": "2020-10-18T03:00:00Z",
        }
    ],
    "set_aside": [],
    "is_whole": True,
}


class ReconciliationOut(BaseModel):
    """Whether a provider's statement of a day and our books say the same, or exactly what not."""

    model_config = ConfigDict(json_schema_extra={"examples": [_REPORT]})

    provider: str
    day: date
    currency: str
    everything_matches: bool
    verdict: str
    statement: StatementOut | None = Field(description="None: none was sent.")
    superseded: list[SupersededOut] = Field(
        description="Statements that this one took the place of, the newest first."
    )
    paid_count: int = Field(description="Payments that our books have as paid on that day.")
    paid_minor: int
    agreeing_count: int = Field(description="Lines without an open difference.")
    open: list[OpenKindOut]
    explained_count: int = Field(description="Differences that ended by themselves.")
    resolved_count: int = Field(description="Differences that two persons ended.")
    balances: BalancesOut | None
    differences: list[DifferenceOut] = Field(description="The open ones, oldest first.")
    resolved: list[ResolvedOut] = Field(description="Those that two persons ended, oldest first.")
    set_aside: list[SetAsideLineOut] = Field(description="Lines that could not be read.")
    is_whole: bool = Field(
        description="Whether all of them are listed here; else `GET /v1/differences` and "
        "`GET /v1/statements/{statement_id}/set-aside` list them all."
    )
