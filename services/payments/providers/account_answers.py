"""The face of a provider that can be asked about accounts, and what it says of one."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from services.payments.providers.protocol import SealedAccount


class Standing(StrEnum):
    """Whether an account can be paid, as its provider says."""

    AVAILABLE = "available"
    UNAVAILABLE = "unavailable"
    """Closed, blocked, or never opened by its holder."""
    NOT_KNOWN = "not_known"
    """There is no such account."""


@dataclass(frozen=True, slots=True)
class AccountAnswer:
    """What came of asking about one account."""

    standing: Standing | None = None
    """None: nothing that can be used was said; ``reason`` says of what kind."""
    names: tuple[str, ...] | None = None
    """Its holder, in the spellings that the provider has; empty: it has none; None: not asked.
    They are handed on and never kept."""
    reason: str | None = None
    """A code, never the provider's text."""
    provider_unwell: bool = False
    """The provider as a whole seems down or asks for less."""
    was_asked: bool = True
    """False: not the provider's, for we could not open the account."""
    is_unreadable: bool = False
    """Of such a one: it never opens, and sending will say so."""


class AccountAsker(Protocol):
    """Asks one provider about accounts. Nothing that it sends raises here."""

    async def ask(self, account: SealedAccount) -> AccountAnswer:
        """What it says of an account, of what its settings say that it can tell."""
        ...

    async def close(self) -> None:
        """Give back what it holds open."""
        ...
