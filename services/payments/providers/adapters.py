"""Which adapter speaks which protocol: the one place that knows them all."""

from collections.abc import Callable, Mapping

from services.payments.providers.gsma.client import GsmaAdapter
from services.payments.providers.protocol import Adapter
from services.payments.settings import ProviderSettings, Settings
from shared.errors import Explained

ADAPTERS: Mapping[str, Callable[[ProviderSettings, Settings], Adapter]] = {
    "gsma-mobile-money-1.2": GsmaAdapter,
}
"""By the names that a provider's settings give as its ``protocol``."""


class UnknownProtocol(Explained):
    """A provider's settings name a protocol that no adapter speaks."""


def adapters_of(settings: Settings) -> dict[str, Adapter]:
    """An adapter for each configured provider, by its code; raises UnknownProtocol."""
    adapters: dict[str, Adapter] = {}
    for provider in settings.providers:
        adapter = ADAPTERS.get(provider.protocol)
        if adapter is None:
            raise UnknownProtocol(
                f"Provider {provider.code} is set to speak {provider.protocol!r}, which nothing "
                f"here does. In PAYMENTS_PROVIDERS, choose from {', '.join(ADAPTERS)}."
            )
        adapters[provider.code] = adapter(provider, settings)
    return adapters
