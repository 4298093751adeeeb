"""Batches and files of providers."""

from typing import Self

from pydantic import Field, model_validator

from services.payments.settings.waits import require_growing
from shared.retry import Backoff
from shared.settings import EnvironmentSettings


class BatchSettings(EnvironmentSettings):
    """How batches are sent and read. A lease is longer than sending one may take, or reading a page
    of its results."""

    batch_lease_seconds: float = 180
    batch_page_size: int = Field(default=5_000, ge=1, le=10_000)
    """Results that are read, and applied, together."""
    batch_results_seconds: float = Field(default=1, gt=0)
    """From reading a batch's results to looking for more; doubled each time there are none."""
    batch_results_longest_seconds: float = 60
    batch_readings: int = Field(default=2, ge=1, le=10)
    """How often all results of a batch are read until what has none is a payment of which nobody
    knows what became of it."""

    files_size: int = Field(default=20, ge=1, le=1_000)
    """Files of a provider that answers by files, taken in together."""

    @property
    def batch_results(self) -> Backoff:
        """From reading a batch's results to looking for more."""
        return Backoff(
            first_seconds=self.batch_results_seconds,
            longest_seconds=self.batch_results_longest_seconds,
        )

    @model_validator(mode="after")
    def _batch_waits_grow(self) -> Self:
        require_growing(self, "batch_results_seconds", "batch_results_longest_seconds")
        return self
