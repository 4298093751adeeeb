"""Bodies of what officers decide about single payments."""

from pydantic import BaseModel, ConfigDict

from services.payments.instructions.schemas import HISTORY_EXAMPLE, InstructionHistoryOut
from services.payments.resolutions.schemas import (
    RESOLUTION_EXAMPLE,
    EndIn,
    ResolutionOut,
)
from shared.approvals import Reason


class AttemptIn(BaseModel):
    """A new attempt for a payment that was definitely rejected."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"reason": "The account was reopened, says the provider."}]
        },
    )

    reason: Reason


class ResolutionIn(EndIn):
    """How a payment ended that the system cannot decide on, for another person to approve."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"outcome": "settled", "reason": "On the provider's statement of 17 October."}
            ]
        },
    )


class InstructionProposalOut(InstructionHistoryOut):
    """An instruction as it is, and what was proposed about it."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{**HISTORY_EXAMPLE, "resolution": RESOLUTION_EXAMPLE}]}
    )

    resolution: ResolutionOut


class CancellationIn(BaseModel):
    """An order not to send a payment that is ready."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"reason": "The household has moved to another province."}]
        },
    )

    reason: Reason
