"""What the API of payments is told by its environment."""

from collections.abc import Iterator
from typing import Annotated, Self

from pydantic import Field, model_validator

from services.payments.settings.service import Settings
from shared.known_keys import KeyRing, versions
from shared.production import Secret
from shared.settings import WebhookSecret
from shared.signatures import key_of


class ApiSettings(Settings):
    """The API's: it tells whether a provider has signed, and cannot pay."""

    statements_at_once: int = Field(default=1, ge=1, le=16)
    """Statements that are read at the same time; each is held in memory until its end."""
    place_wait_seconds: float = Field(default=2, gt=0)
    """How long a request waits for a place among them."""

    provider_webhook_secrets: dict[str, Annotated[list[WebhookSecret], Field(min_length=1)]] = {}
    """By provider; several while a secret is being rotated: any of them verifies."""

    @model_validator(mode="after")
    def _each_can_be_verified(self) -> Self:
        self._require_of_each(self.provider_webhook_secrets, field="provider_webhook_secrets")
        return self

    def secrets(self) -> Iterator[Secret]:
        yield from super().secrets()
        for code, given in self.provider_webhook_secrets.items():
            for number, secret in enumerate(given):
                where = f"PAYMENTS_PROVIDER_WEBHOOK_SECRETS.{code}.{number}"
                text = secret.get_secret_value()
                yield Secret.of_key(where, key_of(text), text)

    def key_rings(self) -> Iterator[KeyRing]:
        yield from super().key_rings()
        yield versions("WEBHOOK_KEYS", self.webhook_keys, service=self.service)
