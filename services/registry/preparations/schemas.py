"""Bodies about preparations."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class PreparationOut(BaseModel):
    """Whom the scheme of a trigger that is ready would pay, by the registry when it was counted."""

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "readiness_id": "0199c1de-53a1-8f6b-8a27-2f1f6a1d9a10",
                    "trigger": "mekong-stage",
                    "scheme_code": "flood-2022",
                    "areas": ["0801", "0802"],
                    "area_filter": "flood_hazard_index >= 5",
                    "readied_on": "2020-10-08",
                    "stood_down_on": None,
                    "counted_at": "2020-10-08T17:00:03Z",
                    "not_counted": None,
                    "fund": "shock",
                    "currency": "KHR",
                    "households": 4210,
                    "amount_minor": 1964000000,
                    "without_account": 57,
                    "without_provider": 2,
                }
            ]
        },
    )

    readiness_id: Annotated[UUID, Field(description="`GET /v1/readiness` of triggers lists it.")]
    trigger: str
    scheme_code: str
    areas: list[str]
    area_filter: str | None
    readied_on: date
    stood_down_on: Annotated[date | None, Field(description="Null: the trigger is ready.")]
    counted_at: datetime
    not_counted: Annotated[
        str | None, Field(description="Why nobody can say whom it would pay; null: it was counted.")
    ]
    fund: Annotated[
        str | None,
        Field(description="Payments reserves the money there: `GET /v1/reservations`."),
    ]
    currency: str | None
    households: int | None
    amount_minor: Annotated[
        int | None, Field(description="What they would get over all rounds, in minor units.")
    ]
    without_account: Annotated[
        int | None,
        Field(
            description="Households of these that have no account to pay into: import one, or set "
            "it with `PUT /v1/households/{household_id}/payee-account`, before the shock comes."
        ),
    ]
    without_provider: Annotated[
        int | None,
        Field(
            description="Households of these with an account at a provider that payments does not "
            "know, or that does not pay the scheme's currency."
        ),
    ]
