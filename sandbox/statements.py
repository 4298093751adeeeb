"""The client's account with a provider, a day at a time: what was on it, what moved, what is."""

import csv
import io
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from pathlib import Path

from sandbox.inspection import open_reader
from sandbox.treasury import CHARGE_REFERENCE, FLOAT_REFERENCE, RETURN_REFERENCE
from sandbox.validation import DECIMALS, InvalidRequest

ZONE = timezone(timedelta(hours=7))
"""Cambodia's, in which a day is a day."""

DAY = re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}")
ENTRIES_AT_ONCE = 1_000

COLUMNS = (
    "kind",
    "booked_at",
    "amount",
    "currency",
    "entry_reference",
    "transaction_reference",
    "requesting_reference",
    "account",
    "text",
    "balance",
)

# A payment is on the account once it is completed: what is still promised is not on it.
ENTRIES = f"""
WITH entry AS (
    SELECT 'payment' AS kind, finished_at AS at, amount, id AS number,
        printf('%s-%010d', provider, id) AS reference,
        printf('%s-%010d', provider, id) AS transaction_reference,
        requesting_reference, account, description AS text
    FROM payment
    WHERE provider = :provider AND currency = :currency AND status = 'completed'
      AND booked_at IS NOT NULL
    UNION ALL
    SELECT 'return', returned_at, amount, payment_return.id,
        printf('{RETURN_REFERENCE}', provider, payment_return.id),
        printf('%s-%010d', provider, payment_id), requesting_reference, account, reason
    FROM payment_return JOIN payment ON payment.id = payment_id
    WHERE provider = :provider AND currency = :currency
    UNION ALL
    SELECT 'float', arrived_at, amount, id, printf('{FLOAT_REFERENCE}', provider, id),
        NULL, NULL, NULL, reference
    FROM float_arrival
    WHERE provider = :provider AND currency = :currency
    UNION ALL
    SELECT 'charge', taken_at, amount, id, printf('{CHARGE_REFERENCE}', provider, id),
        NULL, NULL, NULL, reference
    FROM charge
    WHERE provider = :provider AND currency = :currency
)
"""
OF_THE_DAY = """
SELECT kind, at, amount, reference, transaction_reference, requesting_reference, account, text
FROM entry
WHERE at >= :begins AND at < :ends
-- Of one instant, what came in comes first: the balance of no line lies below what there was.
ORDER BY at, kind <> 'float', kind, number
"""
SUMS = """
SELECT kind, at >= :begins AS of_the_day, amount, count(*) FROM entry
WHERE at < :ends GROUP BY 1, 2, 3
"""


class Kind(StrEnum):
    """What moved money on the account."""

    PAYMENT = "payment"
    RETURN = "return"
    FLOAT = "float"
    CHARGE = "charge"

    @property
    def takes(self) -> bool:
        """Whether it takes from the account."""
        return self in (Kind.PAYMENT, Kind.CHARGE)


@dataclass(frozen=True, slots=True)
class Entry:
    """One movement on the account: a payment and a charge take from it, the others add to it.

    `reference` is the provider's for the entry, `transaction_reference` that of the payment that
    it is, or that came back. `requesting_reference` is the client's, of the payment.
    """

    kind: Kind
    booked_at: datetime
    amount: Decimal
    reference: str
    transaction_reference: str | None
    requesting_reference: str | None
    account: str | None
    text: str | None

    @property
    def signed_amount(self) -> Decimal:
        return -self.amount if self.kind.takes else self.amount


@dataclass(frozen=True, slots=True)
class Totals:
    """What a statement adds up to. Amounts in major units; balances below zero are owed."""

    opening: Decimal
    credits: Decimal
    credit_count: int
    debits: Decimal
    debit_count: int

    @property
    def closing(self) -> Decimal:
        return self.opening + self.credits - self.debits


@dataclass(frozen=True, slots=True)
class Account:
    """Whose statement, of which day and currency."""

    provider: str
    day: date
    currency: str

    @property
    def begins_at(self) -> datetime:
        return datetime.combine(self.day, time.min, ZONE)

    @property
    def ends_at(self) -> datetime:
        return self.begins_at + timedelta(days=1)


