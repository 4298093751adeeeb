"""Bodies of what officers decide about single payments."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Reason = Annotated[
    str, Field(min_length=3, max_length=500, description="Why, for whoever asks later.")
]


class AttemptIn(BaseModel):
    """A new attempt for a payment that was definitely rejected."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"reason": "The account was reopened, says the provider."}]
        },
    )

    reason: Reason


class ResolutionIn(BaseModel):
    """An officer's decision about a payment whose facts contradict each other."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"outcome": "settled", "reason": "On the provider's statement of 17 October."}
            ]
        },
    )

    outcome: Literal["settled", "returned"] = Field(
        description="`settled`: the household has the money. `returned`: we have it back."
    )
    reason: Reason


class CancellationIn(BaseModel):
    """An order not to send a payment that is ready."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"reason": "The household has moved to another province."}]
        },
    )

    reason: Reason
