"""The second witness: a provider's own book, over HTTP, as a file of CSV, or in its storage.

Its storage tells more than the others: which callbacks it saw acknowledged, and when each payment
was sent.
"""

import csv
import sqlite3
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Protocol
from uuid import UUID

import httpx

from judge.records import BookLine

_BOOK_PATH = "/book"
_SUMMARY_PATH = "/book/summary"
_SECONDS = 120

# The judge counts for itself: riel have no smaller unit in use, dollars have cents.
_MINOR_UNITS = {"KHR": 1, "USD": 100}


COLUMNS = ("provider", "correlation_id", "amount", "currency", "account")
"""What the judge reads of a book. A CSV may have more, in any order."""


class BookUnreadable(Exception):
    """One line that says what is wrong with a book."""


class Book(Protocol):
    """What a provider says of the payments that it took."""

    def lines(self) -> list[BookLine]:
        """Every payment that it made; raises BookUnreadable."""
        ...

    def callbacks_delivered(self) -> list[UUID] | None:
        """The payments whose callback it saw acknowledged, None where it does not tell."""
        ...

    def is_at_rest(self) -> bool:
        """Whether it has nothing to decide and nothing to say; raises BookUnreadable."""
        ...


def book_at(where: str) -> Book:
    """The book at a base URL, in a file named .csv, or in the storage of the sandbox."""
    if where.startswith(("http://", "https://")):
        return BookOverHttp(where.rstrip("/"))
    if where.endswith(".csv"):
        return BookAsFile(Path(where))
    return BookInStorage(Path(where))


@dataclass(frozen=True)
class BookOverHttp:
    url: str

    def lines(self) -> list[BookLine]:
        try:
            with httpx.stream("GET", f"{self.url}{_BOOK_PATH}", timeout=_SECONDS) as response:
                response.raise_for_status()
                return _lines(response.iter_lines())
        except httpx.HTTPError as error:
            raise BookUnreadable(f"{self.url}{_BOOK_PATH}: {type(error).__name__}") from error

    def callbacks_delivered(self) -> None:
        return None

    def is_at_rest(self) -> bool:
        try:
            answer = httpx.get(f"{self.url}{_SUMMARY_PATH}", timeout=_SECONDS)
            summary = answer.raise_for_status().json()
        except (httpx.HTTPError, ValueError) as error:
            raise BookUnreadable(f"{self.url}{_SUMMARY_PATH}: {type(error).__name__}") from error
        return bool(summary["callbacks_due"] == 0 and summary["pending"] == 0)


@dataclass(frozen=True)
class BookAsFile:
    """The CSV that the API gives, or a provider's statement brought into those columns."""

    path: Path

    def lines(self) -> list[BookLine]:
        try:
            with self.path.open(encoding="utf-8", newline="") as file:
                return _lines(file)
        except OSError as error:
            raise BookUnreadable(f"{self.path}: {error.strerror}") from error

    def callbacks_delivered(self) -> None:
        return None

    def is_at_rest(self) -> bool:
        return True


@dataclass(frozen=True)
class BookInStorage:
    """The SQLite file of the sandbox, which may go on writing to it."""

    path: Path

    def lines(self) -> list[BookLine]:
        with _opened(self.path) as connection:
            return [
                _line(*paid, sent_at_ms=sent_at_ms)
                for *paid, sent_at_ms in connection.execute(
                    # What the provider forgot bears a mark behind its id, and was paid as well.
                    "SELECT provider, substr(correlation_id, 1, 36), amount, currency, account,"
                    " received_at FROM payment"
                    " WHERE booked_at IS NOT NULL ORDER BY id"
                )
            ]

    def callbacks_delivered(self) -> list[UUID]:
        with _opened(self.path) as connection:
            return [
                UUID(row[0])
                for row in connection.execute(
                    "SELECT substr(correlation_id, 1, 36) FROM payment"
                    " WHERE callback_state = 'delivered'"
                )
            ]

    def is_at_rest(self) -> bool:
        with _opened(self.path) as connection:
            (payments,) = connection.execute(
                "SELECT count(*) FROM payment"
                " WHERE callback_state = 'waiting' OR status = 'pending'"
            ).fetchone()
            # One that was created waits for our approval: the provider does nothing by itself.
            (batches,) = connection.execute(
                "SELECT count(*) FROM batch"
                " WHERE callback_state = 'waiting' OR status IN ('received', 'approved')"
            ).fetchone()
            return int(payments) + int(batches) == 0


@dataclass(frozen=True)
class BankInStorage:
    """The SQLite file of a sandbox bank, which pays what lies in files in a folder."""

    path: Path
    provider: str
    fetches_from: Path

    def lines(self) -> list[BookLine]:
        with _opened(self.path) as connection:
            return [
                _line(self.provider, *paid, sent_at_ms=sent_at_ms)
                for *paid, sent_at_ms in connection.execute(
                    "SELECT end_to_end_id, amount, currency, account, written_at * 1000"
                    " FROM payment JOIN file USING (message_id)"
                    " WHERE reference IS NOT NULL ORDER BY payment.rowid"
                )
            ]

    def callbacks_delivered(self) -> list[UUID]:
        return []

    def is_at_rest(self) -> bool:
        with _opened(self.path) as connection:
            (sayings,) = connection.execute("SELECT count(*) FROM saying").fetchone()
        return sayings == 0 and not any(self.fetches_from.glob("*.xml"))


def all_lines(books: Iterable[Book]) -> list[BookLine]:
    """The lines of several books, one after the other."""
    return [line for book in books for line in book.lines()]


def all_callbacks_delivered(books: Sequence[Book]) -> list[UUID] | None:
    """Those of several books, None unless each of them tells."""
    told = [book.callbacks_delivered() for book in books]
    if not told or any(delivered is None for delivered in told):
        return None
    return [payment for delivered in told for payment in delivered or ()]


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        try:
            yield connection
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise BookUnreadable(f"{path}: {error}") from error


def _lines(text: Iterable[str]) -> list[BookLine]:
    """The lines of a CSV with a header; raises BookUnreadable."""
    rows = csv.DictReader(text)
    missing = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
    if missing:
        raise BookUnreadable(f"The book has no column {' and no column '.join(missing)}.")
    return [_line(*(row[name] for name in COLUMNS)) for row in rows]


def _line(
    provider: str,
    correlation_id: str,
    amount: str,
    currency: str,
    account: str,
    *,
    sent_at_ms: float | None = None,
) -> BookLine:
    try:
        return BookLine(
            provider=sys.intern(provider),
            correlation_id=UUID(correlation_id),
            amount_minor=_minor(amount, currency=currency),
            currency=sys.intern(currency),
            account=account,
            sent_at=None if sent_at_ms is None else datetime.fromtimestamp(sent_at_ms / 1000, UTC),
        )
    except (AttributeError, TypeError, ValueError, ArithmeticError) as error:
        raise BookUnreadable(
            f"The book has a line that cannot be read: {correlation_id}"
        ) from error


def _minor(amount: str, *, currency: str) -> int:
    if currency not in _MINOR_UNITS:
        raise BookUnreadable(f"The book speaks of {currency}, which nobody is paid in.")
    minor = Decimal(amount) * _MINOR_UNITS[currency]
    if minor != int(minor):
        raise BookUnreadable(f"The book says {amount} {currency}: there is no such coin.")
    return int(minor)
