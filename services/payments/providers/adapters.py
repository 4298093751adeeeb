"""Which adapter speaks which protocol: the one place that knows them all."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from services.payments.providers.account_answers import AccountAsker
from services.payments.providers.bankfile.client import BankFileAdapter
from services.payments.providers.cashlist.client import CashListAdapter
from services.payments.providers.gsma.accounts import GsmaAccounts
from services.payments.providers.gsma.batch_client import GsmaBatchAdapter
from services.payments.providers.gsma.callbacks import SignedBatchCallbacks, SignedCallbacks
from services.payments.providers.gsma.client import GsmaAdapter
from services.payments.providers.no_callbacks import NoCallbacks
from services.payments.providers.protocol import Adapter, Verifier
from services.payments.settings import ApiSettings, ProviderSettings, WorkerSettings
from shared.errors import Explained

ADAPTERS: Mapping[str, Callable[[ProviderSettings, WorkerSettings], Adapter]] = {
    "gsma-mobile-money-1.2": GsmaAdapter,
    "gsma-mobile-money-1.2-batches": GsmaBatchAdapter,
    "iso20022-pain.001-files": BankFileAdapter,
    "cash-by-list": CashListAdapter,
}
"""By the names that a provider's settings give as its ``protocol``: what sends and asks."""

VERIFIERS: Mapping[str, Callable[[ProviderSettings, ApiSettings], Verifier]] = {
    "gsma-mobile-money-1.2": SignedCallbacks,
    "gsma-mobile-money-1.2-batches": SignedBatchCallbacks,
    "iso20022-pain.001-files": NoCallbacks,
    "cash-by-list": NoCallbacks,
}
"""By the same names: what tells whether a callback is the provider's, and reads it."""

ACCOUNT_ASKERS: Mapping[str, Callable[[ProviderSettings, WorkerSettings], AccountAsker]] = {
    "gsma-mobile-money-1.2": GsmaAccounts,
    "gsma-mobile-money-1.2-batches": GsmaAccounts,
}
"""By the same names: what asks about accounts. A protocol that is not here cannot be asked."""


Made = TypeVar("Made")


class UnknownProtocol(Explained):
    """A provider's settings name a protocol that no adapter speaks."""


def adapters_of(settings: WorkerSettings) -> dict[str, Adapter]:
    """An adapter for each configured provider, by its code; raises UnknownProtocol."""
    return {
        provider.code: _of_protocol(ADAPTERS, provider)(provider, settings)
        for provider in settings.providers
    }


def verifiers_of(settings: ApiSettings) -> dict[str, Verifier]:
    """What verifies each configured provider, by its code; raises UnknownProtocol."""
    return {
        provider.code: _of_protocol(VERIFIERS, provider)(provider, settings)
        for provider in settings.providers
    }


def account_askers_of(settings: WorkerSettings) -> dict[str, AccountAsker]:
    """What asks each provider about accounts that is set to be asked, by its code; raises
    UnknownProtocol."""
    asked = [provider for provider in settings.providers if provider.account_checks]
    for provider in asked:
        if provider.protocol not in ACCOUNT_ASKERS:
            raise UnknownProtocol(
                f"Provider {provider.code} speaks {provider.protocol!r}, in which nobody can ask "
                "about accounts. In PAYMENTS_PROVIDERS, take its account_checks out."
            )
    return {
        provider.code: ACCOUNT_ASKERS[provider.protocol](provider, settings) for provider in asked
    }


def _of_protocol(known: Mapping[str, Made], provider: ProviderSettings) -> Made:
    if provider.protocol not in known:
        raise UnknownProtocol(
            f"Provider {provider.code} is set to speak {provider.protocol!r}, which nothing "
            f"here does. In PAYMENTS_PROVIDERS, choose from {', '.join(known)}."
        )
    return known[provider.protocol]
