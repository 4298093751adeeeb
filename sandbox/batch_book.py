"""The provider's batches, in its book: what was asked, and how far each has come.

A batch's lines are payments of the book from the moment on in which it is approved. Their numbers
follow one another, so that a batch knows its lines by the first and the last of them.
"""

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import orjson

from sandbox.batch_validation import BatchRequest, Line, Page
from sandbox.book import COLUMNS, Book, Payment
from sandbox.validation import UUID

TABLES = """
CREATE TABLE IF NOT EXISTS batch (
    id INTEGER PRIMARY KEY,
    provider TEXT NOT NULL,
    correlation_id TEXT NOT NULL,
    digest BLOB NOT NULL,
    callback_url TEXT,
    title TEXT,
    lines BLOB NOT NULL,
    line_count INTEGER NOT NULL,
    approved_when_created INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('received', 'created', 'approved', 'completed')),
    received_at INTEGER NOT NULL,
    due_at INTEGER,
    approval_id TEXT,
    approved_at INTEGER,
    completed_at INTEGER,
    first_payment INTEGER,
    last_payment INTEGER,
    fault TEXT,
    requests INTEGER NOT NULL DEFAULT 1,
    callback_state TEXT NOT NULL
        CHECK (callback_state IN ('none', 'waiting', 'delivered', 'withheld', 'abandoned')),
    callback_at INTEGER,
    callback_attempts INTEGER NOT NULL DEFAULT 0,
    callback_copies INTEGER NOT NULL DEFAULT 0,
    UNIQUE (provider, correlation_id)
) STRICT;
CREATE INDEX IF NOT EXISTS batch_open ON batch (provider) WHERE status <> 'completed';
CREATE INDEX IF NOT EXISTS batch_approval ON batch (approval_id) WHERE approval_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS batch_calls_back ON batch (callback_at) WHERE callback_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS paid_line (
    provider TEXT NOT NULL,
    requesting_reference TEXT NOT NULL,
    payment_id INTEGER NOT NULL,
    PRIMARY KEY (provider, requesting_reference)
) STRICT, WITHOUT ROWID;
"""

# A batch that was forgotten keeps a mark behind the id by which it was known, as payments do.
BATCH_COLUMNS = (
    "id, provider, substr(correlation_id, 1, 36), digest, callback_url, title, line_count,"
    " approved_when_created, status, received_at, approval_id, approved_at, completed_at,"
    " first_payment, last_payment, fault, callback_state, callback_attempts, callback_copies"
)

