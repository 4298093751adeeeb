"""Asking what became of instructions without an answer."""

from typing import Self

from pydantic import Field, model_validator

from services.payments.settings.waits import require_growing
from shared.retry import Backoff
from shared.settings import EnvironmentSettings


class InquirySettings(EnvironmentSettings):
    """How often is asked, and for how many together."""

    inquiry_size: int = Field(default=200, ge=1, le=5_000)
    unknown_inquiry_seconds: float = Field(default=5, gt=0)
    """From losing an answer to asking for it; doubled each time that tells nothing new."""
    pending_inquiry_seconds: float = Field(default=60, gt=0)
    """From "pending" to asking, where no callback comes; doubled each time."""
    inquiry_longest_seconds: float = 900

    @property
    def unknown_inquiry(self) -> Backoff:
        """From losing an answer to asking for it."""
        return Backoff(
            first_seconds=self.unknown_inquiry_seconds, longest_seconds=self.inquiry_longest_seconds
        )

    @property
    def pending_inquiry(self) -> Backoff:
        """From "pending" to asking, where no callback comes."""
        return Backoff(
            first_seconds=self.pending_inquiry_seconds, longest_seconds=self.inquiry_longest_seconds
        )

    @model_validator(mode="after")
    def _inquiries_grow(self) -> Self:
        require_growing(self, "unknown_inquiry_seconds", "inquiry_longest_seconds")
        require_growing(self, "pending_inquiry_seconds", "inquiry_longest_seconds")
        return self
