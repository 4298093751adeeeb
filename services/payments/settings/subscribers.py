"""To whom events are sent."""

from collections.abc import Iterator

from pydantic import Field

from shared.outbound import Judge, is_public, is_public_or_loopback
from shared.settings import EnvironmentSettings


class SubscriberSettings(EnvironmentSettings):
    """Where subscribers may be, how many, and how long it is kept what they were sent."""

    subscribers_on_loopback: bool = False
    """Whether events may be sent to this machine, by http as well: for a laptop and for tests."""
    subscriptions_maximum: int = Field(default=100, ge=1, le=1_000)
    """How many are active, at most: each has requests of its own under way."""
    delivery_days: int = Field(default=90, ge=7)
    """How long a delivery is kept after it was made, or given up."""

    @property
    def subscriber_judge(self) -> Judge:
        """Where events may be sent."""
        return is_public_or_loopback if self.subscribers_on_loopback else is_public

    def unfit_for_production(self) -> Iterator[str]:
        yield from super().unfit_for_production()
        if self.subscribers_on_loopback:
            yield (
                "PAYMENTS_SUBSCRIBERS_ON_LOOPBACK lets a subscription lead back into this machine: "
                "take it out"
            )
