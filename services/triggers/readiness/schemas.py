"""Bodies about readiness."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class ReadinessOut(BaseModel):
    """A span in which a trigger was ready."""

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "id": "0199c1de-53a1-8f6b-8a27-2f1f6a1d9a10",
                    "trigger_code": "rice-price-spike",
                    "trigger_version": 1,
                    "readied_on": "2023-08-10",
                    "stood_down_on": None,
                    "areas": ["KH"],
                    "noted_at": "2023-08-10T17:00:01Z",
                }
            ]
        },
    )

    id: UUID
    trigger_code: str
    trigger_version: int
    readied_on: Annotated[date, Field(description="The day by whose figures it became ready.")]
    stood_down_on: Annotated[
        date | None,
        Field(
            description="The day by whose figures it was below readiness. Null: it is ready. What "
            "could not be judged does not stand it down."
        ),
    ]
    areas: list[str]
    noted_at: datetime
