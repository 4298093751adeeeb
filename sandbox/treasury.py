"""Money that the client leaves with a provider, and payments that come back to it."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox import messages
from sandbox.book import Book
from sandbox.validation import LONGEST_TEXT, InvalidRequest, read_document, read_money, read_text

TABLES = """
CREATE TABLE IF NOT EXISTS float_arrival (
    id INTEGER PRIMARY KEY,
    provider TEXT NOT NULL,
    reference TEXT NOT NULL,
    amount TEXT NOT NULL,
    currency TEXT NOT NULL,
    arrived_at INTEGER NOT NULL,
    UNIQUE (provider, reference)
) STRICT;
CREATE TABLE IF NOT EXISTS charge (
    id INTEGER PRIMARY KEY,
    provider TEXT NOT NULL,
    reference TEXT NOT NULL,
    amount TEXT NOT NULL,
    currency TEXT NOT NULL,
    taken_at INTEGER NOT NULL,
    UNIQUE (provider, reference)
) STRICT;
CREATE TABLE IF NOT EXISTS payment_return (
    id INTEGER PRIMARY KEY,
    payment_id INTEGER NOT NULL UNIQUE REFERENCES payment (id),
    reason TEXT NOT NULL,
    returned_at INTEGER NOT NULL
) STRICT;
"""

LONGEST_REASON = 105

FLOAT_REFERENCE = "%s-float-%06d"
CHARGE_REFERENCE = "%s-charge-%06d"
RETURN_REFERENCE = "%s-return-%06d"
"""The provider's references: its code, and a number."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What was asked for is in the book; `is_new`: it was not before."""

    content: Mapping[str, object]
    is_new: bool


class Treasury:
    """Writes floats, charges and returns into the book: each once, however often it is told."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._connection = book.connection
        self._connection.executescript(TABLES)

    def record_float(self, body: bytes, *, providers: frozenset[str], now: int) -> Recorded:
        """Money of the client's has arrived at a provider; raises InvalidRequest."""
        return self._record_movement(
            body, providers=providers, now=now, table="float_arrival", at="arrived_at"
        )

    def record_charge(self, body: bytes, *, providers: frozenset[str], now: int) -> Recorded:
        """A provider takes its fee from the client's money; raises InvalidRequest."""
        return self._record_movement(
            body, providers=providers, now=now, table="charge", at="taken_at"
        )

    def _record_movement(
        self, body: bytes, *, providers: frozenset[str], now: int, table: str, at: str
    ) -> Recorded:
        document = read_document(body)
        provider = _mandatory(document, "provider")
        if provider not in providers:
            raise InvalidRequest("identifierError", "no provider here has this code")
        reference = _mandatory(document, "reference")
        amount, currency = read_money(document)
        with self._book.transaction():
            is_new = self._insert(
                f"INSERT INTO {table} (provider, reference, amount, currency, {at})"
                " VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (provider, reference, amount, currency, now),
            )
            known = self._connection.execute(
                f"SELECT id, amount, currency, {at} FROM {table}"
                " WHERE provider = ? AND reference = ?",
                (provider, reference),
            ).fetchone()
        number, known_amount, known_currency, happened_at = known
        if (known_amount, known_currency) != (amount, currency):
            raise InvalidRequest(
                "duplicateRequest",
                "this reference was used for another amount",
                category="businessRule",
            )
        form = FLOAT_REFERENCE if table == "float_arrival" else CHARGE_REFERENCE
        content = {
            "entry_reference": form % (provider, number),
            "provider": provider,
            "reference": reference,
            "amount": amount,
            "currency": currency,
            at: messages.instant(happened_at),
        }
        return Recorded(content, is_new)

    def record_return(self, body: bytes, *, now: int) -> Recorded:
        """A payment that was made has come back; raises InvalidRequest."""
        document = read_document(body)
        reference = _mandatory(document, "transaction_reference")
        reason = read_text(document, "reason", longest=LONGEST_REASON) or "returned"
        number = messages.number_in_reference(reference)
        payment = None if number is None else self._book.find(number)
        if payment is None or messages.transaction_reference(payment) != reference:
            raise InvalidRequest("identifierError", "no payment has this transaction_reference")
        if payment.booked_at is None or payment.status != "completed":
            raise InvalidRequest(
                "incorrectState", "only what was paid comes back", category="businessRule"
            )
        with self._book.transaction():
            is_new = self._insert(
                "INSERT INTO payment_return (payment_id, reason, returned_at) VALUES (?, ?, ?)"
                " ON CONFLICT DO NOTHING",
                (payment.id, reason, now),
            )
            known = self._connection.execute(
                "SELECT id, reason, returned_at FROM payment_return WHERE payment_id = ?",
                (payment.id,),
            ).fetchone()
        number, known_reason, returned_at = known
        content = {
            "entry_reference": RETURN_REFERENCE % (payment.provider, number),
            "transaction_reference": reference,
            "amount": payment.amount,
            "currency": payment.currency,
            "reason": known_reason,
            "returned_at": messages.instant(returned_at),
        }
        return Recorded(content, is_new)

    def _insert(self, statement: str, values: tuple[object, ...]) -> bool:
        cursor: sqlite3.Cursor = self._connection.execute(statement, values)
        return cursor.rowcount == 1


def _mandatory(document: dict[str, Any], name: str) -> str:
    text = read_text(document, name, longest=LONGEST_TEXT)
    if not text:
        raise InvalidRequest("mandatoryValueNotSupplied", f"{name} is mandatory")
    return text
