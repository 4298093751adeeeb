"""The provider's own book: every disbursement it took, in SQLite, on disk before any answer."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox.misbehaviour import AccountState, Conduct
from sandbox.validation import Disbursement

# A crashed process leaves SQLite's write-ahead log complete, so synchronous=NORMAL keeps every
# commit over SIGKILL; only a loss of power could take the last ones.
SETTINGS = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
PRAGMA busy_timeout = 5000;
PRAGMA cache_size = -32768;
"""

TABLES = """
CREATE TABLE IF NOT EXISTS payment (
    id INTEGER PRIMARY KEY,
    provider TEXT NOT NULL,
    correlation_id TEXT NOT NULL,
    requesting_reference TEXT,
    amount TEXT NOT NULL,
    currency TEXT NOT NULL,
    account TEXT NOT NULL,
    credit_party TEXT NOT NULL,
    debit_party TEXT NOT NULL,
    description TEXT,
    callback_url TEXT,
    status TEXT NOT NULL CHECK (status IN ('pending', 'completed', 'failed')),
    rejection TEXT,
    rejected_at_once INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    booked_at INTEGER,
    completes_at INTEGER,
    finished_at INTEGER,
    misbehaviour TEXT,
    requests INTEGER NOT NULL DEFAULT 1,
    callback_state TEXT NOT NULL
        CHECK (callback_state IN ('none', 'waiting', 'delivered', 'withheld', 'abandoned')),
    callback_at INTEGER,
    callback_attempts INTEGER NOT NULL DEFAULT 0,
    callback_copies INTEGER NOT NULL,
    UNIQUE (provider, correlation_id),
    CHECK ((booked_at IS NULL) = (rejection IS NOT NULL))
) STRICT;
CREATE INDEX IF NOT EXISTS payment_completes ON payment (completes_at)
    WHERE completes_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS payment_calls_back ON payment (callback_at)
    WHERE callback_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS refusal (
    provider TEXT NOT NULL,
    correlation_id TEXT NOT NULL,
    tries INTEGER NOT NULL,
    PRIMARY KEY (provider, correlation_id)
) STRICT, WITHOUT ROWID;
"""

# A payment that was forgotten stays in the book, with a mark behind the id by which it was known.
CLIENTS_ID = "substr(correlation_id, 1, 36)"
COLUMNS = (
    f"id, provider, {CLIENTS_ID}, requesting_reference, amount, currency, account, credit_party, "
    "debit_party, description, callback_url, status, rejection, rejected_at_once, received_at, "
    "booked_at, finished_at, callback_state, "
    "callback_attempts, callback_copies"
)


@dataclass(frozen=True, slots=True)
class Payment:
    """One disbursement in the book. Instants are milliseconds since 1970, UTC.

    `booked_at` is set exactly when the account is paid; `rejection` exactly when it is not.
    """

    id: int
    provider: str
    correlation_id: str
    requesting_reference: str | None
    amount: str
    currency: str
    account: str
    credit_party: str
    debit_party: str
    description: str | None
    callback_url: str | None
    status: str
    rejection: str | None
    rejected_at_once: int
    received_at: int
    booked_at: int | None
    finished_at: int | None
    callback_state: str
    callback_attempts: int
    callback_copies: int

    def is_for(self, disbursement: Disbursement) -> bool:
        """Whether a repeated correlation id asks for the same payment again."""
        return (
            self.amount == disbursement.amount
            and self.currency == disbursement.currency
            and self.credit_party == disbursement.credit_party
            and self.requesting_reference == disbursement.requesting_reference
        )


class CannotOpenBook(Exception):
    """The storage file cannot be used; the message says why."""


