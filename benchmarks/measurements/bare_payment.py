"""The bare limit of paying: the very rows of a run, by as few statements as SQL takes for them.

From plain tables that hold what the run left, on one connection, each part in one transaction, into
copies with all indexes and constraints that hold the rows of all runs before.
"""

import time
from dataclasses import dataclass

import asyncpg

from benchmarks.database import copy_of, make_copies, quiet, rows_of
from benchmarks.measurements.paid import Numbers

_ENROLMENT, _ENTITLEMENT = "registry.enrolment", "registry.entitlement"
_INSTRUCTION = "payments.instruction"
_OF_MOVES = (
    "payments.instruction_move",
    "payments.journal_entry",
    "payments.transfer",
    "payments.batch",
    "payments.batch_move",
)
_TABLES = (_ENROLMENT, _ENTITLEMENT, _INSTRUCTION, *_OF_MOVES)
_OF_RUN = {
    _ENROLMENT: "activation_id = $1",
    _ENTITLEMENT: "activation_id = $1",
    _INSTRUCTION: """
        chunk_number IN (
            SELECT chunk.number FROM payments.chunk
            JOIN payments.payment_round ON payment_round.number = chunk.round_number
            WHERE payment_round.activation_id = $1
        )
    """,
}
_SINCE = {
    "payments.instruction_move": ("entry_number", "entry"),
    "payments.journal_entry": ("number", "entry"),
    "payments.transfer": ("entry_number", "entry"),
    "payments.batch": ("number", "batch"),
    "payments.batch_move": ("batch_number", "batch"),
}
_RAISED = f"""
    UPDATE {rows_of(_INSTRUCTION)} SET status = 'ready', moves = 0, inquiries = 0,
        next_action_at = NULL, first_sent_at = NULL, sent_at = NULL, finished_at = NULL,
        batch_number = NULL, transaction_reference = NULL
"""
_SENT_ENTRIES = f"(SELECT entry_number FROM {rows_of('payments.transfer')} WHERE code = 'sent')"
_CLAIM = (
    f"""
    UPDATE {copy_of(_INSTRUCTION)} AS instruction
    SET status = 'sending', moves = 1, first_sent_at = row.first_sent_at, sent_at = row.sent_at,
        batch_number = row.batch_number
    FROM {rows_of(_INSTRUCTION)}_ended AS row
    WHERE instruction.id = row.id AND instruction.status = 'ready'
    """,
    f"""
    INSERT INTO {copy_of("payments.instruction_move")}
    SELECT * FROM {rows_of("payments.instruction_move")} WHERE to_status = 'sending'
    """,
    f"""
    INSERT INTO {copy_of("payments.journal_entry")} OVERRIDING SYSTEM VALUE
    SELECT * FROM {rows_of("payments.journal_entry")} WHERE number IN {_SENT_ENTRIES}
    """,
    f"""
    INSERT INTO {copy_of("payments.transfer")}
    SELECT * FROM {rows_of("payments.transfer")} WHERE entry_number IN {_SENT_ENTRIES}
    """,
    f"""
    INSERT INTO {copy_of("payments.batch")} OVERRIDING SYSTEM VALUE
    SELECT * FROM {rows_of("payments.batch")}
    """,
    f"""
    INSERT INTO {copy_of("payments.batch_move")}
    SELECT * FROM {rows_of("payments.batch_move")} WHERE to_status <> 'closed'
    """,
)
_SETTLE = (
    f"""
    UPDATE {copy_of(_INSTRUCTION)} AS instruction
    SET status = 'settled', moves = 2, finished_at = row.finished_at,
        transaction_reference = row.transaction_reference
    FROM {rows_of(_INSTRUCTION)}_ended AS row
    WHERE instruction.id = row.id AND instruction.status = 'sending'
    """,
    f"""
    INSERT INTO {copy_of("payments.instruction_move")}
    SELECT * FROM {rows_of("payments.instruction_move")} WHERE to_status <> 'sending'
    """,
    f"""
    INSERT INTO {copy_of("payments.journal_entry")} OVERRIDING SYSTEM VALUE
    SELECT * FROM {rows_of("payments.journal_entry")} WHERE number NOT IN {_SENT_ENTRIES}
    """,
    f"""
    INSERT INTO {copy_of("payments.transfer")}
    SELECT * FROM {rows_of("payments.transfer")} WHERE entry_number NOT IN {_SENT_ENTRIES}
    """,
    f"""
    INSERT INTO {copy_of("payments.batch_move")}
    SELECT * FROM {rows_of("payments.batch_move")} WHERE to_status = 'closed'
    """,
)


@dataclass(frozen=True)
class BarePayment:
    """Seconds for each part of a run."""

    activation: float
    dispatch: float
    settlement: float

    @property
    def together(self) -> float:
        return self.activation + self.dispatch + self.settlement


async def pay_bare(
    connection: asyncpg.Connection, activation_id: str, *, before: Numbers
) -> BarePayment:
    """Enrol, entitle and raise; claim and book; settle and book: the rows of one run that is over.

    ``before`` are the numbers that the payments service had reached when the run began.
    """
    if not await connection.fetchval("SELECT to_regclass($1)", copy_of(_OF_MOVES[0])):
        await connection.execute("DROP SCHEMA IF EXISTS benchmark CASCADE")
        await make_copies(connection, _TABLES)
    for table in _TABLES:
        await _take_rows(connection, table, activation_id, before)
    ended = f"{rows_of(_INSTRUCTION)}_ended"
    await connection.execute(
        f"CREATE UNLOGGED TABLE {ended} AS SELECT * FROM {rows_of(_INSTRUCTION)}"
    )
    await connection.execute(_RAISED)
    activation = await _timed(
        connection,
        [
            f"INSERT INTO {copy_of(table)} SELECT * FROM {rows_of(table)}"
            for table in (_ENROLMENT, _ENTITLEMENT, _INSTRUCTION)
        ],
    )
    dispatch = await _timed(connection, _CLAIM)
    settlement = await _timed(connection, _SETTLE)
    for table in (ended, *(rows_of(table) for table in _TABLES)):
        await connection.execute(f"DROP TABLE {table}")
    return BarePayment(activation, dispatch, settlement)


async def _take_rows(
    connection: asyncpg.Connection, table: str, activation_id: str, before: Numbers
) -> None:
    await connection.execute(f"CREATE UNLOGGED TABLE {rows_of(table)} (LIKE {table})")
    insert = f"INSERT INTO {rows_of(table)} SELECT * FROM {table} WHERE"
    if table in _OF_RUN:
        await connection.execute(f"{insert} {_OF_RUN[table]}", activation_id)
    else:
        column, number = _SINCE[table]
        await connection.execute(f"{insert} {column} > $1", getattr(before, number))


async def _timed(
    connection: asyncpg.Connection, statements: "list[str] | tuple[str, ...]"
) -> float:
    await quiet(
        connection, *(copy_of(table) for table in _TABLES), f"{rows_of(_INSTRUCTION)}_ended"
    )
    began = time.perf_counter()
    async with connection.transaction():
        for statement in statements:
            await connection.execute(statement)
    return time.perf_counter() - began
