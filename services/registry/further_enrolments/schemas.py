"""Whom to enrol beside those whom an activation was enrolled with, over HTTP."""

from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.registry.estimates.schemas import Areas
from shared.values import Text, YesNo

_HOUSEHOLD = "5b0c1f6e-53a1-8f6b-8a27-2f1f6a1d9a10"
_MOST_HOUSEHOLDS = 5_000

Why = Annotated[
    str,
    Text(longest=500, shortest=3, lines=True),
    Field(description="Kept, and shown. Write no name and no number of a person."),
]


class FurtherEnrolmentIn(BaseModel):
    """Whom to enrol beside those whom the activation's areas were enrolled with."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"reason": "Registered in the camp after the flood.", "areas": ["0201"]},
                {
                    "reason": "The commune council confirmed that the house is gone.",
                    "household_ids": [_HOUSEHOLD],
                    "whatever_the_rule": True,
                },
            ]
        },
    )

    reason: Why
    areas: Annotated[
        Areas | None, Field(description="Late registrants of these areas alone; null: of all.")
    ] = None
    household_ids: Annotated[
        list[UUID] | None,
        Field(
            min_length=1,
            max_length=_MOST_HOUSEHOLDS,
            description="Only these households; null: every late registrant.",
            examples=[[_HOUSEHOLD]],
        ),
    ] = None
    whatever_the_rule: Annotated[
        YesNo,
        Field(
            description="By hand: also where the rule does not hold, or the activation does not "
            "reach. A case of the benefit has to fit."
        ),
    ] = False

    @model_validator(mode="after")
    def _named_or_late(self) -> Self:
        if self.household_ids is not None and self.areas is not None:
            raise ValueError("give household_ids or areas, not both")
        if self.whatever_the_rule and self.household_ids is None:
            raise ValueError("whatever_the_rule is for household_ids that are named")
        return self
