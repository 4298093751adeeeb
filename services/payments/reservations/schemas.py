"""Bodies about reservations."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class ReservationOut(BaseModel):
    """What a fund keeps for a trigger that is ready. It pays nobody."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "readiness_id": "0199c1de-53a1-8f6b-8a27-2f1f6a1d9a10",
                    "trigger": "mekong-stage",
                    "scheme": "flood-2022",
                    "fund": "shock",
                    "currency": "KHR",
                    "households": 4210,
                    "wanted_minor": 1_964_000_000,
                    "reserved_minor": 1_500_000_000,
                    "drawn_minor": 0,
                    "short_minor": 464_000_000,
                    "made_at": "2020-10-08T17:00:04Z",
                    "released_at": None,
                }
            ]
        }
    )

    readiness_id: UUID = Field(description="`GET /v1/readiness` of triggers lists it.")
    trigger: str
    scheme: str
    fund: str
    currency: str
    households: int = Field(description="Whom the scheme would pay, as the registry counted.")
    wanted_minor: int = Field(description="What they would get over all rounds, in minor units.")
    reserved_minor: int = Field(description="What is kept for it now.")
    drawn_minor: int = Field(description="What rounds of the trigger's activations took of it.")
    short_minor: int = Field(
        description="What the fund lacks: pay into it, and it is kept by itself."
    )
    made_at: datetime
    released_at: datetime | None = Field(
        description="When it was given back, for the trigger stood down. Null: it is kept."
    )
