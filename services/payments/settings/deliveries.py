"""Sending events to subscribers, by the machine's clock."""

from typing import Annotated

from pydantic import Field

from shared.retry import Backoff
from shared.settings import EnvironmentSettings


class DeliverySettings(EnvironmentSettings):
    """How events are sent, and sent again: the worker's alone."""

    delivery_timeout_seconds: float = Field(default=15, gt=0, le=60)
    """How long a receiver may take to answer."""
    delivery_each: int = Field(default=4, ge=1, le=32)
    """Requests under way at one receiver, at most."""
    delivery_retry_seconds: Annotated[
        list[Annotated[float, Field(gt=0)]], Field(min_length=1, max_length=20)
    ] = [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]
    """From each attempt to the next: the schedule of Standard Webhooks."""
    delivery_pause_seconds: float = Field(default=1, gt=0)
    """How long a receiver that does not answer is left alone; longer, by chance, each time."""
    delivery_pause_longest_seconds: float = 300

    @property
    def delivery_pause(self) -> Backoff:
        """For how long a receiver that does not answer is left alone."""
        return Backoff(
            first_seconds=self.delivery_pause_seconds,
            longest_seconds=max(self.delivery_pause_seconds, self.delivery_pause_longest_seconds),
        )
