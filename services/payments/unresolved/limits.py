"""From when on a payment without an end is looked at, and which providers there are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from services.payments.settings import Settings


@dataclass(frozen=True, slots=True)
class Limits:
    """What the settings say, as the statements take it."""

    configured: Sequence[str]
    """The codes of the providers of the settings."""
    not_sent_too_long_seconds: float
    pending_too_long_seconds: float
    unknown_too_long_seconds: float
    """Of a provider that has no such limit of its own."""
    own_unknown_too_long_seconds: Mapping[str, float]
    """Of those that have, by their codes."""
    unknown_status_seconds: float
    provider_down_seconds: float

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The limits of the settings."""
        return cls(
            configured=[provider.code for provider in settings.providers],
            not_sent_too_long_seconds=settings.not_sent_too_long_seconds,
            pending_too_long_seconds=settings.pending_too_long_seconds,
            unknown_too_long_seconds=settings.unknown_too_long_seconds,
            own_unknown_too_long_seconds={
                provider.code: provider.unknown_too_long_seconds
                for provider in settings.providers
                if provider.unknown_too_long_seconds is not None
            },
            unknown_status_seconds=settings.unknown_status_seconds,
            provider_down_seconds=settings.provider_down_seconds,
        )

    def given(self) -> dict[str, Any]:
        """The values that statements bind."""
        return {
            "configured": list(self.configured),
            "not_sent_too_long_seconds": self.not_sent_too_long_seconds,
            "pending_too_long_seconds": self.pending_too_long_seconds,
            "unknown_too_long_seconds": self.unknown_too_long_seconds,
            "own_codes": list(self.own_unknown_too_long_seconds),
            "own_unknown_too_long_seconds": list(self.own_unknown_too_long_seconds.values()),
            "unknown_status_seconds": self.unknown_status_seconds,
            "provider_down_seconds": self.provider_down_seconds,
        }
