"""Households that officers keep out, over HTTP."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.registry.further_enrolments.schemas import Why
from shared.values import YesNo

_HOUSEHOLD = "5b0c1f6e-53a1-8f6b-8a27-2f1f6a1d9a10"
_ACTIVATION = "0199c1de-53a1-8f6b-8a27-2f1f6a1d9a10"
_EXCLUSION = "0199c1de-8000-7a54-8f62-0d6f0a6f5b20"


class ExclusionIn(BaseModel):
    """Why a household is kept out."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"reason": "It moved to another country.", "whole_scheme": False}]
        },
    )

    reason: Why
    whole_scheme: Annotated[
        YesNo, Field(description="Of every activation of the scheme, or of this one alone.")
    ] = False


class ExclusionOut(BaseModel):
    """A household that an officer keeps out."""

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "id": _EXCLUSION,
                    "household_id": _HOUSEHOLD,
                    "scheme_code": "flood-2022",
                    "activation_id": _ACTIVATION,
                    "reason": "It moved to another country.",
                    "excluded_by": "officer@nspc.example",
                    "excluded_at": "2022-10-09T02:00:00Z",
                    "ended_at": None,
                    "ended_by": None,
                    "ended_because": None,
                    "announced_rounds": 1,
                }
            ]
        },
    )

    id: UUID
    household_id: UUID
    scheme_code: str
    activation_id: UUID | None = Field(description="Null: of every activation of the scheme.")
    reason: str
    excluded_by: str
    excluded_at: datetime
    ended_at: datetime | None = Field(description="When two persons admitted it again.")
    ended_by: str | None
    ended_because: str | None
    announced_rounds: int = Field(
        default=0,
        description="Rounds that payments had before, and that are not stopped by this: "
        "`POST /v1/resolutions` of payments cancels what has not been sent.",
    )


class ReadmissionIn(BaseModel):
    """Why a household is to be admitted again."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"reason": "It was another household that moved."}]},
    )

    reason: Why
