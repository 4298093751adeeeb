"""The providers of the settings, as the database numbers them."""

from collections.abc import Sequence

from sqlalchemy import text

from services.payments.ledger.accounts import AccountScope
from services.payments.ledger.repository import open_accounts
from services.payments.settings import ProviderSettings
from shared.database import Database

# Inserted only where it is missing: an upsert would use up a number at every start.
_INSERT = text(
    """
    INSERT INTO payments.provider (code, name, currency)
    SELECT :code, :name, :currency
    WHERE NOT EXISTS (SELECT 1 FROM payments.provider WHERE code = :code)
    ON CONFLICT (code) DO NOTHING
    """
)
_RENAME = text("UPDATE payments.provider SET name = :name WHERE code = :code AND name <> :name")
_GET = text("SELECT number, currency FROM payments.provider WHERE code = :code")


class ProviderCurrencyChanged(Exception):
    """A provider's accounts are kept in one currency for good."""


class ProviderDirectory:
    """Writes the configured providers into the database, with their accounts, on first use."""

    def __init__(self, database: Database, providers: Sequence[ProviderSettings]) -> None:
        self._database = database
        self._providers = providers
        self._numbers: dict[str, int] = {}

    async def number_of(self, code: str) -> int:
        """The provider's number; raises KeyError where the settings do not name it."""
        if not self._numbers:
            self._numbers = await self._register()
        return self._numbers[code]

    async def register(self) -> None:
        """Write them now."""
        self._numbers = await self._register()

    async def _register(self) -> dict[str, int]:
        numbers: dict[str, int] = {}
        async with self._database.transaction() as session:
            # In one order everywhere: several processes register at the same time.
            for provider in sorted(self._providers, key=lambda provider: provider.code):
                given = {"code": provider.code, "name": provider.name}
                await session.execute(_INSERT, {**given, "currency": provider.currency})
                await session.execute(_RENAME, given)
                row = (await session.execute(_GET, {"code": provider.code})).one()
                if row.currency != provider.currency:
                    raise ProviderCurrencyChanged(
                        f"Provider {provider.code} has accounts in {row.currency}; "
                        f"for {provider.currency} configure another provider code."
                    )
                await open_accounts(
                    session,
                    kept_for=AccountScope.PROVIDER,
                    scope=provider.code,
                    currency=provider.currency,
                )
                numbers[provider.code] = row.number
        return numbers
