"""Bodies that say where somebody's money is."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from services.payments.instructions.states import Status
from shared.wording.said import Said


class StepOut(BaseModel):
    """One step of an attempt."""

    at: datetime
    status: Status
    said: Said


class AttemptOut(BaseModel):
    """One attempt to pay, into one account at one provider."""

    instruction_id: UUID
    provider: str
    provider_name: str
    amount_minor: int
    paid_minor: int | None = Field(
        description="What was really paid, where that is another amount than ordered."
    )
    currency: str
    status: Status
    transaction_reference: str | None = Field(
        description="The provider's name for the payment, by which it finds it."
    )
    said: Said
    gone_by: list[Said] = Field(
        description="By which provider it goes in place of which, and why. Empty: by the one that "
        "its account names."
    )
    steps: list[StepOut]


_SAID: JsonDict = {"en": "It was paid.", "km": "បានទូទាត់រួចហើយ។"}


class HistoryOut(BaseModel):
    """What became of an entitlement in payments: the last attempt decides."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "entitlement_id": "0199c1de-6000-7a54-8f62-0d6f0a6f5b12",
                    "household_id": "0199c1de-1000-7a54-8f62-0d6f0a6f5b01",
                    "activation_id": "0199c1de-5a00-7a54-8f62-0d6f0a6f5b0f",
                    "scheme": "flood-2022",
                    "round": 1,
                    "is_paid": True,
                    "said": _SAID,
                    "attempts": [
                        {
                            "instruction_id": "0199c1de-6500-8a54-8f62-0d6f0a6f5b13",
                            "provider": "mekong",
                            "provider_name": "Mekong Pay",
                            "amount_minor": 96_000,
                            "paid_minor": None,
                            "currency": "KHR",
                            "status": "settled",
                            "transaction_reference": "MP-000123",
                            "said": _SAID,
                            "gone_by": [],
                            "steps": [
                                {
                                    "at": "2020-10-12T02:03:04Z",
                                    "status": "settled",
                                    "said": _SAID,
                                }
                            ],
                        }
                    ],
                }
            ]
        }
    )

    entitlement_id: UUID
    household_id: UUID
    activation_id: UUID
    scheme: str
    round: int
    is_paid: bool
    said: Said = Field(description="Where the money is, in a sentence or two.")
    attempts: list[AttemptOut]
