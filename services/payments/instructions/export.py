"""Payments as rows of CSV, for whoever counts in a spreadsheet: ids, codes and amounts.

Neither accounts nor names, nor what an officer wrote.
"""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from services.payments.instructions import repository
from services.payments.instructions.states import Status
from services.payments.statements import AnyRow
from shared.audit import Taken
from shared.bounds import Bound
from shared.database import Database
from shared.spreadsheets import csv_of, guarded

COLUMNS = (
    "instruction_id",
    "entitlement_id",
    "household_id",
    "activation_id",
    "chunk_id",
    "scheme",
    "round",
    "area_code",
    "provider",
    "amount_minor",
    "currency",
    "paid_minor",
    "status",
    "announcement",
    "attempt",
    "reason",
    "transaction_reference",
    "sent_at",
    "finished_at",
)
"""The header, in the order of ``repository.read_instructions``."""

ROWS_AT_ONCE = 1_000
_BEFORE_ALL = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Filters:
    """Which payments; what is None does not narrow."""

    status: Status | None = None
    activation_id: UUID | None = None
    chunk_id: UUID | None = None
    entitlement_id: UUID | None = None
    provider: str | None = None
    bound: Bound = None


async def pieces(database: Database, filters: Filters, taken: Taken) -> AsyncIterator[bytes]:
    """The CSV, chunk by chunk, some rows at a time; ``taken`` counts them.

    Each piece is a short transaction of its own: a slow reader holds nothing, and reads each
    payment once, as it stood when its piece was read.
    """
    yield csv_of([COLUMNS])
    chunk_number, after = 0, _BEFORE_ALL
    while True:
        async with database.reading() as session:
            rows = await repository.read_instructions(
                session,
                chunk_number=chunk_number,
                after=after,
                limit=ROWS_AT_ONCE,
                status=filters.status,
                provider=filters.provider,
                entitlement_id=filters.entitlement_id,
                bound=filters.bound,
            )
            if not rows:
                found = await repository.find_chunk_behind(
                    session,
                    chunk_number,
                    activation_id=filters.activation_id,
                    chunk_id=filters.chunk_id,
                    entitlement_id=filters.entitlement_id,
                )
                if found is None:
                    return
                chunk_number, after = found, _BEFORE_ALL
                continue
        taken.rows += len(rows)
        yield csv_of(map(_told, rows))
        after = rows[-1].id


def _told(row: AnyRow) -> Iterable[object]:
    return (_cell(value) for value in row)


def _cell(value: object) -> object:
    match value:
        case datetime():
            return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        case str():
            return guarded(value)
        case _:
            return value
