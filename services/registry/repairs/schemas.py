"""How repairs and reannouncements look over HTTP."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.values import Text, Whole, YesNo

_HOUSEHOLD = "5b0c1f6e-53a1-8f6b-8a27-2f1f6a1d9a10"
_CHUNK = "9d02c1de-53a1-8f6b-8a27-2f1f6a1d9a10"
_MOST_HOUSEHOLDS = 10_000

Why = Annotated[
    str, Text(longest=500, shortest=3, lines=True), Field(description="Kept, and shown.")
]


class RepairIn(BaseModel):
    """What to announce again: of these households, of one chunk, or of the whole round."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"round": 1, "reason": "Everybody who has an account now."},
                {
                    "round": 1,
                    "reason": "The account was another person's; corrected on 12 October.",
                    "household_ids": [_HOUSEHOLD],
                },
                {
                    "round": 1,
                    "reason": "The provider was closed on that day.",
                    "chunk_id": _CHUNK,
                    "same_account": True,
                },
            ]
        },
    )

    round: Annotated[int, Whole(least=1, most=60), Field(examples=[1])]
    reason: Why
    household_ids: list[UUID] | None = Field(
        default=None,
        min_length=1,
        max_length=_MOST_HOUSEHOLDS,
        description="Only of these households.",
        examples=[[_HOUSEHOLD]],
    )
    chunk_id: UUID | None = Field(
        default=None,
        description="Only of this chunk: one that enrolled, or a later round's; no repair's.",
        examples=[_CHUNK],
    )
    same_account: YesNo = Field(
        default=False,
        description="Also of those whose account failed, or was set aside, and is the same still.",
    )

    @model_validator(mode="after")
    def _of_a_chunk_or_of_some(self) -> Self:
        if self.household_ids is not None and self.chunk_id is not None:
            raise ValueError("give household_ids or chunk_id, not both")
        return self


class RepairOut(BaseModel):
    """A repair as it was asked for. Its run says how far it is: see the activation's `runs`."""

    run_id: UUID
    activation_id: UUID
    round: int = Field(examples=[1])
    reason: str = Field(examples=["Everybody who has an account now."])
    requested_by: str = Field(examples=["officer@nspc.example"])
    requested_at: datetime
    approval_id: UUID | None = Field(
        description="The proposal that a second person approved; null: before there were such."
    )
    chunk_id: UUID | None
    household_count: int | None = Field(
        description="How many households were named; null: none was.", examples=[None]
    )
    same_account: bool
    chunks_planned: int = Field(
        description="Chunks that announce again, each for one that announced before.",
        examples=[16],
    )


class RepairPreviewOut(BaseModel):
    """What a repair of a whole round would find now. Money is in minor units of the currency."""

    activation_id: UUID
    round: int = Field(examples=[1])
    repairable_count: int = Field(
        description="Not paid and not on their way, with an account that was not tried.",
        examples=[371],
    )
    repairable_minor: int = Field(examples=[56392000])
    same_account_count: int = Field(
        description="Whose account failed or was set aside: only with `same_account`.",
        examples=[291],
    )
    same_account_minor: int = Field(examples=[45032000])
    without_account_count: int = Field(
        description="Who still have no account: nothing can be announced.", examples=[40]
    )
    without_account_minor: int = Field(examples=[6080000])
    above_fund_bound_count: int = Field(
        description="Who are owed more than the fund's owner lets it pay to one household.",
        examples=[0],
    )


class ReannouncementIn(BaseModel):
    """Why a chunk is announced once more."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"reason": "Payments refused it for a lost connection."}]},
    )

    reason: Why


class ReannouncementOut(BaseModel):
    """That a chunk was announced once more, as it was."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    chunk_id: UUID
    reason: str = Field(examples=["Payments refused it for a lost connection."])
    requested_by: str = Field(examples=["officer@nspc.example"])
    requested_at: datetime
    refusal: str | None = Field(
        description="Why payments had refused it; null: it had not.",
        examples=["412 entitlements were announced, 411 came."],
    )
