"""The providers of the settings, as the database numbers them."""

import asyncio
from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.ledger.accounts import AccountScope
from services.payments.ledger.repository import open_accounts
from services.payments.providers.repository import keep_provider, publish_list
from services.payments.settings import ProviderSettings
from shared.clock import Clock
from shared.contracts.events import ConfiguredProvider, ProvidersConfigured
from shared.database import Database
from shared.errors import Explained
from shared.events import publish


class ProviderCurrencyChanged(Explained):
    """A provider's accounts are kept in one currency for good."""


class ProviderDirectory:
    """Writes the configured providers into the database, with their accounts, on first use."""

    def __init__(
        self, database: Database, providers: Sequence[ProviderSettings], *, clock: Clock
    ) -> None:
        self._database = database
        self._providers = providers
        self._clock = clock
        self._numbers: dict[str, int] = {}
        self._registering = asyncio.Lock()

    async def numbers(self) -> Mapping[str, int]:
        """The number of each configured provider, by its code."""
        if not self._numbers:
            # Everything in a process wants to know when it begins: one of them asks.
            async with self._registering:
                if not self._numbers:
                    self._numbers = await self._register()
        return self._numbers

    async def number_of(self, code: str) -> int:
        """The provider's number; raises KeyError where the settings do not name it."""
        return (await self.numbers())[code]

    def settings_of(self, number: int) -> ProviderSettings | None:
        """The settings of the provider of that number, once ``numbers`` has been read."""
        return next(
            (
                provider
                for provider in self._providers
                if self._numbers.get(provider.code) == number
            ),
            None,
        )

    async def _publish(self, session: AsyncSession) -> None:
        """Tell which providers there are, where that is another list than was told last."""
        configured = {provider.code: provider for provider in self._providers}
        if await publish_list(session, configured):
            told = ProvidersConfigured(
                providers=[
                    ConfiguredProvider(code=code, currency=configured[code].currency)
                    for code in sorted(configured)
                ]
            )
            await publish(session, told, clock=self._clock)

    async def _register(self) -> dict[str, int]:
        numbers: dict[str, int] = {}
        async with self._database.transaction() as session:
            # In one order everywhere: several processes register at the same time.
            for provider in sorted(self._providers, key=lambda provider: provider.code):
                number, currency = await keep_provider(
                    session,
                    code=provider.code,
                    name=provider.name,
                    currency=provider.currency,
                    charge_fixed_minor=provider.charge_fixed_minor,
                    charge_basis_points=provider.charge_basis_points,
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
            await self._publish(session)
        return numbers
