"""Bodies of decisions about what is held by rule."""

from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.payments.holds.states import HoldRule
from services.payments.providers.schemas import ProviderCode
from services.payments.resolutions.schemas import MAXIMUM_LISTED
from shared.approvals import Reason
from shared.documents import Code


class HoldDecision(StrEnum):
    RELEASE = "release"
    """It may be sent."""
    CANCEL = "cancel"
    """It is not to be sent, and its money is free again."""


class HoldChoiceIn(BaseModel):
    """Held payments by what they have in common, as they are when it is proposed."""

    model_config = ConfigDict(extra="forbid")

    rule: HoldRule | None = None
    scheme: Code | None = None
    activation_id: UUID | None = None
    provider: ProviderCode | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_dump(exclude_none=True):
            raise ValueError("Give rule, scheme, activation_id or provider.")
        return self


class HoldDecisionsIn(BaseModel):
    """A decision about payments that rules hold, for another person to approve: a list, or all of
    a sort."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "decision": "release",
                    "reason": "The village chief's account is the agreed one for these.",
                    "chosen": {
                        "rule": "same_account",
                        "activation_id": "0199c1de-5a00-7a54-8f62-0d6f0a6f5b0f",
                    },
                }
            ]
        },
    )

    decision: HoldDecision = Field(
        description="`release`: they are sent by themselves, whichever rules hold them. `cancel`: "
        "they are not sent, and their money is free again."
    )
    reason: Reason
    instruction_ids: (
        Annotated[list[UUID], Field(min_length=1, max_length=MAXIMUM_LISTED)] | None
    ) = None
    chosen: HoldChoiceIn | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.instruction_ids is None) == (self.chosen is None):
            raise ValueError("Give either instruction_ids or chosen.")
        return self
