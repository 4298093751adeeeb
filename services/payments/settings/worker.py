"""What the worker of payments is told by its environment."""

import base64
from collections.abc import Iterator
from typing import Annotated, Self

from pydantic import AliasChoices, Field, SecretStr, model_validator

from services.payments.settings.deliveries import DeliverySettings
from services.payments.settings.provider.signing_key import is_signing_key
from services.payments.settings.service import Settings
from shared.known_keys import KeyRing, versions
from shared.production import Secret, https_fault
from shared.settings import Address, CallingSettings, KeyVersions, secrets_of_keys


class WorkerSettings(DeliverySettings, CallingSettings, Settings):
    """The worker's: it opens accounts and sends to providers. It verifies no signature."""

    account_keys: KeyVersions = Field(validation_alias=AliasChoices("ACCOUNT_KEYS", "account_keys"))
    provider_api_keys: dict[str, Annotated[SecretStr, Field(min_length=1)]] = {}
    """By provider that is spoken to over HTTP: what it lets us in by."""
    provider_signing_keys: dict[str, Annotated[SecretStr, Field(min_length=1)]] = {}
    """By provider that takes files or lists: the Ed25519 key that signs them, in base64."""
    callback_base_url: Address = "http://127.0.0.1:8003"
    debit_party: str = "nspc"
    """The organisation's identifier at every provider (GSMA ``organisationid``)."""

    @model_validator(mode="after")
    def _each_lets_us_in(self) -> Self:
        self._require_of_each(self.provider_api_keys, field="provider_api_keys")
        self._require_of_each(
            self.provider_signing_keys, field="provider_signing_keys", takes_files=True
        )
        for code, key in self.provider_signing_keys.items():
            if not is_signing_key(key.get_secret_value()):
                raise ValueError(
                    f"{self.variable_of('provider_signing_keys')}: the key of {code} is not 32 "
                    "bytes in base64"
                )
        return self

    def secrets(self) -> Iterator[Secret]:
        yield from super().secrets()
        yield from secrets_of_keys("ACCOUNT_KEYS", self.account_keys)
        for code, key in self.provider_api_keys.items():
            where = f"PAYMENTS_PROVIDER_API_KEYS.{code}"
            yield Secret.of_text(where, key.get_secret_value())
        for code, key in self.provider_signing_keys.items():
            where, text = f"PAYMENTS_PROVIDER_SIGNING_KEYS.{code}", key.get_secret_value()
            yield Secret.of_key(where, base64.b64decode(text), text)

    def key_rings(self) -> Iterator[KeyRing]:
        yield from super().key_rings()
        yield versions("WEBHOOK_KEYS", self.webhook_keys, service=self.service, seals=False)
        yield versions("ACCOUNT_KEYS", self.account_keys, service=self.service)

    def unfit_for_production(self) -> Iterator[str]:
        yield from super().unfit_for_production()
        yield from https_fault("PAYMENTS_CALLBACK_BASE_URL", self.callback_base_url)
        for number, provider in enumerate(self.providers):
            if provider.base_url is not None:
                variable = f"PAYMENTS_PROVIDERS.{number}.base_url ({provider.code})"
                yield from https_fault(variable, provider.base_url)
