"""How many payments one provider takes together: a part of its settings."""

from pydantic import BaseModel, Field


class ProviderBatches(BaseModel):
    """What a provider takes of a batch, where its protocol has any."""

    batch_lines: int = Field(default=10_000, ge=1, le=100_000)
    """Payments in one batch, at most."""
    batches_at_once: int = Field(default=4, ge=1, le=64)
    """Batches that are open at it, at most, by all workers together; those that it does not know,
    which is not believed yet, are not counted among them, and are four times as many at most."""
    batch_maximum_minor: int | None = Field(default=None, ge=1)
    """The sum of a batch, at most; a payment that is above it by itself is rejected."""
    batch_two_steps: bool = True
    """Whether it takes a batch first, and pays it once we approve it."""
