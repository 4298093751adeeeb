"""The three providers from their own side: money that reaches them, their statements, their books.

One wallet takes single requests, one takes batches, and a bank takes files. The services never see
any of this: an accountant is sent the statements, and the judge reads the books.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

import httpx

from deploy.local.environment import CURRENCY
from deploy.local.every_kind import BANK, SPOKEN_TO
from deploy.local.stack import Stack
from judge.records import BookLine
from judge.witnesses.book import BookAsFile, BookInStorage
from sandbox.bank import account as bank_account
from sandbox.clock import CLOCK
from sandbox.statements import Account

BANKED_WITH: Final[Mapping[str, float]] = dict(zip(SPOKEN_TO, (0.4, 0.3, 0.3), strict=True))
"""The share of households that bank with each."""

HOW: Final[Mapping[str, str]] = dict(
    zip(SPOKEN_TO, ("single requests", "batches", "files"), strict=True)
)
"""How each is paid through."""

_SECONDS = 120
_CSV_OF = "mekong"
"""The provider whose statement comes as CSV; the others' come as camt.053."""


@dataclass(frozen=True)
class StatementFile:
    """A statement as a provider sends it."""

    media_type: str
    content: bytes


class Providers:
    """What the providers do by themselves. Amounts are in riel, which has no smaller unit."""

    def __init__(self, stack: Stack) -> None:
        assert stack.sandbox is not None
        assert stack.bank is not None
        self.url = stack.sandbox.url
        self._bank = stack.bank
        self._keys = {provider.code: provider.api_key for provider in stack.sandbox.providers}
        self._book = BookInStorage(stack.sandbox.storage)
        self._bank_book = stack.directory / "bank" / "book.csv"
        # What is done at the bank from here is done on its day.
        CLOCK.follow(stack.bank.clock_file)

    def receive(self, provider: str, amount_minor: int, *, reference: str) -> str:
        """Money of ours reaches a provider; its own reference of it, as on its statement."""
        return self._move(provider, "float", amount_minor, reference=reference)

    def charge(self, provider: str, amount_minor: int, *, reference: str) -> str:
        """A provider takes a fee from our money; its own reference of it."""
        return self._move(provider, "charge", amount_minor, reference=reference)

    def give_back(self, transaction_reference: str, *, reason: str) -> None:
        """A payment that a wallet made comes back to it."""
        self._post("returns", {"transaction_reference": transaction_reference, "reason": reason})

    def statement(self, provider: str, day: date) -> StatementFile:
        """What moved on our account with a provider on a day, in the country's zone."""
        if provider == BANK:
            account = Account(provider, day, CURRENCY)
            pages = bank_account.statement(self._bank.storage, account)
            return StatementFile("application/xml", b"".join(pages))
        is_csv = provider == _CSV_OF
        name = f"{day}.csv" if is_csv else f"{day}.camt.053.xml"
        answer = httpx.get(
            f"{self.url}/{provider}/statements/{name}",
            headers={"X-API-Key": self._keys[provider]},
            timeout=_SECONDS,
        ).raise_for_status()
        return StatementFile("text/csv" if is_csv else "application/xml", answer.content)

    def lines(self) -> list[BookLine]:
        """Every payment that any of them made, by its own book."""
        with self._bank_book.open("w", encoding="utf-8") as file:
            file.writelines(bank_account.book_as_csv(self._bank.storage, code=BANK))
        return [*self._book.lines(), *BookAsFile(self._bank_book).lines()]

    def callbacks_delivered(self) -> list[UUID]:
        """The payments whose callback a wallet saw acknowledged."""
        return self._book.callbacks_delivered()

    def summary(self) -> dict[str, Any]:
        """The wallets' own account of what they did."""
        answer = httpx.get(f"{self.url}/book/summary", timeout=_SECONDS).raise_for_status()
        return dict(answer.json())

    def _move(self, provider: str, kind: str, amount_minor: int, *, reference: str) -> str:
        if provider == BANK:
            return bank_account.record(
                self._bank.storage,
                code=provider,
                kind=kind,
                amount=str(amount_minor),
                currency=CURRENCY,
                reference=reference,
            )
        body = {
            "provider": provider,
            "amount": str(amount_minor),
            "currency": CURRENCY,
            "reference": reference,
        }
        return str(self._post(f"{kind}s", body)["entry_reference"])

    def _post(self, path: str, body: dict[str, str]) -> dict[str, Any]:
        answer = httpx.post(f"{self.url}/book/{path}", json=body, timeout=_SECONDS)
        return dict(answer.raise_for_status().json())
