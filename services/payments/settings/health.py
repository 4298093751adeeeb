"""How providers answer."""

from pydantic import Field

from shared.retry import Backoff
from shared.settings import EnvironmentSettings


class HealthSettings(EnvironmentSettings):
    """How it is noted, and from when on it is an alarm, how providers answer."""

    provider_health_seconds: float = Field(default=2, gt=0)
    """How often a worker keeps what it noted of its providers."""
    provider_down_seconds: float = Field(default=15, gt=0)
    """For how long a provider may answer nothing that can be used until that is an alarm: counted
    from its first failure on, which may itself take ``provider_timeout_seconds``."""
    provider_minutes_days: int = Field(default=90, ge=1)
    """How long it is kept how often providers answered in each minute."""

    @property
    def health_rest(self) -> Backoff:
        """How often a worker keeps what it noted of its providers."""
        seconds = self.provider_health_seconds
        return Backoff(first_seconds=seconds, longest_seconds=seconds)
