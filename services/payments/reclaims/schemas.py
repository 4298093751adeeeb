"""Bodies of reclaims."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.payments.funds.schemas import FundCode
from services.payments.providers.schemas import ProviderCode
from shared.approvals import Reason
from shared.values import Day

MAXIMUM_LISTED = 500


class ReclaimIn(BaseModel):
    """Money that came back and is to go back to its fund, for another person to approve."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "fund": "shock-response",
                    "provider": "mekong",
                    "returned_before": "2021-01-01",
                    "reason": "Unclaimed for a quarter of a year, as the sub-decree says.",
                }
            ]
        },
    )

    fund: FundCode
    provider: ProviderCode
    returned_before: Day | None = Field(
        default=None,
        description="All that came back before this day in the country's zone and was not claimed; "
        "it lies as far back as money that came back is kept for its household.",
    )
    instruction_ids: (
        Annotated[list[UUID], Field(min_length=1, max_length=MAXIMUM_LISTED)] | None
    ) = Field(default=None, description="These payments, however long ago they came back.")
    reason: Reason

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.returned_before is None) == (self.instruction_ids is None):
            raise ValueError("Give either returned_before or instruction_ids.")
        return self


class ReclaimOut(BaseModel):
    """Money that came back and went back to its fund."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0199c1de-8100-7a54-8f62-0d6f0a6f5b20",
                    "fund": "shock-response",
                    "provider": "mekong",
                    "amount_minor": 480_000,
                    "currency": "KHR",
                    "households": 5,
                    "reason": "Unclaimed for a quarter of a year, as the sub-decree says.",
                    "proposed_by": "officer@nspc",
                    "approved_by": "checker@nspc",
                    "reclaimed_at": "2021-04-02T03:00:00Z",
                }
            ]
        }
    )

    id: UUID = Field(description="That of its proposal: `GET /v1/approvals/{approval_id}`.")
    fund: str
    provider: str
    amount_minor: int
    currency: str
    households: int
    reason: str | None
    proposed_by: str
    approved_by: str
    reclaimed_at: datetime


class ReclaimItemOut(BaseModel):
    """One payment whose money went back to its fund."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "instruction_id": "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10",
                    "amount_minor": 96_000,
                }
            ]
        }
    )

    instruction_id: UUID
    amount_minor: int
