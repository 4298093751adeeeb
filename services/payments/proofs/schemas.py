"""Bodies of the proofs and of an activation's payments."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.payments.instructions.states import Status


class ProofOut(BaseModel):
    """One statement about the books, whether it holds, and the numbers that say so."""

    name: str
    statement: str
    holds: bool
    numbers: list[dict[str, int | str]]


class LastSweepOut(BaseModel):
    """What the last comparison with the providers found."""

    id: UUID
    finished_at: datetime
    asked_count: int
    share: float = Field(
        description="The payments that it asked about, as a share of all that are settled or "
        "rejected by now."
    )
    agreeing_count: int
    differing_count: int
    unanswered_count: int


class ReachOut(BaseModel):
    """What the proofs can know, and what they cannot."""

    statement: str
    last_sweep: LastSweepOut | None = Field(description="None: no provider was ever asked.")


class ProofsOut(BaseModel):
    """Every proof, and how far all of them reach."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "hold": True,
                    "reach": {
                        "statement": "These proofs compare our own records with one another, and "
                        "with nothing else.",
                        "last_sweep": {
                            "id": "0199c1de-9000-7a54-8f62-0d6f0a6f5b30",
                            "finished_at": "2020-10-20T02:01:10Z",
                            "asked_count": 1_000,
                            "share": 0.2,
                            "agreeing_count": 998,
                            "differing_count": 1,
                            "unanswered_count": 1,
                        },
                    },
                    "proofs": [
                        {
                            "name": "books_sum_to_zero",
                            "statement": "In each book and currency, debits equal credits.",
                            "holds": True,
                            "numbers": [
                                {
                                    "book": "cash",
                                    "currency": "KHR",
                                    "debits_minor": 9_600_000,
                                    "credits_minor": 9_600_000,
                                }
                            ],
                        }
                    ],
                }
            ]
        }
    )

    hold: bool = Field(
        description="Whether every one of them holds: our records agree with one another."
    )
    reach: ReachOut
    proofs: list[ProofOut]


class PaymentsInStateOut(BaseModel):
    """Payments of one provider in one state, for one reason."""

    provider: str
    status: Status
    reason: str | None
    count: int
    amount_minor: int
    first_finished_at: datetime | None
    last_finished_at: datetime | None


class ActivationPaymentsOut(BaseModel):
    """How an activation's payments stand."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "activation_id": "0199c1de-5a00-7a54-8f62-0d6f0a6f5b0f",
                    "currency": "KHR",
                    "entitlements_announced": 5000,
                    "announced_minor": 480_000_000,
                    "refused_chunks": 0,
                    "unfunded_rounds": 0,
                    "first_paid_at": "2020-10-12T02:00:03Z",
                    "last_paid_at": "2020-10-12T02:00:11Z",
                    "payments": [
                        {
                            "provider": "mekong",
                            "status": "settled",
                            "reason": None,
                            "count": 4950,
                            "amount_minor": 475_200_000,
                            "first_finished_at": "2020-10-12T02:00:03Z",
                            "last_finished_at": "2020-10-12T02:00:11Z",
                        }
                    ],
                }
            ]
        }
    )

    activation_id: UUID
    currency: str
    entitlements_announced: int
    announced_minor: int
    refused_chunks: int
    unfunded_rounds: int
    first_paid_at: datetime | None
    last_paid_at: datetime | None
    payments: list[PaymentsInStateOut]
