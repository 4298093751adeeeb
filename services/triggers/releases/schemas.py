"""Bodies about doubtful figures, and what a person decides about them."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from services.triggers.doubtful.tables import DoubtDecision
from services.triggers.places.schemas import PlaceOut, PlaceSpelling
from services.triggers.quality.doubt import DoubtReason
from shared.approvals import Reason

MAXIMUM_DECISIONS = 500

DOUBTFUL_EXAMPLE: JsonDict = {
    "id": "0199c1de-8000-7a54-8f62-0d6f0a6f5b30",
    "indicator": "rice-wholesale-price",
    "status": "waiting",
    "reason": "riel-for-dollars",
    "says": "At Boeung Chhouk it is 4,090 times above what was to be expected, as riel for "
    "dollars are.",
    "suggested_place": None,
    "observed_on": "2020-09-01",
    "posted": {
        "area": "02",
        "place": "Boeung Chhouk",
        "source": "WFP",
        "observed_on": "2020-09-01",
        "published_on": "2020-10-10",
        "value": "1880",
        "unit": None,
    },
    "sequence": 1_204,
    "set_aside_at": "2020-10-10T02:00:00Z",
    "age_days": 3,
    "posted_by": "feed:wfp",
    "published": True,
    "approved_by": None,
    "decided_by": None,
    "decided_at": None,
    "decision_reason": None,
}


class DoubtStatus(StrEnum):
    """How a doubtful figure stands."""

    WAITING = "waiting"
    RELEASED = "released"
    REJECTED = "rejected"


class DoubtfulOut(BaseModel):
    """A figure that was set aside: the row as posted, why, and what was decided."""

    model_config = ConfigDict(json_schema_extra={"examples": [DOUBTFUL_EXAMPLE]})

    id: UUID
    indicator: str
    status: DoubtStatus
    reason: DoubtReason
    says: str = Field(description="Why, in a sentence.")
    suggested_place: str | None = Field(
        description="The likeliest place, by its code, where the place is unknown."
    )
    observed_on: date
    posted: dict[str, Any] = Field(
        description="The row as it was posted; one that was recorded, as it is kept."
    )
    sequence: int | None = Field(
        description="Of the observation that it is, where it was recorded and set aside when it "
        "was judged; null: it was set aside at once, and is not recorded."
    )
    set_aside_at: datetime
    age_days: int = Field(description="Whole days since it was set aside.")
    posted_by: str
    published: bool
    approved_by: str | None
    decided_by: str | None
    decided_at: datetime | None
    decision_reason: str | None


class DoubtDecisionIn(BaseModel):
    """Why a doubtful figure is released or rejected."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"reason": "The market confirms it by telephone."}]},
    )

    reason: Reason


class DoubtDecisionsIn(BaseModel):
    """One decision about several doubtful figures."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "doubtful_ids": ["0199c1de-8000-7a54-8f62-0d6f0a6f5b30"],
                    "decision": "rejected",
                    "reason": "Riel were typed; the publisher sends them again in dollars.",
                }
            ]
        },
    )

    doubtful_ids: Annotated[list[UUID], Field(min_length=1, max_length=MAXIMUM_DECISIONS)]
    decision: DoubtDecision
    reason: Reason


class DoubtDecidedOut(BaseModel):
    """What became of one of several decisions."""

    doubtful_id: UUID
    decided: bool
    detail: str | None = Field(description="Why it was not, and what to do.")


class DoubtDecisionsOut(BaseModel):
    """What became of each decision, in the order in which they were given."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "results": [
                        {
                            "doubtful_id": "0199c1de-8000-7a54-8f62-0d6f0a6f5b30",
                            "decided": True,
                            "detail": None,
                        }
                    ]
                }
            ]
        }
    )

    results: list[DoubtDecidedOut]


class AliasIn(BaseModel):
    """Another name of a place."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"name": "Psar Orussey"}]}
    )

    name: PlaceSpelling


class AliasOut(BaseModel):
    """The place with its new name, and what became of the figures that named it so."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "place": {
                        "code": "phnom-penh-orussey",
                        "name": "Phnom Penh - Orussey",
                        "aliases": ["Orussey Market", "Psar Orussey"],
                        "kind": "market",
                        "area": "12",
                        "latitude": 11.563056,
                        "longitude": 104.914722,
                        "created_at": "2020-10-01T02:00:00Z",
                        "posted_by": "officer@nspc.example",
                    },
                    "released": 11,
                    "doubtful": 1,
                }
            ]
        }
    )

    place: PlaceOut
    released: int = Field(description="Figures that waited for this name, and are recorded now.")
    doubtful: int = Field(
        description="Figures of this name that wait on: they are doubtful for another reason, or "
        "are your own."
    )
