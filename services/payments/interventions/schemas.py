"""Bodies of what officers decide about single payments."""

from pydantic import BaseModel, ConfigDict

from services.payments.resolutions.schemas import EndIn
from shared.approvals import Reason


class AttemptIn(BaseModel):
    """Why a payment that was definitely rejected is to be tried again, for another to approve."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"reason": "The account was reopened, says the provider."}]
        },
    )

    reason: Reason


class ResolutionIn(EndIn):
    """How a payment ended that the system cannot decide on, or that it is not to be sent, for
    another person to approve."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"outcome": "settled", "reason": "On the provider's statement of 17 October."}
            ]
        },
    )
