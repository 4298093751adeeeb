"""Fetching chunks from the registry, and telling it how far they are."""

from typing import Self

from pydantic import Field, model_validator

from services.payments.settings.waits import require_growing
from shared.retry import Backoff
from shared.settings import EnvironmentSettings


class ChunkSettings(EnvironmentSettings):
    """How chunks are fetched, and told of."""

    chunk_fetchers: int = Field(default=3, ge=1, le=16)
    chunk_maximum_bytes: int = 64 * 1024 * 1024
    chunk_lease_seconds: float = 120
    chunk_retry_seconds: float = Field(default=1, gt=0)
    chunk_retry_longest_seconds: float = 300
    chunk_fetches_before_refusal: int = Field(default=5, ge=1)
    """How often a chunk is fetched that is not what was announced, until it is refused for good."""

    progress_seconds: float = Field(default=30, gt=0)
    """How often the registry is told how far a chunk is that has payments open for that long."""

    accounts_ahead_seconds: float = Field(default=21_600, gt=0)
    """How often accounts are fetched and checked of whomever a trigger that is ready would pay."""

    @property
    def chunk_retry(self) -> Backoff:
        """From failing to fetch a chunk to asking for it again."""
        return Backoff(
            first_seconds=self.chunk_retry_seconds,
            longest_seconds=self.chunk_retry_longest_seconds,
        )

    @property
    def progress_rest(self) -> Backoff:
        """For how long the loop sleeps that tells how far chunks are."""
        seconds = self.progress_seconds / 10
        return Backoff(first_seconds=seconds, longest_seconds=seconds)

    @model_validator(mode="after")
    def _chunk_waits_grow(self) -> Self:
        require_growing(self, "chunk_retry_seconds", "chunk_retry_longest_seconds")
        return self