class Statement:
    """One day of one account, as of one moment of the book: its totals, then its entries.

    ``entries`` is SQL that has whatever ever moved on the account as ``entry``.
    """

    def __init__(
        self, connection: sqlite3.Connection, account: Account, *, entries: str = ENTRIES
    ) -> None:
        self.account = account
        self._entries = entries
        self._connection = connection
        self._given = {
            "provider": account.provider,
            "currency": account.currency,
            "begins": _milliseconds(account.begins_at),
            "ends": _milliseconds(account.ends_at),
        }
        self.totals = self._totals()

    def entries(self) -> Iterator[list[Entry]]:
        """The day's entries in the order of booking, some at a time."""
        cursor = self._connection.execute(self._entries + OF_THE_DAY, self._given)
        while rows := cursor.fetchmany(ENTRIES_AT_ONCE):
            yield [_entry(*row) for row in rows]

    def _totals(self) -> Totals:
        opening = credits = debits = Decimal(0)
        credit_count = debit_count = 0
        rows = self._connection.execute(self._entries + SUMS, self._given)
        for kind, of_the_day, amount, count in rows:
            money = Decimal(amount) * count
            is_debit = Kind(kind).takes
            if not of_the_day:
                opening += -money if is_debit else money
            elif is_debit:
                debits += money
                debit_count += count
            else:
                credits += money
                credit_count += count
        return Totals(opening, credits, credit_count, debits, debit_count)


def read_account(provider: str, name: str, query: bytes) -> Account:
    """The account that `{day}.csv` or `{day}.camt.053.xml` is of; raises InvalidRequest."""
    day, _, form = name.partition(".")
    if form not in ("csv", "camt.053.xml"):
        raise InvalidRequest("formatError", "a statement is .csv or .camt.053.xml")
    given = dict(part.partition("=")[::2] for part in query.decode("latin-1").split("&") if part)
    currency = given.get("currency", "KHR")
    if currency not in DECIMALS:
        raise InvalidRequest("currencyNotSupported", "currency must be KHR or USD")
    try:
        if DAY.fullmatch(day):
            return Account(provider, date.fromisoformat(day), currency)
    except ValueError:
        pass
    raise InvalidRequest("formatError", "a day is like 2026-11-29, of this century")


def as_csv(path: Path, account: Account) -> Iterator[bytes]:
    """A statement as CSV: the day's balances, a header, the entries with the balance after each."""
    with closing(open_reader(path)) as connection:
        connection.execute("BEGIN")
        statement = Statement(connection, account)
        page = io.StringIO()
        writer = csv.writer(page, lineterminator="\n")
        totals, currency = statement.totals, account.currency
        begins, ends = account.begins_at.isoformat(), account.ends_at.isoformat()
        writer.writerow(["opening-balance", begins, f"{totals.opening:f}", currency])
        writer.writerow(["closing-balance", ends, f"{totals.closing:f}", currency])
        writer.writerow(COLUMNS)
        yield page.getvalue().encode()
        balance = totals.opening
        for entries in statement.entries():
            page.seek(0)
            page.truncate()
            for entry in entries:
                balance += entry.signed_amount
                writer.writerow([*_row(entry, currency), f"{balance:f}"])
            yield page.getvalue().encode()


def open_statement(
    path: Path, account: Account, *, entries: str = ENTRIES
) -> tuple[sqlite3.Connection, Statement]:
    """A statement, with the connection that whoever reads it closes in the end."""
    connection = open_reader(path)
    connection.execute("BEGIN")
    return connection, Statement(connection, account, entries=entries)


def _row(entry: Entry, currency: str) -> list[str]:
    return [
        entry.kind,
        entry.booked_at.isoformat(timespec="milliseconds"),
        f"{entry.signed_amount:f}",
        currency,
        entry.reference,
        entry.transaction_reference or "",
        entry.requesting_reference or "",
        entry.account or "",
        entry.text or "",
    ]


def _entry(
    kind: str,
    at: int,
    amount: str,
    reference: str,
    transaction_reference: str | None,
    requesting_reference: str | None,
    account: str | None,
    text: str | None,
) -> Entry:
    return Entry(
        kind=Kind(kind),
        booked_at=datetime.fromtimestamp(at / 1_000, UTC).astimezone(ZONE),
        amount=Decimal(amount),
        reference=reference,
        transaction_reference=transaction_reference,
        requesting_reference=requesting_reference,
        account=account,
        text=text,
    )


def _milliseconds(instant: datetime) -> int:
    return int(instant.timestamp()) * 1_000
