"""Bodies of sweeps."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.payments.instructions.states import Status
from services.payments.providers.schemas import ProviderCode
from services.payments.sweeps.tables import Finding
from shared.values import Whole

MAXIMUM_SAMPLE = 1_000_000

End = Literal[Status.SETTLED, Status.REJECTED]


class SweepIn(BaseModel):
    """Which payments to ask the providers about: all that have these ends, or a sample of them."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "activation_id": "0199c1de-5a00-7a54-8f62-0d6f0a6f5b0f",
                    "provider": "mekong",
                    "statuses": ["settled", "rejected"],
                    "sample": 1_000,
                }
            ]
        },
    )

    activation_id: UUID | None = None
    provider: ProviderCode | None = None
    statuses: Annotated[
        list[End], Field(min_length=1, max_length=2, description="The ends that they have here.")
    ]
    sample: Annotated[int, Whole(least=1, most=MAXIMUM_SAMPLE)] | None = Field(
        default=None, description="How many, drawn at random; none: all of them."
    )


class SweepOut(BaseModel):
    """A sweep and how far it is."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0199c1de-9000-7a54-8f62-0d6f0a6f5b30",
                    "activation_id": None,
                    "provider": "mekong",
                    "statuses": ["settled", "rejected"],
                    "sample": 1_000,
                    "requested_by": "officer@nspc.example",
                    "requested_at": "2020-10-20T02:00:00Z",
                    "finished_at": "2020-10-20T02:01:10Z",
                    "count": 1_000,
                    "asked_count": 1_000,
                    "agreeing_count": 998,
                    "differing_count": 1,
                    "unanswered_count": 1,
                }
            ]
        }
    )

    id: UUID
    activation_id: UUID | None
    provider: str | None
    statuses: list[Status]
    sample: int | None
    requested_by: str
    requested_at: datetime
    finished_at: datetime | None = Field(description="Since when nobody is left to be asked.")
    count: int = Field(description="How many payments it asks about.")
    asked_count: int
    agreeing_count: int
    differing_count: int = Field(
        description="Each is an alarm: GET /v1/sweeps/{id}/items says why."
    )
    unanswered_count: int = Field(description="Their provider was asked three times, in vain.")


class SweepItemOut(BaseModel):
    """One payment of a sweep."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "instruction_id": "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10",
                    "provider": "mekong",
                    "finding": "differs",
                    "detail": "Settled here; the provider says that it never booked it.",
                }
            ]
        }
    )

    instruction_id: UUID
    provider: str
    finding: Finding | None = Field(description="None: it was not asked yet.")
    detail: str | None
