"""What both processes of payments are told by their environment."""

from collections.abc import Collection, Iterator
from typing import ClassVar

from pydantic import AliasChoices, Field
from pydantic_settings import SettingsConfigDict

from services.payments.settings.batches import BatchSettings
from services.payments.settings.callbacks import CallbackSettings
from services.payments.settings.chunks import ChunkSettings
from services.payments.settings.decisions import DecisionSettings
from services.payments.settings.dispatch import DispatchSettings
from services.payments.settings.health import HealthSettings
from services.payments.settings.inquiries import InquirySettings
from services.payments.settings.provider import ProviderSettings
from services.payments.settings.stand_ins import StandInSettings
from services.payments.settings.subscribers import SubscriberSettings
from services.payments.settings.sweeps import SweepSettings
from services.payments.settings.unended import UnendedSettings
from shared.production import Secret
from shared.retry import Backoff
from shared.settings import Address, KeyVersions, Port, ServiceSettings, secrets_of_keys


class Settings(
    BatchSettings,
    CallbackSettings,
    ChunkSettings,
    DecisionSettings,
    DispatchSettings,
    HealthSettings,
    InquirySettings,
    StandInSettings,
    SubscriberSettings,
    SweepSettings,
    UnendedSettings,
    ServiceSettings,
):
    """What both processes of payments read: prefix ``PAYMENTS_``."""

    model_config = SettingsConfigDict(env_prefix="PAYMENTS_")

    service: ClassVar[str] = "payments"

    port: Port = 8003
    webhook_keys: KeyVersions = Field(validation_alias=AliasChoices("WEBHOOK_KEYS", "webhook_keys"))
    """The API seals callbacks as they come, the worker opens them; and so with the keys that sign
    what is sent to subscribers, which the API shows to whoever made them."""

    registry_url: Address = Field(
        default="http://127.0.0.1:8001",
        validation_alias=AliasChoices("REGISTRY_URL", "registry_url"),
    )
    providers: list[ProviderSettings] = []

    rest_seconds: float = Field(default=0.1, gt=0)
    """How long a loop without work sleeps before it looks again; up to ten times as long, but no
    longer than a second, where it finds nothing again and again."""

    @property
    def rest(self) -> Backoff:
        """For how long a loop without work sleeps."""
        return Backoff(
            first_seconds=self.rest_seconds,
            longest_seconds=max(self.rest_seconds, min(1, 10 * self.rest_seconds)),
        )

    def secrets(self) -> Iterator[Secret]:
        yield from super().secrets()
        yield from secrets_of_keys("WEBHOOK_KEYS", self.webhook_keys)

    def _require_of_each(
        self, given: Collection[str], *, field: str, takes_files: bool = False
    ) -> None:
        """Raises ValueError where a provider of the settings is not among ``given``.

        ``takes_files``: those that get what is signed, else those that are spoken to over HTTP.
        """
        missing = [
            provider.code
            for provider in self.providers
            if (provider.base_url is None) == takes_files and provider.code not in given
        ]
        if missing:
            raise ValueError(f"{self.variable_of(field)} has nothing for {', '.join(missing)}")
