"""The providers of the settings, as the database numbers them."""

from collections.abc import Mapping, Sequence

from services.payments.ledger.accounts import AccountScope
from services.payments.ledger.repository import open_accounts
from services.payments.providers.repository import keep_provider
from services.payments.settings import ProviderSettings
from shared.database import Database
from shared.errors import Explained


class ProviderCurrencyChanged(Explained):
    """A provider's accounts are kept in one currency for good."""


class ProviderDirectory:
    """Writes the configured providers into the database, with their accounts, on first use."""

    def __init__(self, database: Database, providers: Sequence[ProviderSettings]) -> None:
        self._database = database
        self._providers = providers
        self._numbers: dict[str, int] = {}

    async def numbers(self) -> Mapping[str, int]:
        """The number of each configured provider, by its code."""
        if not self._numbers:
            self._numbers = await self._register()
        return self._numbers

    async def number_of(self, code: str) -> int:
        """The provider's number; raises KeyError where the settings do not name it."""
        return (await self.numbers())[code]

    async def _register(self) -> dict[str, int]:
        numbers: dict[str, int] = {}
        async with self._database.transaction() as session:
            # In one order everywhere: several processes register at the same time.
            for provider in sorted(self._providers, key=lambda provider: provider.code):
                number, currency = await keep_provider(
                    session, code=provider.code, name=provider.name, currency=provider.currency
                )
                if currency != provider.currency:
                    raise ProviderCurrencyChanged(
                        f"Provider {provider.code} has accounts in {currency}; "
                        f"for {provider.currency} configure another provider code."
                    )
                await open_accounts(
                    session,
                    kept_for=AccountScope.PROVIDER,
                    scope=provider.code,
                    currency=provider.currency,
                )
                numbers[provider.code] = number
        return numbers
