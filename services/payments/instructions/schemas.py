"""Bodies of the instruction routes. Accounts are never shown."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from services.payments.instructions.states import Status

INSTRUCTION_EXAMPLE: JsonDict = {
    "id": "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10",
    "entitlement_id": "0199c1de-6100-7a54-8f62-0d6f0a6f5b12",
    "household_id": "0199c1dd-6100-7a54-8f62-0d6f0a6f5b13",
    "activation_id": "0199c1de-5a00-7a54-8f62-0d6f0a6f5b0f",
    "chunk_id": "0199c1de-5c00-7a54-8f62-0d6f0a6f5b11",
    "scheme": "flood-2022",
    "round": 1,
    "provider": "mekong",
    "amount_minor": 96000,
    "currency": "KHR",
    "status": "settled",
    "announcement": 1,
    "attempt": 1,
    "reason": None,
    "transaction_reference": "mekong-0000000042",
    "paid_minor": None,
    "finished_at": "2020-10-12T02:03:04Z",
}


class InstructionOut(BaseModel):
    """One attempt to pay one entitlement."""

    model_config = ConfigDict(json_schema_extra={"examples": [INSTRUCTION_EXAMPLE]})

    id: UUID = Field(
        description="Also its correlation id at the provider. It follows from "
        "entitlement, announcement and attempt."
    )
    entitlement_id: UUID
    household_id: UUID
    activation_id: UUID
    chunk_id: UUID
    scheme: str
    round: int
    provider: str
    amount_minor: int
    currency: str
    status: Status
    announcement: int = Field(
        description="How often the registry had announced the entitlement: more than once where "
        "it was mended, perhaps with another account."
    )
    attempt: int = Field(description="Which try this is since that announcement.")
    reason: str | None = Field(
        description="Why it was rejected, held, returned or cancelled, as a code: the provider's, "
        "or ours. What an officer wrote stands in the move."
    )
    transaction_reference: str | None = Field(description="The provider's name for the payment.")
    paid_minor: int | None = Field(
        default=None,
        description="What was really paid, where that is another amount than ordered.",
    )
    finished_at: datetime | None


class InstructionMoveOut(BaseModel):
    """One step of its life."""

    from_status: Status
    to_status: Status
    moved_at: datetime
    actor: str = Field(description="The part of the system, or the officer, that moved it.")
    reason: str | None = Field(description="A code, or what the officer wrote.")


class InstructionTransferOut(BaseModel):
    """One row of the ledger that it is part of."""

    id: UUID
    code: str
    debit: str
    credit: str
    amount_minor: int = Field(description="Its share.")
    currency: str
    posted_at: datetime
    entry_number: int | None = Field(
        description="The journal entry: what was moved together is booked together. Null: it was "
        "posted for this payment alone."
    )
    entry_minor: int = Field(description="The whole row: the shares of all that moved with it.")


class ReroutingOut(BaseModel):
    """That another provider pays it than before, and why."""

    from_provider: str
    to_provider: str
    cause: str = Field(
        description="Why, as a code of `GET /v1/routes`; `found_there`: commits were lost, and the "
        "other provider knew it when it was asked."
    )
    route_version: int | None = Field(
        description="Which version of the rule about the former provider. Null: no rule's doing."
    )
    rerouted_at: datetime


HISTORY_EXAMPLE: JsonDict = {
    **INSTRUCTION_EXAMPLE,
    "moves": [
        {
            "from_status": "ready",
            "to_status": "sending",
            "moved_at": "2020-10-12T02:03:03Z",
            "actor": "dispatch",
            "reason": None,
        },
        {
            "from_status": "sending",
            "to_status": "settled",
            "moved_at": "2020-10-12T02:03:04Z",
            "actor": "dispatch",
            "reason": None,
        },
    ],
    "reroutings": [
        {
            "from_provider": "tonle",
            "to_provider": "mekong",
            "cause": "paused",
            "route_version": 2,
            "rerouted_at": "2020-10-12T02:02:00Z",
        }
    ],
    "transfers": [
        {
            "id": "0199c1de-7000-7a54-8f62-0d6f0a6f5b14",
            "code": "sent",
            "debit": "IN_TRANSIT mekong",
            "credit": "PROVIDER_FLOAT mekong",
            "amount_minor": 96000,
            "currency": "KHR",
            "posted_at": "2020-10-12T02:03:03Z",
            "entry_number": 4711,
            "entry_minor": 19_200_000,
        }
    ],
}


class InstructionHistoryOut(InstructionOut):
    """An instruction with every move and every transfer."""

    model_config = ConfigDict(json_schema_extra={"examples": [HISTORY_EXAMPLE]})

    moves: list[InstructionMoveOut]
    transfers: list[InstructionTransferOut]
    reroutings: list[ReroutingOut] = Field(
        description="By whom it goes in place of whom. Empty: by the provider of its account."
    )