PAID_BEFORE = "duplicateRequest: this reference was paid before"


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch in the book. Instants are milliseconds since 1970, UTC.

    `first_payment` and `last_payment` are set exactly when it is approved.
    """

    id: int
    provider: str
    correlation_id: str
    digest: bytes
    callback_url: str | None
    title: str | None
    line_count: int
    approved_when_created: int
    status: str
    received_at: int
    approval_id: str | None
    approved_at: int | None
    completed_at: int | None
    first_payment: int | None
    last_payment: int | None
    fault: str | None
    callback_state: str
    callback_attempts: int
    callback_copies: int

    @property
    def payments(self) -> tuple[int, int]:
        """The numbers of its first and last line in the book; of none before it is approved."""
        return (self.first_payment or 0, self.last_payment or -1)


@dataclass(frozen=True, slots=True)
class BookedLine:
    """How a line is treated: `rejection` None is paid, `completes_at` says when."""

    line: Line
    rejection: str | None
    completes_at: int


class BatchBook:
    """Reads and writes of a book's batches, within the transactions of the book."""

    def __init__(self, book: Book) -> None:
        self._connection = book.connection
        self._connection.executescript(TABLES)

    def find(self, batch_id: int) -> Batch | None:
        return self._one("id = ?", batch_id)

    def find_by_correlation_id(self, *, provider: str, correlation_id: str) -> Batch | None:
        return self._one("provider = ? AND correlation_id = ?", provider, correlation_id)

    def find_by_approval_id(self, *, provider: str, approval_id: str) -> Batch | None:
        return self._one("provider = ? AND approval_id = ?", provider, approval_id)

    def count_open(self, provider: str) -> int:
        """How many batches of a provider are not completed."""
        row = self._connection.execute(
            "SELECT count(*) FROM batch WHERE provider = ? AND status <> 'completed'", (provider,)
        ).fetchone()
        return int(row[0])

    def add(
        self,
        request: BatchRequest,
        *,
        digest: bytes,
        fault: str | None,
        now: int,
        due_at: int,
    ) -> Batch:
        """Write a batch down as it was received; it is made into one when `due_at` comes."""
        cursor = self._connection.execute(
            "INSERT INTO batch (provider, correlation_id, digest, callback_url, title, lines,"
            " line_count, approved_when_created, status, received_at, due_at, fault,"
            " callback_state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'received', ?, ?, ?, 'none')",
            (
                request.provider,
                request.correlation_id,
                digest,
                request.callback_url,
                request.title,
                orjson.dumps(request.lines),
                len(request.lines),
                int(request.approved),
                now,
                due_at,
                fault,
            ),
        )
        batch = self.find(int(cursor.lastrowid or 0))
        assert batch is not None
        return batch

    def forget(self, batch: Batch) -> None:
        """Keep a batch that nobody finds by the client's id any more: it may be made again."""
        self._connection.execute(
            "UPDATE batch SET correlation_id = correlation_id || ' forgotten ' || id"
            " WHERE id = ? AND length(correlation_id) = 36",
            (batch.id,),
        )

    def count_request(self, batch: Batch) -> None:
        """Note that the client asked again for a batch that is in the book."""
        self._connection.execute(
            "UPDATE batch SET requests = requests + 1 WHERE id = ?", (batch.id,)
        )

    def lines(self, batch: Batch) -> list[Line]:
        """A batch's lines as they were asked for."""
        row = self._connection.execute(
            "SELECT lines FROM batch WHERE id = ?", (batch.id,)
        ).fetchone()
        return [Line(**line) for line in orjson.loads(row[0])]

    def received(self, *, now: int, limit: int) -> list[Batch]:
        """Batches that are due to be made of what was received."""
        return self._many("status = 'received' AND due_at <= ? ORDER BY due_at LIMIT ?", now, limit)

    def finished(self, *, limit: int) -> list[Batch]:
        """Approved batches that have no line without an outcome."""
        return self._many(
            "status = 'approved' AND NOT EXISTS (SELECT 1 FROM payment"
            " WHERE payment.id BETWEEN first_payment AND last_payment"
            " AND payment.status = 'pending') LIMIT ?",
            limit,
        )

    def create(self, batch: Batch) -> None:
        """What was received is a batch, which waits for approval."""
        self._connection.execute("UPDATE batch SET status = 'created' WHERE id = ?", (batch.id,))

    def approve(
        self, batch: Batch, lines: Iterable[BookedLine], *, approval_id: str | None, now: int
    ) -> None:
        """Pay a batch: its lines enter the book, each paid unless it has a reason against it."""
        numbered = list(enumerate(self._once_each(batch.provider, lines), self._next_payment()))
        first, last = numbered[0][0], numbered[-1][0]
        self._connection.executemany(
            "INSERT INTO paid_line VALUES (?, ?, ?)",
            (
                (batch.provider, booked.line.requesting_reference, number)
                for number, booked in numbered
                if booked.rejection is None and booked.line.requesting_reference is not None
            ),
        )
        self._connection.executemany(
            "INSERT INTO payment (id, provider, correlation_id, requesting_reference, amount,"
            " currency, account, credit_party, debit_party, description, status, rejection,"
            " rejected_at_once, received_at, booked_at, completes_at, callback_state,"
            " callback_copies) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending', ?, 0, ?, ?, ?,"
            " 'none', 0)",
            (_payment(batch, number, booked, now=now) for number, booked in numbered),
        )
        self._connection.execute(
            "UPDATE batch SET status = 'approved', approval_id = ?, approved_at = ?,"
            " first_payment = ?, last_payment = ? WHERE id = ?",
            (approval_id, now, first, last, batch.id),
        )

    def complete(self, batch: Batch, *, now: int) -> None:
        """Each line of a batch has its outcome."""
        self._connection.execute(
            "UPDATE batch SET status = 'completed', completed_at = ? WHERE id = ?",
            (now, batch.id),
        )

    def call_back(self, batch: Batch, *, state: str, copies: int, at: int | None) -> None:
        """Have the client told of a batch as it is now, at that instant and so often besides."""
        self._connection.execute(
            "UPDATE batch SET callback_state = ?, callback_copies = ?, callback_attempts = 0,"
            " callback_at = ? WHERE id = ?",
            (state, copies, at if state == "waiting" else None, batch.id),
        )

    def due_callbacks(self, *, now: int, limit: int) -> list[Batch]:
        """Batches whose next callback is to be sent, those that waited longest first."""
        return self._many("callback_at <= ? ORDER BY callback_at LIMIT ?", now, limit)

    def record_callback(self, batch: Batch, change: tuple[str, int | None, int, int]) -> None:
        """Write down (callback_state, callback_at, callback_attempts, callback_copies).

        Where the batch has come further meanwhile, there is something else to tell.
        """
        self._connection.execute(
            "UPDATE batch SET callback_state = ?, callback_at = ?, callback_attempts = ?,"
            " callback_copies = ? WHERE id = ? AND status = ?",
            (*change, batch.id, batch.status),
        )

    def counts(self, batch: Batch) -> dict[str, int]:
        """How many of a batch's lines have each status."""
        rows = self._connection.execute(
            "SELECT status, count(*) FROM payment WHERE id BETWEEN ? AND ? GROUP BY status",
            batch.payments,
        )
        return dict(rows.fetchall())

    def results(self, batch: Batch, *, status: str, page: Page) -> list[Payment]:
        """A batch's completed or failed lines, in the order in which they ended."""
        rows = self._connection.execute(
            f"SELECT {COLUMNS} FROM payment WHERE id BETWEEN ? AND ? AND status = ?"
            " ORDER BY finished_at, id LIMIT ? OFFSET ?",
            (*batch.payments, status, page.limit, page.offset),
        )
        return [Payment(*row) for row in rows]

    def shuffled_results(
        self, batch: Batch, *, status: str, page: Page, shuffle: int
    ) -> list[Payment]:
        """The same in an order that each number has another of."""
        rows = self._connection.execute(
            f"SELECT {COLUMNS} FROM payment WHERE id BETWEEN ? AND ? AND status = ?"
            " ORDER BY (id * ?) % 10007, id LIMIT ? OFFSET ?",
            (*batch.payments, status, shuffle * 7919 + 1, page.limit, page.offset),
        )
        return [Payment(*row) for row in rows]

    def paid_before(self, *, provider: str, reference: str) -> int | None:
        """The number of the payment of a line with this reference, if there is one."""
        row = self._connection.execute(
            "SELECT payment_id FROM paid_line WHERE provider = ? AND requesting_reference = ?",
            (provider, reference),
        ).fetchone()
        return None if row is None else int(row[0])

    def _once_each(self, provider: str, lines: Iterable[BookedLine]) -> Iterator[BookedLine]:
        """The lines, those rejected that were paid before or that stand above in the batch."""
        booked_lines = list(lines)
        references = [booked.line.requesting_reference for booked in booked_lines]
        rows = self._connection.execute(
            "SELECT requesting_reference FROM paid_line WHERE provider = ?"
            " AND requesting_reference IN (SELECT value FROM json_each(?))",
            (provider, orjson.dumps(references).decode()),
        )
        paid = {row[0] for row in rows}
        for booked in booked_lines:
            reference = booked.line.requesting_reference
            if booked.rejection is None and reference is not None:
                if reference in paid:
                    booked = replace(booked, rejection=PAID_BEFORE)
                paid.add(reference)
            yield booked

    def _next_payment(self) -> int:
        row = self._connection.execute("SELECT coalesce(max(id), 0) + 1 FROM payment").fetchone()
        return int(row[0])

    def _one(self, where: str, *values: Any) -> Batch | None:
        return next(self._rows(where, values), None)

    def _many(self, where: str, *values: Any) -> list[Batch]:
        return list(self._rows(where, values))

    def _rows(self, where: str, values: tuple[Any, ...]) -> Iterator[Batch]:
        rows = self._connection.execute(f"SELECT {BATCH_COLUMNS} FROM batch WHERE {where}", values)
        return (Batch(*row) for row in rows)


def _payment(batch: Batch, number: int, booked: BookedLine, *, now: int) -> tuple[object, ...]:
    """A line as a payment of the book."""
    line = booked.line
    return (
        number,
        batch.provider,
        f"{_clients_id(batch, number, line)} in batch {batch.id} as {number}",
        line.requesting_reference,
        line.amount,
        line.currency,
        line.account,
        line.credit_party,
        line.debit_party,
        line.description,
        booked.rejection,
        batch.received_at,
        now if booked.rejection is None else None,
        booked.completes_at,
    )


def _clients_id(batch: Batch, number: int, line: Line) -> str:
    """The client's id of a line, 36 characters: its reference where that is a UUID."""
    reference = line.requesting_reference
    if reference is not None and UUID.fullmatch(reference):
        return reference.lower()
    return str(uuid.uuid5(uuid.UUID(batch.correlation_id), str(number)))
