"""`python -m sandbox.bank.account`: the customer's account at the bank, by its book.

What the bank says of it by itself (a statement), what was paid, and what moved on it beside
payments: money that the customer brought, and fees that the bank took.
"""

import argparse
import sqlite3
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path

from sandbox.bank.book import Book
from sandbox.camt import as_camt
from sandbox.clock import CLOCK, now
from sandbox.inspection import open_reader
from sandbox.statements import ZONE, Account

MOVEMENT_REFERENCE = "%s-%s-%06d"
ENTRIES = f"""
WITH entry AS (
    SELECT 'payment' AS kind, booked_at AS at, amount, rowid AS number, reference,
        reference AS transaction_reference, end_to_end_id AS requesting_reference, account,
        NULL AS text
    FROM payment
    WHERE reference IS NOT NULL AND currency = :currency
    UNION ALL
    SELECT kind, booked_at, amount, id, printf('{MOVEMENT_REFERENCE}', :provider, kind, id),
        NULL, NULL, NULL, reference
    FROM movement
    WHERE currency = :currency
)
"""
PAID = """
SELECT end_to_end_id, amount, currency, account FROM payment
WHERE reference IS NOT NULL ORDER BY rowid
"""
BOOK_COLUMNS = ("provider", "correlation_id", "amount", "currency", "account")


def statement(storage: Path, account: Account) -> Iterator[bytes]:
    """A day's statement, as camt.053, some entries at a time."""
    made_at = datetime.fromtimestamp(now() / 1_000, ZONE)
    return as_camt(storage, account, now=made_at, entries=ENTRIES)


def book_as_csv(storage: Path, *, code: str) -> Iterator[str]:
    """What was paid, as CSV, a line at a time."""
    with closing(open_reader(storage)) as connection:
        yield ",".join(BOOK_COLUMNS) + "\n"
        for row in connection.execute(PAID):
            yield ",".join((code, *row)) + "\n"


def record(
    storage: Path, *, code: str, kind: str, amount: str, currency: str, reference: str
) -> str:
    """Keep that money came (`float`) or that a fee was taken (`charge`), once by its reference.

    Returns the bank's own reference of it, as it stands on the statement.
    """
    book = Book(storage)
    try:
        number = book.keep_movement(
            kind=kind, amount=amount, currency=currency, reference=reference, at=now()
        )
    finally:
        book.close()
    return MOVEMENT_REFERENCE % (code, kind, number)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sandbox.bank.account", description=__doc__)
    parser.add_argument("--storage", type=Path, required=True, help="the bank's book")
    parser.add_argument("--code", default="ncb", help="the bank's code (%(default)s)")
    parser.add_argument("--currency", default="KHR", help="of the account (%(default)s)")
    parser.add_argument("--clock-file", type=Path, help="dates the book in an exercise")
    tasks = parser.add_subparsers(dest="task", required=True)
    told = tasks.add_parser("statement", help="print a day's statement, as camt.053")
    told.add_argument("day", type=datetime.fromisoformat, help="such as 2026-11-29")
    tasks.add_parser("book", help="print what was paid, as CSV")
    for kind, what in (("float", "money came"), ("charge", "the bank took a fee")):
        moved = tasks.add_parser(kind, help=f"keep that {what}")
        moved.add_argument("amount", type=_amount, help="in whole units, such as 500000")
        moved.add_argument("reference", help="by which it is known; the same again changes nothing")
    given = parser.parse_args()
    if not given.storage.exists():
        sys.exit(f"{given.storage} is not there: start the bank, which makes it.")
    try:
        CLOCK.follow(given.clock_file)
        match given.task:
            case "statement":
                account = Account(given.code, given.day.date(), given.currency)
                _write(statement(given.storage, account))
            case "book":
                sys.stdout.writelines(book_as_csv(given.storage, code=given.code))
            case kind:
                own_reference = record(
                    given.storage,
                    code=given.code,
                    kind=kind,
                    amount=given.amount,
                    currency=given.currency,
                    reference=given.reference,
                )
                print(own_reference)
    except (OSError, sqlite3.Error) as error:
        sys.exit(f"sandbox.bank.account: {error}")


def _write(pages: Iterable[bytes]) -> None:
    for page in pages:
        sys.stdout.buffer.write(page)


def _amount(text: str) -> str:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal(0)
    if not amount.is_finite() or amount <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no amount of money above 0")
    return f"{amount:f}"


if __name__ == "__main__":
    main()
