"""From when on something at one provider takes too long."""

from pydantic import BaseModel, Field


class ProviderPatience(BaseModel):
    """From when on something at a provider takes too long, where that differs from the others."""

    unknown_too_long_seconds: float | None = Field(default=None, gt=0)
    """From when on a payment to it of which nobody knows what became of it is an alarm. None: as
    PAYMENTS_UNKNOWN_TOO_LONG_SECONDS says. A bank that answers the next day needs longer than a
    wallet."""
