"""Bodies about lists from which cash is paid out by hand."""

from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from services.payments.cash_lists.states import CashListState, RowFault
from services.payments.providers.cashlist.states import LineOutcome, UploadStatus
from services.payments.settings.provider import PayoutPlace
from shared.approvals import ApprovalOut
from shared.approvals.schemas import APPROVAL_EXAMPLE

LIST_EXAMPLE: JsonDict = {
    "id": "0199c1de-7100-7a54-8f62-0d6f0a6f5b21",
    "code": "000012-0A6F5B21",
    "number": 12,
    "provider": "village-cash",
    "state": "open",
    "area_code": "020103",
    "area_name_en": "Chi Kraeng",
    "area_name_km": "ជីក្រែង",
    "scheme": "flood-2022",
    "round": 1,
    "paid_at": "village-office",
    "currency": "KHR",
    "line_count": 148,
    "total_minor": 22_792_000,
    "made_on": "2022-10-12",
    "claim_by": "2022-11-11",
    "returns_on": "2022-11-26",
    "age_days": 5,
    "days_left": 25,
    "open_count": 48,
    "open_minor": 7_392_000,
    "paid_count": 97,
    "paid_minor": 14_938_000,
    "not_paid_count": 3,
    "not_paid_minor": 462_000,
    "unclaimed_count": 0,
    "unclaimed_minor": 0,
    "returned_at": None,
    "waits_for_second_person": False,
    "sha256": "7f3a9c21e05b4d6688f1c2a3b4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f7",
    "signature": "3q2+7wABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4fICEiIyQlJicoKSorLC0uLzAxMjM0NTY3"
    "ODk6Ozw9Pg==",
}


class CashListOut(BaseModel):
    """One list: the payments of one commune, to be paid out by hand."""

    model_config = ConfigDict(json_schema_extra={"examples": [LIST_EXAMPLE]})

    id: UUID = Field(description="The batch's: `GET /v1/batches/{batch_id}`.")
    code: str = Field(description="By what it is called on paper and in uploaded results.")
    number: int = Field(description="Counted at each provider.")
    provider: str
    state: CashListState
    area_code: str | None = Field(description="The commune. Null: its payments do not say.")
    area_name_en: str | None = Field(
        description="How it is called, as it is printed. Null, both: the registry did not tell it "
        "when the list was made."
    )
    area_name_km: str | None
    scheme: str
    round: int
    paid_at: PayoutPlace
    currency: str
    line_count: int
    total_minor: int
    made_on: date
    claim_by: date = Field(description="The last day on which it is paid out.")
    returns_on: date = Field(
        description="On this day what has no result goes back to its fund, by itself."
    )
    age_days: int
    days_left: int = Field(description="Until `claim_by`; below zero: since then.")
    open_count: int = Field(description="Lines without a result.")
    open_minor: int
    paid_count: int
    paid_minor: int
    not_paid_count: int
    not_paid_minor: int
    unclaimed_count: int
    unclaimed_minor: int
    returned_at: datetime | None
    waits_for_second_person: bool = Field(
        description="Results were uploaded and nobody approved them yet: nothing goes back."
    )
    sha256: str = Field(description="Of the bytes of its CSV as it is issued, in hexadecimal.")
    signature: str = Field(description="Ed25519 over the same bytes, in base64.")


class CashLineOut(BaseModel):
    """One line of a list, and what was said of it first."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "number": 1,
                    "code": "7K3M-Q9XW",
                    "entitlement_id": "0199c1de-53a1-8f6b-8a27-2f1f6a1d9a11",
                    "instruction_id": "0199c1de-53a1-8f6b-8a27-2f1f6a1d9a10",
                    "amount_minor": 154_000,
                    "outcome": "paid",
                    "paid_on": "2022-10-17",
                    "reason": None,
                    "paper_reference": "A-0041",
                }
            ]
        }
    )

    number: int
    code: str = Field(description="Also on the registry's sheet of names: `POST /v1/name-sheets`.")
    entitlement_id: UUID
    instruction_id: UUID
    amount_minor: int
    outcome: LineOutcome | None
    paid_on: date | None
    reason: str | None
    paper_reference: str | None


class CashUploadOut(BaseModel):
    """Results that were uploaded, and what became of them."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0199c1de-8100-7a54-8f62-0d6f0a6f5b20",
                    "list_id": "0199c1de-7100-7a54-8f62-0d6f0a6f5b21",
                    "status": "waiting",
                    "new_count": 45,
                    "repeated_count": 52,
                    "set_aside_count": 1,
                    "uploaded_by": "officer@nspc",
                    "uploaded_at": "2022-10-18T02:00:00Z",
                    "proposal": APPROVAL_EXAMPLE,
                }
            ]
        }
    )

    id: UUID = Field(description="Its proposal's, where it has one.")
    list_id: UUID
    status: UploadStatus
    new_count: int = Field(description="Rows that say what was not said before.")
    repeated_count: int = Field(description="Rows that say what was said before.")
    set_aside_count: int = Field(description="Rows that say nothing that can be used.")
    uploaded_by: str
    uploaded_at: datetime
    proposal: ApprovalOut | None = Field(description="Null: it says nothing new.")


class CashUploadRowOut(BaseModel):
    """One row of uploaded results. What could not be read is not repeated."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "row": 7,
                    "number": 6,
                    "outcome": None,
                    "paid_on": None,
                    "reason": None,
                    "paper_reference": None,
                    "is_new": False,
                    "fault": "day-unreadable",
                }
            ]
        }
    )

    row: int = Field(description="In the file, the headings being the first.")
    number: int | None
    outcome: LineOutcome | None
    paid_on: date | None
    reason: str | None
    paper_reference: str | None
    is_new: bool
    fault: RowFault | None = Field(description="Why it was set aside.")
