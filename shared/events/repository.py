"""What readers over HTTP ask of the event log, and of a service's consumers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.events.consumer import READ_FENCED

Position = tuple[int, int, int]
"""Epoch, transaction id and sequence: the order of the log."""

MOST_COUNTED = 10_000

MOST_SEARCHED = 10_000
"""Events that are looked at for those that a reader wants, in one request."""

BEGIN_EPOCH = "SELECT events.begin_epoch()"
"""Keeps when an epoch began that the server's timeline says is new; otherwise does nothing."""

_CURRENT_EPOCH = text("SELECT events.current_epoch()")

# The log is left to say what the event is about: after a loss it may not have it any more.
_LETTER = """
    letter.consumer, letter.event_id, letter.type, event.subject, letter.error, letter.attempts,
    letter.first_failed_at, letter.failed_at, letter.replay_requested_at, letter.discarded_at,
    letter.discarded_by, letter.discard_reason,
    CAST(extract(epoch FROM coalesce(letter.discarded_at, now()) - letter.first_failed_at)
         AS bigint) AS waited_seconds
"""

_LETTERS = f"""
    SELECT {_LETTER}
    FROM {{schema}}.dead_letter AS letter
    LEFT JOIN events.event ON event.id = letter.event_id
    WHERE (letter.consumer, letter.event_id) > (:consumer, :event_id)
      AND (letter.discarded_at IS NOT NULL) = :discarded
    ORDER BY letter.consumer, letter.event_id
    LIMIT :limit
"""

_LETTERS_OF = f"""
    SELECT {_LETTER}
    FROM {{schema}}.dead_letter AS letter
    LEFT JOIN events.event ON event.id = letter.event_id
    WHERE letter.event_id = :event_id
    ORDER BY letter.consumer
"""

_REQUEST_REPLAY = """
    UPDATE {schema}.dead_letter SET replay_requested_at = clock_timestamp()
    WHERE event_id = :event_id AND discarded_at IS NULL
    RETURNING true
"""

_DISCARD = """
    UPDATE {schema}.dead_letter
    SET discarded_at = clock_timestamp(), discarded_by = :by, discard_reason = :reason,
        replay_requested_at = NULL
    WHERE event_id = :event_id AND discarded_at IS NULL
    RETURNING true
"""

# The wanted events, and the last that was looked at: the reader goes on behind it.
_FOLLOW = text(
    f"""
    WITH looked_at AS MATERIALIZED ({READ_FENCED.replace(":limit", ":most")}),
    wanted AS (
        SELECT looked_at.*, true AS is_wanted
        FROM looked_at
        WHERE (CAST(:type AS text) IS NULL OR type = :type)
          AND (CAST(:subject AS text) IS NULL OR subject = :subject)
          AND (CAST(:since AS timestamptz) IS NULL OR time >= :since)
        ORDER BY epoch, CAST(transaction_id AS xid8), sequence
        LIMIT :limit
    ),
    last_looked_at AS (
        SELECT looked_at.*, false AS is_wanted
        FROM looked_at
        WHERE (SELECT count(*) FROM wanted) < :limit
        ORDER BY epoch DESC, CAST(transaction_id AS xid8) DESC, sequence DESC
        LIMIT 1
    ),
    read AS (
        SELECT * FROM wanted
        UNION ALL
        SELECT * FROM last_looked_at WHERE id NOT IN (SELECT id FROM wanted)
    )
    SELECT read.*,
        (SELECT count(*) FROM wanted) >= :limit
            OR (SELECT count(*) FROM looked_at) >= :most AS more
    FROM read
    ORDER BY epoch, CAST(transaction_id AS xid8), sequence
    """
)

# Whatever is beyond a cursor waits for its consumer, also what the fence still holds back.
_PROGRESS = """
    SELECT cursor.consumer, waiting.events AS waiting, waiting.oldest_at AS oldest_waiting_at,
        (SELECT count(*) FROM {schema}.dead_letter AS letter
         WHERE letter.consumer = cursor.consumer AND letter.discarded_at IS NULL) AS failed
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Only:
    """Which events a reader wants; what is None does not narrow."""

    type: str | None = None
    subject: str | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """Events that were wanted, how far the log was read for them, and whether it goes on."""

    events: Sequence[Row[Any]]
    read_to: Position
    more: bool


async def current_epoch(session: AsyncSession) -> int:
    """It rises where the database lost commits, or transaction ids begin anew: what was read by
    them before goes on no more."""
    return int(await session.scalar(_CURRENT_EPOCH) or 0)


async def read_events(session: AsyncSession, after: Position, *, only: Only, limit: int) -> Found:
    """Events behind a position, in order, as far as no earlier one can still appear.

    ``MOST_SEARCHED`` events are looked at, at most, however few of them are wanted.
    """
    epoch, transaction_id, sequence = after
    rows = (
        await session.execute(
            _FOLLOW,
            {
                "epoch": epoch,
                "transaction_id": str(transaction_id),
                "sequence": sequence,
                "type": only.type,
                "subject": only.subject,
                "since": only.since,
                "limit": limit,
                "most": limit if only == Only() else MOST_SEARCHED,
            },
        )
    ).all()
    if not rows:
        return Found(events=[], read_to=after, more=False)
    last = rows[-1]
    return Found(
        events=[row for row in rows if row.is_wanted],
        read_to=(last.epoch, int(last.transaction_id), last.sequence),
        more=last.more,
    )


async def list_dead_letters(
    session: AsyncSession,
    schema: str,
    *,
    discarded: bool,
    after: tuple[str, UUID],
    limit: int,
) -> Sequence[Row[Any]]:
    """Dead letters of a service by consumer and event, behind one of them."""
    consumer, event_id = after
    rows = await session.execute(
        text(_LETTERS.format(schema=schema)),
        {"consumer": consumer, "event_id": event_id, "discarded": discarded, "limit": limit},
    )
    return rows.all()


async def dead_letters_of(session: AsyncSession, schema: str, event_id: UUID) -> Sequence[Row[Any]]:
    """The dead letters of one event, one for each consumer that failed on it."""
    rows = await session.execute(text(_LETTERS_OF.format(schema=schema)), {"event_id": event_id})
    return rows.all()


async def request_replay(session: AsyncSession, schema: str, event_id: UUID) -> bool:
    """Mark the dead letters of an event to be tried again; whether any was there to be."""
    marked = await session.scalar(
        text(_REQUEST_REPLAY.format(schema=schema)), {"event_id": event_id}
    )
    return bool(marked)


async def discard(
    session: AsyncSession, schema: str, event_id: UUID, *, by: str, reason: str
) -> bool:
    """Keep that nobody will work the event any more; whether any was there to be discarded."""
    done = await session.scalar(
        text(_DISCARD.format(schema=schema)), {"event_id": event_id, "by": by, "reason": reason}
    )
    return bool(done)


async def consumers_progress(session: AsyncSession, schema: str) -> Sequence[Row[Any]]:
    """How far each consumer of a service is; ``waiting`` counts to MOST_COUNTED."""
    rows = await session.execute(text(_PROGRESS.format(schema=schema)), {"most": MOST_COUNTED})
    return rows.all()