class Book:
    """Reads and writes of one storage file, by one process, on one thread."""

    def __init__(self, path: Path) -> None:
        try:
            self._connection = sqlite3.connect(path, isolation_level=None)
            self._connection.executescript(SETTINGS)
            self._connection.executescript(TABLES)
        except sqlite3.Error as error:
            raise CannotOpenBook(f"{path}: {error}") from error

    @property
    def connection(self) -> sqlite3.Connection:
        """For the other parts of the same book, in the same transactions."""
        return self._connection

    def close(self) -> None:
        """Leave one file behind, without a write-ahead log beside it."""
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """What is written inside is on disk when the block ends, or not at all."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def find(self, payment_id: int) -> Payment | None:
        row = self._connection.execute(
            f"SELECT {COLUMNS} FROM payment WHERE id = ?", (payment_id,)
        ).fetchone()
        return None if row is None else Payment(*row)

    def find_by_correlation_id(self, *, provider: str, correlation_id: str) -> Payment | None:
        row = self._connection.execute(
            f"SELECT {COLUMNS} FROM payment WHERE provider = ? AND correlation_id = ?",
            (provider, correlation_id),
        ).fetchone()
        return None if row is None else Payment(*row)

    def find_another(self, payment: Payment, *, same_provider: bool) -> Payment | None:
        """The newest payment beside this one, at its provider or at another."""
        row = self._connection.execute(
            f"SELECT {COLUMNS} FROM payment WHERE id <> ? AND (provider = ?) = ?"
            " ORDER BY id DESC LIMIT 1",
            (payment.id, payment.provider, same_provider),
        ).fetchone()
        return None if row is None else Payment(*row)

    def forget(self, payment: Payment) -> None:
        """Keep a payment that nobody finds by the client's id any more: it may be made again."""
        self._connection.execute(
            "UPDATE payment SET correlation_id = correlation_id || ' forgotten ' || id"
            " WHERE id = ? AND length(correlation_id) = 36",
            (payment.id,),
        )

    def count_request(self, payment: Payment) -> None:
        """Note that the client asked again for a payment that is in the book."""
        self._connection.execute(
            "UPDATE payment SET requests = requests + 1 WHERE id = ?", (payment.id,)
        )

    def count_refusal(self, disbursement: Disbursement) -> int:
        """Note a 5xx before booking; return how many times this disbursement has been tried."""
        row = self._connection.execute(
            "INSERT INTO refusal VALUES (?, ?, 1)"
            " ON CONFLICT DO UPDATE SET tries = tries + 1 RETURNING tries",
            (disbursement.provider, disbursement.correlation_id),
        ).fetchone()
        return int(row[0])

    def add(
        self,
        disbursement: Disbursement,
        *,
        conduct: Conduct,
        fault: str | None,
        account: AccountState,
        rejected_at_once: bool,
        now: int,
        completes_at: int | None,
        callback_state: str,
        callback_at: int | None,
    ) -> Payment:
        """Write a disbursement down; `completes_at` None means that it has its outcome now.

        `fault` is the name of how it is treated, where it is not treated well.
        """
        rejected = account is not AccountState.OPEN
        status = "pending"
        if completes_at is None:
            status = "failed" if rejected else "completed"
        payment = (
            disbursement.provider,
            disbursement.correlation_id,
            disbursement.requesting_reference,
            disbursement.amount,
            disbursement.currency,
            disbursement.account,
            disbursement.credit_party,
            disbursement.debit_party,
            disbursement.description,
            disbursement.callback_url,
            status,
            account.value if rejected else None,
            int(rejected_at_once),
            now,
            None if rejected else now,
            now if completes_at is None else None,
            callback_state,
            0,
            conduct.extra_callbacks,
        )
        cursor = self._connection.execute(
            "INSERT INTO payment (provider, correlation_id, requesting_reference, amount,"
            " currency, account, credit_party, debit_party, description, callback_url, status,"
            " rejection, rejected_at_once, received_at, booked_at, finished_at,"
            " callback_state, callback_attempts, callback_copies,"
            " completes_at, misbehaviour, callback_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*payment, completes_at, fault, callback_at),
        )
        assert cursor.lastrowid is not None
        return Payment(cursor.lastrowid, *payment)

    def complete_due(self, *, now: int) -> int:
        """Give every pending disbursement whose time has come its outcome; return how many."""
        return self._connection.execute(
            "UPDATE payment SET completes_at = NULL, finished_at = :now,"
            " status = iif(rejection IS NULL, 'completed', 'failed'),"
            " callback_at = iif(callback_state = 'waiting', :now, NULL)"
            " WHERE completes_at <= :now",
            {"now": now},
        ).rowcount

    def due_callbacks(self, *, now: int, limit: int) -> list[Payment]:
        """Payments whose next callback is to be sent, those that waited longest first."""
        rows = self._connection.execute(
            f"SELECT {COLUMNS} FROM payment WHERE callback_at <= ? ORDER BY callback_at LIMIT ?",
            (now, limit),
        )
        return [Payment(*row) for row in rows]

    def record_callbacks(self, changes: Sequence[tuple[str, int | None, int, int, int]]) -> None:
        """Write down (callback_state, callback_at, callback_attempts, callback_copies, id)."""
        self._connection.executemany(
            "UPDATE payment SET callback_state = ?, callback_at = ?, callback_attempts = ?,"
            " callback_copies = ? WHERE id = ?",
            changes,
        )
