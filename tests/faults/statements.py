"""What each provider says of the day by itself: a statement, written from its own book."""

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from uuid import UUID

from deploy.local.every_kind import BANK
from sandbox.messages import reference_of
from shared.clock import COUNTRY_ZONE, FileClock
from tests.faults.world import World

HEADING = "Time,Transaction ID,Correlation ID,Type,Amount,Currency,Balance"
MAPPING = {
    "columns": {
        "our_id": "Correlation ID",
        "reference": "Transaction ID",
        "amount": "Amount",
        "currency": "Currency",
        "direction": "Type",
        "booked_at": "Time",
        "balance": "Balance",
    },
    "out_values": ["out"],
    "in_values": ["in"],
}
_OF_THE_SANDBOX = """
    SELECT id, substr(correlation_id, 1, 36), amount, currency FROM payment
    WHERE provider = ? AND booked_at IS NOT NULL ORDER BY id
"""
_OF_THE_BANK = """
    SELECT reference, end_to_end_id, amount, currency FROM payment
    WHERE reference IS NOT NULL ORDER BY rowid
"""


@dataclass(frozen=True)
class Line:
    """One movement on our account with a provider, in minor units of riel, which have none."""

    reference: str
    payment_id: UUID | None
    amount_minor: int
    currency: str
    is_out: bool = True

    @property
    def net_minor(self) -> int:
        return -self.amount_minor if self.is_out else self.amount_minor


def booked_lines(world: World, provider: str) -> list[Line]:
    """What came in and what the provider paid, by its own book."""
    came_in = [
        Line(reference, None, amount_minor, currency, is_out=False)
        for reference, amount_minor, currency in world.arrivals(provider)
    ]
    if provider == BANK:
        assert world.stack.bank is not None
        rows = _read(str(world.stack.bank.storage), _OF_THE_BANK)
    else:
        assert world.stack.sandbox is not None
        rows = [
            (reference_of(provider, int(str(number))), *rest)
            for number, *rest in _read(str(world.stack.sandbox.storage), _OF_THE_SANDBOX, provider)
        ]
    return came_in + [
        Line(str(reference), UUID(str(payment)), int(Decimal(str(amount))), str(currency))
        for reference, payment, amount, currency in rows
    ]


def written(lines: Iterable[Line], *, at: str) -> bytes:
    """The file of a day with these lines, each at ``at``, and the balance after each."""
    balance, rows = 0, [HEADING]
    for line in lines:
        balance += line.net_minor
        payment = line.payment_id.hex if line.payment_id else ""
        kind = "out" if line.is_out else "in"
        rows.append(
            f"{at},{line.reference},{payment},{kind},{line.amount_minor},{line.currency},{balance}"
        )
    return ("\n".join(rows) + "\n").encode()


def half_wrong(lines: Sequence[Line]) -> list[Line]:
    """The same, where every other payment has another amount."""
    paid = 0
    changed = []
    for line in lines:
        paid += line.is_out
        is_wrong = line.is_out and paid % 2 == 0
        changed.append(replace(line, amount_minor=line.amount_minor + 100) if is_wrong else line)
    return changed


def today(world: World) -> tuple[date, str]:
    """The country's day by the programme's clock, and the instant as statements have it."""
    assert world.stack.clock_file is not None
    now = FileClock(world.stack.clock_file).now().astimezone(COUNTRY_ZONE)
    return now.date(), now.isoformat()


def reconciled(world: World) -> list[str]:
    """Hold every provider's statement against the books, as its treasurer would: what differs."""
    day, at = today(world)
    found = []
    for provider in world.providers:
        world.map_statements(provider, MAPPING)
        world.send_statement(provider, day, written(booked_lines(world, provider), at=at))
        report = world.reconciliation(provider, day)
        if not report["everything_matches"]:
            kinds = ", ".join(f"{each['count']} {each['kind']}" for each in report["open"])
            found.append(f"the statement of {provider} does not match the books: {kinds}")
    return found


def _read(storage: str, query: str, *values: object) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(f"file:{storage}?mode=ro", uri=True)) as connection:
        return connection.execute(query, values).fetchall()
