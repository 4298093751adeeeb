"""What readers over HTTP ask of the event log, and of a service's consumers."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.events.consumer import READ_FENCED

Position = tuple[int, int, int]
"""Epoch, transaction id and sequence: the order of the log."""

MOST_COUNTED = 10_000

BEGIN_EPOCH = "SELECT events.begin_epoch()"
"""Keeps when an epoch began that the server's timeline says is new; otherwise does nothing."""

_LETTERS = """
    SELECT * FROM {schema}.dead_letter
    WHERE (consumer, event_id) > (:consumer, :event_id)
    ORDER BY consumer, event_id
    LIMIT :limit
"""

_REQUEST_REPLAY = """
    UPDATE {schema}.dead_letter SET replay_requested_at = clock_timestamp()
    WHERE event_id = :event_id
    RETURNING *
"""

# Whatever is beyond a cursor waits for its consumer, also what the fence still holds back.
_PROGRESS = """
    SELECT cursor.consumer, waiting.events AS waiting, waiting.oldest_at AS oldest_waiting_at,
        (SELECT count(*) FROM {schema}.dead_letter AS letter
         WHERE letter.consumer = cursor.consumer) AS failed
    FROM {schema}.event_cursor AS cursor
    CROSS JOIN LATERAL (
        SELECT count(*) AS events, min(beyond.time) AS oldest_at
        FROM (
            SELECT event.time FROM events.event
            WHERE (event.epoch, event.transaction_id, event.sequence)
                > (cursor.epoch, cursor.transaction_id, cursor.sequence)
            ORDER BY event.epoch, event.transaction_id, event.sequence
            LIMIT :most
        ) AS beyond
    ) AS waiting
    ORDER BY cursor.consumer
"""


async def read_events(session: AsyncSession, after: Position, *, limit: int) -> Sequence[Row[Any]]:
    """Events behind a position, in order, as far as no earlier one can still appear."""
    epoch, transaction_id, sequence = after
    rows = await session.execute(
        text(READ_FENCED),
        {
            "epoch": epoch,
            "transaction_id": str(transaction_id),
            "sequence": sequence,
            "limit": limit,
        },
    )
    return rows.all()


async def list_dead_letters(
    session: AsyncSession, schema: str, *, after: tuple[str, UUID], limit: int
) -> Sequence[Row[Any]]:
    """Dead letters of a service by consumer and event, behind one of them."""
    consumer, event_id = after
    rows = await session.execute(
        text(_LETTERS.format(schema=schema)),
        {"consumer": consumer, "event_id": event_id, "limit": limit},
    )
    return rows.all()


async def request_replay(session: AsyncSession, schema: str, event_id: UUID) -> Sequence[Row[Any]]:
    """Mark the dead letters of an event to be tried again; those that were marked."""
    rows = await session.execute(
        text(_REQUEST_REPLAY.format(schema=schema)), {"event_id": event_id}
    )
    return rows.all()


async def consumers_progress(session: AsyncSession, schema: str) -> Sequence[Row[Any]]:
    """How far each consumer of a service is; ``waiting`` counts to MOST_COUNTED."""
    rows = await session.execute(text(_PROGRESS.format(schema=schema)), {"most": MOST_COUNTED})
    return rows.all()
