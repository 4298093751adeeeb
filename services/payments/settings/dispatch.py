"""Sending to providers."""

from typing import Self

from pydantic import Field, model_validator

from services.payments.settings.waits import require_growing
from shared.retry import Backoff
from shared.settings import EnvironmentSettings


class DispatchSettings(EnvironmentSettings):
    """How payments are sent. A lease is longer than a request may take together with its wait in
    line."""

    ask_first_seconds: float = Field(default=3600, ge=0)
    """For how long after the database may have lost commits what is announced is asked about before
    it is sent: it may have been announced, and sent, before."""
    attempts_maximum: int = Field(default=3, ge=1, le=20)
    """How often a payment is tried into one account. After the database lost commits, each that
    there can be is asked about: not to be lowered while what was tried more often may be lost."""

    dispatch_concurrency: int = Field(default=32, ge=1)
    """Requests under way at one provider, at most."""
    dispatch_claim_size: int = Field(default=400, ge=1, le=5_000)
    dispatch_outcomes_size: int = Field(default=200, ge=1, le=5_000)
    dispatch_outcomes_wait_seconds: float = 0.05
    dispatch_lease_seconds: float = 90
    provider_timeout_seconds: float = 20
    provider_pause_seconds: float = Field(default=0.5, gt=0)
    """How long a provider that does not answer is left alone; longer, by chance, each time."""
    provider_pause_longest_seconds: float = 60

    @property
    def provider_pause(self) -> Backoff:
        """For how long a provider that does not answer is left alone."""
        return Backoff(
            first_seconds=self.provider_pause_seconds,
            longest_seconds=self.provider_pause_longest_seconds,
        )

    @model_validator(mode="after")
    def _pauses_grow(self) -> Self:
        require_growing(self, "provider_pause_seconds", "provider_pause_longest_seconds")
        return self
