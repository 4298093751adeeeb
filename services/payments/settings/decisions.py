"""Statements that people bring, and what people decide."""

from pydantic import Field

from shared.settings import EnvironmentSettings


class DecisionSettings(EnvironmentSettings):
    """How much is taken, and moved, at once; and for how long money waits for a decision."""

    statement_maximum_bytes: int = Field(default=128 * 1024 * 1024, ge=1_024)
    """A statement has no more: 700,000 lines take about 70 megabytes."""

    resolution_size: int = Field(default=500, ge=1, le=5_000)
    """Payments of a resolution that are moved in one transaction, at most."""

    return_claim_days: int = Field(default=90, ge=0, le=3_650)
    """For so long money that came back is kept for its household, unless two persons name it."""
