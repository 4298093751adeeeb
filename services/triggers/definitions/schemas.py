"""The trigger document: which indicator, by which method, for which scheme, where, who approves."""

import json
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from services.triggers.areas import COUNTRY, AreaCode
from services.triggers.codes import Code
from services.triggers.methods.price_spike import PriceSpike
from services.triggers.methods.reported_impact import ReportedImpact

DOCUMENTS = Path(__file__).parent / "documents"


def shipped_document(code: str) -> dict[str, Any]:
    """A trigger document that comes with the product, ready to be posted."""
    document: dict[str, Any] = json.loads((DOCUMENTS / f"{code}.json").read_text())
    return document


_EXAMPLES: list[Any] = [
    shipped_document("rice-price-spike"),
    shipped_document("flood-reported-impact"),
]


class Approval(StrEnum):
    """Whether a met threshold pays at once."""

    AUTOMATIC = "automatic"
    SECOND_PERSON = "second-person"


Method = Annotated[
    PriceSpike | ReportedImpact,
    Field(discriminator="kind", description="How the indicator is judged, with its thresholds."),
]


class TriggerDocument(BaseModel):
    """A rule, whole: a change of any part is a new version."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": _EXAMPLES})

    code: Code
    name: Annotated[str, Field(min_length=1, max_length=200)]
    indicator: Annotated[Code, Field(description="The indicator that is judged.")]
    scheme: Annotated[Code, Field(description="The scheme that an activation enrols into.")]
    shock: Annotated[Code, Field(description="What happened, such as `flood` or `price`.")]
    areas: Annotated[
        list[AreaCode],
        Field(
            min_length=1,
            max_length=500,
            description="Where it acts. A national price activates these areas; reports activate "
            "the reported areas that lie within these.",
        ),
    ] = [COUNTRY]
    area_filter: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=2_000,
            description="CQL2 text over the attributes of communes, passed on to the registry: "
            "only communes for which it holds are enrolled.",
        ),
    ] = None
    approval: Annotated[
        Approval,
        Field(
            description="`automatic`: met thresholds open an activation at once. `second-person`: "
            "they propose one, and a person approves or declines it. What an official declares "
            "always needs a second person."
        ),
    ]
    enabled: Annotated[
        bool, Field(description="A version with false retires the trigger: nothing is evaluated.")
    ] = True
    judge_within_days: Annotated[
        int,
        Field(
            ge=1,
            le=366,
            description="Evidence that ended more days ago than this is history: it is kept and "
            "used, and no longer opens an activation by itself.",
        ),
    ]
    method: Method


class TriggerOut(BaseModel):
    """One version of a trigger."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "code": "flood-reported-impact",
                    "version": 1,
                    "created_at": "2020-10-01T02:00:00Z",
                    "document": _EXAMPLES[1],
                }
            ]
        }
    )

    code: str
    version: int
    created_at: datetime
    document: TriggerDocument
