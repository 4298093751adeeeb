"""Asking about payments that have their end, behind all other work."""

from pydantic import Field

from shared.settings import EnvironmentSettings


class SweepSettings(EnvironmentSettings):
    """How many are asked about, and how often."""

    sweep_size: int = Field(default=100, ge=1, le=1_000)
    """Payments of a provider that are asked about in one step."""
    sweep_concurrency: int = Field(default=4, ge=1)
    """Questions under way at one provider, at most."""
    sweep_again_seconds: float = Field(default=60, gt=0)
    """From asking in vain to asking again."""
