"""What has no end: payments that wait for too long."""

from pydantic import Field

from shared.retry import Backoff
from shared.settings import EnvironmentSettings


class UnendedSettings(EnvironmentSettings):
    """When they are listed, or are an alarm, by the domain's clock, from a payment's first
    sending on."""

    not_sent_too_long_seconds: float = Field(default=900, gt=0)
    """From when on, after its round was released, a payment that was not sent is listed."""
    pending_too_long_seconds: float = Field(default=6 * 3600, gt=0)
    """From when on a payment that the provider has not decided on is an alarm."""
    unknown_too_long_seconds: float = Field(default=3600, gt=0)
    """From when on a payment of which nobody knows what became of it is an alarm."""
    unknown_status_seconds: float = Field(default=900, gt=0)
    """From when on a status word that is not known here is an alarm."""
    watch_seconds: float = Field(default=10, gt=0)
    """How often that is looked at."""
    watch_size: int = Field(default=1_000, ge=1, le=10_000)
    """Alarms of a kind that are raised, or cleared, in one transaction, at most."""

    @property
    def watch_rest(self) -> Backoff:
        """How often is looked for what has had no end for too long."""
        return Backoff(first_seconds=self.watch_seconds, longest_seconds=self.watch_seconds)
