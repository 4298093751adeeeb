"""The judge's view of the book: every payment as CSV, and the totals."""

import csv
import io
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path

from sandbox.book import CLIENTS_ID

BOOK_COLUMNS = (
    "provider",
    "correlation_id",
    "transaction_reference",
    "amount",
    "currency",
    "account",
    "booked_at",
    "requesting_reference",
)
ROWS_AT_ONCE = 2_000

BOOKED_PAYMENTS = f"""
SELECT provider, {CLIENTS_ID}, printf('%s-%010d', provider, id), amount, currency, account,
    strftime('%Y-%m-%dT%H:%M:%fZ', booked_at / 1000.0, 'unixepoch'), requesting_reference
FROM payment WHERE booked_at IS NOT NULL ORDER BY id
"""
AMOUNTS = """
SELECT currency, amount, count(*) FROM payment WHERE booked_at IS NOT NULL
GROUP BY currency, amount
"""
BOOKED = "SELECT count(*) FROM payment WHERE booked_at IS NOT NULL"
FLOATS = "SELECT currency, amount, count(*) FROM float_arrival GROUP BY currency, amount"
CHARGES = "SELECT currency, amount, count(*) FROM charge GROUP BY currency, amount"
RETURNS = """
SELECT currency, amount, count(*) FROM payment_return JOIN payment ON payment.id = payment_id
GROUP BY currency, amount
"""
PAID_MORE_THAN_ONCE = """
SELECT count(*) FROM (
    SELECT 1 FROM payment WHERE booked_at IS NOT NULL AND {column} IS NOT NULL
    GROUP BY {column} HAVING count(*) > 1
)
"""
CALLBACKS_DUE = """
SELECT (SELECT count(*) FROM payment WHERE callback_at IS NOT NULL)
    + (SELECT count(*) FROM batch WHERE callback_at IS NOT NULL)
"""


def book_as_csv(path: Path) -> Iterator[bytes]:
    """Every booked payment in the order of booking, a header line first, as of one moment."""
    with closing(open_reader(path)) as connection:
        page = io.StringIO()
        writer = csv.writer(page, lineterminator="\n")
        writer.writerow(BOOK_COLUMNS)
        cursor = connection.execute(BOOKED_PAYMENTS)
        while rows := cursor.fetchmany(ROWS_AT_ONCE):
            writer.writerows(rows)
            yield page.getvalue().encode()
            page.seek(0)
            page.truncate()
        yield page.getvalue().encode()


def summary(path: Path) -> dict[str, object]:
    """Counts and totals of the book; see the README for the meaning of each."""
    with closing(open_reader(path)) as connection:
        connection.execute("BEGIN")
        statuses = _counts(connection, "status")
        callbacks = _counts(connection, "callback_state")
        batches = _counts(connection, "status", table="batch")
        return {
            "count": _number(connection, BOOKED),
            "totals": _totals(connection, AMOUNTS),
            "pending": statuses.get("pending", 0)
            + batches.get("received", 0)
            + batches.get("approved", 0),
            "rejected": statuses.get("failed", 0),
            "rejections": _counts(connection, "rejection", where="status = 'failed'"),
            "duplicate_references": _number(
                connection, PAID_MORE_THAN_ONCE.format(column="requesting_reference")
            ),
            "repeated_accounts": _number(connection, PAID_MORE_THAN_ONCE.format(column="account")),
            "repeated_requests": _number(
                connection, "SELECT coalesce(sum(requests - 1), 0) FROM payment"
            ),
            "refused_requests": _number(connection, "SELECT coalesce(sum(tries), 0) FROM refusal"),
            "callbacks": callbacks,
            "callbacks_due": _number(connection, CALLBACKS_DUE),
            "floats": _totals(connection, FLOATS),
            "charges": _totals(connection, CHARGES),
            "returns": _totals(connection, RETURNS),
            "batches": batches,
            "batch_callbacks": _counts(connection, "callback_state", table="batch"),
            "repeated_batches": _number(
                connection, "SELECT coalesce(sum(requests - 1), 0) FROM batch"
            ),
            "misbehaviours": _counts(connection, "misbehaviour"),
        }


def open_reader(path: Path) -> sqlite3.Connection:
    """A reader of its own, which sees one moment of the book while the writer goes on.

    It may be read piece by piece, each in whichever thread is free.
    """
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False)


def _counts(
    connection: sqlite3.Connection, column: str, *, table: str = "payment", where: str = "1"
) -> dict[str, int]:
    rows = connection.execute(
        f"SELECT {column}, count(*) FROM {table}"
        f" WHERE {column} IS NOT NULL AND {where} GROUP BY {column}"
    )
    return dict(rows.fetchall())


def _totals(connection: sqlite3.Connection, query: str) -> dict[str, str]:
    """Sums by currency, as decimal text, of amounts that are text."""
    totals: dict[str, Decimal] = {}
    for currency, amount, times in connection.execute(query):
        totals[currency] = totals.get(currency, Decimal(0)) + Decimal(amount) * times
    return {currency: f"{total:f}" for currency, total in sorted(totals.items())}


def _number(connection: sqlite3.Connection, query: str) -> int:
    return int(connection.execute(query).fetchone()[0])
