"""The bank's own book: every file that it fetched, every line, and what it has yet to say."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox.bank.orders import File

TABLES = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
PRAGMA busy_timeout = 5000;
CREATE TABLE IF NOT EXISTS file (
    message_id TEXT PRIMARY KEY,
    sha256 TEXT NOT NULL,
    refusal TEXT,
    written_at REAL NOT NULL,
    copies INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE TABLE IF NOT EXISTS payment (
    end_to_end_id TEXT PRIMARY KEY,
    message_id TEXT NOT NULL REFERENCES file,
    account TEXT NOT NULL,
    amount TEXT NOT NULL,
    currency TEXT NOT NULL,
    rejection TEXT,
    reference TEXT UNIQUE,
    booked_at INTEGER NOT NULL,
    CHECK ((rejection IS NULL) = (reference IS NOT NULL))
) STRICT;
CREATE TABLE IF NOT EXISTS movement (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('float', 'charge')),
    reference TEXT NOT NULL,
    amount TEXT NOT NULL,
    currency TEXT NOT NULL,
    booked_at INTEGER NOT NULL,
    UNIQUE (kind, reference)
) STRICT;
CREATE TABLE IF NOT EXISTS saying (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    content BLOB NOT NULL,
    due_at REAL NOT NULL
) STRICT;
"""


@dataclass(frozen=True, slots=True)
class Booked:
    """How one line of a file was booked."""

    end_to_end_id: str
    rejection: str | None
    reference: str | None


@dataclass(frozen=True, slots=True)
class Saying:
    """Bytes to be written under a name, from an instant on (Unix seconds)."""

    name: str
    content: bytes
    due_at: float
    id: int = 0


class Book:
    """One SQLite file. What is booked and what will be said of it are one commit."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.executescript(TABLES)

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def commit(self) -> Iterator[None]:
        """All that is written within is kept, or nothing of it."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def count_copy(self, message_id: str) -> bool:
        """Count another copy of a file that was fetched before; whether it was."""
        counted = self._connection.execute(
            "UPDATE file SET copies = copies + 1 WHERE message_id = ?", (message_id,)
        )
        return counted.rowcount == 1

    def keep_file(self, file: File, refusal: str | None) -> None:
        """Keep that a file was fetched, and why it is refused, if it is."""
        self._connection.execute(
            "INSERT INTO file (message_id, sha256, refusal, written_at) VALUES (?, ?, ?, ?)",
            (file.message_id, file.sha256, refusal, file.written_at),
        )

    def is_paid(self, end_to_end_id: str) -> bool:
        """Whether there is a line of that name."""
        found = self._connection.execute(
            "SELECT 1 FROM payment WHERE end_to_end_id = ?", (end_to_end_id,)
        )
        return found.fetchone() is not None

    def keep_payments(self, file: File, booked: Sequence[Booked], *, now: float) -> None:
        """Keep how the lines of a file were booked, at that instant (Unix seconds)."""
        lines = {line.end_to_end_id: line for line in file.lines}
        self._connection.executemany(
            "INSERT INTO payment VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    each.end_to_end_id,
                    file.message_id,
                    lines[each.end_to_end_id].account,
                    lines[each.end_to_end_id].amount,
                    lines[each.end_to_end_id].currency,
                    each.rejection,
                    each.reference,
                    int(now * 1_000),
                )
                for each in booked
            ],
        )

    def keep_movement(
        self, *, kind: str, amount: str, currency: str, reference: str, at: int
    ) -> int:
        """Keep what moved beside payments, once by its reference; its number.

        ``at`` is Unix milliseconds.
        """
        self._connection.execute(
            "INSERT INTO movement (kind, reference, amount, currency, booked_at)"
            " VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (kind, reference, amount, currency, at),
        )
        known = self._connection.execute(
            "SELECT id FROM movement WHERE kind = ? AND reference = ?", (kind, reference)
        )
        return int(known.fetchone()[0])

    def say(self, sayings: Sequence[Saying]) -> None:
        """Have these be written when they are due."""
        self._connection.executemany(
            "INSERT INTO saying (name, content, due_at) VALUES (?, ?, ?)",
            [(saying.name, saying.content, saying.due_at) for saying in sayings],
        )

    def due(self, *, now: float, limit: int = 100) -> list[Saying]:
        """What is to be written by now, in its order."""
        rows = self._connection.execute(
            "SELECT name, content, due_at, id FROM saying WHERE due_at <= ? "
            "ORDER BY due_at, id LIMIT ?",
            (now, limit),
        )
        return [Saying(*row) for row in rows]

    def said(self, saying: Saying) -> None:
        """It is written."""
        self._connection.execute("DELETE FROM saying WHERE id = ?", (saying.id,))
