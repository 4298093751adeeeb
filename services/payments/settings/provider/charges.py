"""What one provider charges: a part of its settings."""

from pydantic import BaseModel, Field

from shared.money import MAXIMUM_AMOUNT_MINOR


class ProviderCharges(BaseModel):
    """What a provider charges for a payment that it made: both together."""

    charge_fixed_minor: int = Field(default=0, ge=0, le=MAXIMUM_AMOUNT_MINOR)
    """In minor units of its currency."""
    charge_basis_points: int = Field(default=0, ge=0, le=10_000)
    """Hundredths of a percent of what was paid, rounded down to whole minor units."""
