"""Reading the event log: the effect in the database happens once, however often a process dies.

A cursor on the sequence alone loses events: a transaction that began earlier can commit later,
below the cursor. Readers therefore follow (epoch, transaction id, sequence) and stop at the
fence, ``pg_snapshot_xmin``: below it, every transaction has ended.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.database import Database, may_pass
from shared.errors import Explained, account_of, told
from shared.events.log import Published, StoredEvent
from shared.liveness import goes_on
from shared.retry import Backoff

log = structlog.get_logger()

Handler = Callable[[AsyncSession, StoredEvent], Awaitable[None]]
"""Works one event in the consumer's transaction: no network, and twice equals once."""

Handlers = Mapping[type[Published], Handler]
"""Which handler works which facts."""

_ERROR_CHARACTERS = 500

# When an event is there and an older transaction still runs: nobody notifies of that one's end.
_HELD_BACK = Backoff(first_seconds=0.005, longest_seconds=0.04)
_HELD_BACK_LOOKS = 4

_COLUMNS = (
    "event.epoch, event.sequence, event.id, event.type, event.source, event.subject, event.time, "
    "event.data"
)

_BELOW_FENCE = """
    (event.transaction_id < pg_snapshot_xmin(pg_current_snapshot())
     OR event.epoch < (SELECT events.current_epoch()))
"""

_BEYOND_CURSOR = """
    (event.epoch, event.transaction_id, event.sequence)
    > (:epoch, CAST(CAST(:transaction_id AS text) AS xid8), :sequence)
"""

READ_FENCED = f"""
    SELECT event.transaction_id::text AS transaction_id, {_COLUMNS}
    FROM events.event
    WHERE {_BEYOND_CURSOR} AND {_BELOW_FENCE}
    ORDER BY event.epoch, event.transaction_id, event.sequence
    LIMIT :limit
"""

# In this order whatever is below the fence comes before whatever is not.
_READ = f"""
    SELECT event.transaction_id::text AS transaction_id, {_COLUMNS},
        {_BELOW_FENCE} AS may_be_read
    FROM events.event
    WHERE {_BEYOND_CURSOR}
    ORDER BY event.epoch, event.transaction_id, event.sequence
    LIMIT :limit
"""


class Consumer:
    """Applies the events that it has a handler for, in order, each with the move of its cursor."""

    def __init__(
        self,
        database: Database,
        *,
        name: str,
        schema: str,
        handlers: Handlers,
        batch_size: int = 100,
    ) -> None:
        self.name = name
        self._schema = schema
        self._database = database
        self._handlers = {fact.type: handler for fact, handler in handlers.items()}
        self._batch_size = batch_size
        self._claim = text(
            f"SELECT epoch, transaction_id::text AS transaction_id, sequence, EXISTS ("
            f"SELECT FROM {schema}.dead_letter WHERE consumer = :consumer "
            f"AND replay_requested_at IS NOT NULL AND discarded_at IS NULL) AS replays_requested "
            f"FROM {schema}.event_cursor WHERE consumer = :consumer FOR UPDATE SKIP LOCKED"
        )
        self._begin = text(
            f"INSERT INTO {schema}.event_cursor (consumer) VALUES (:consumer) "
            f"ON CONFLICT (consumer) DO NOTHING"
        )
        self._move = text(
            f"UPDATE {schema}.event_cursor SET epoch = :epoch, "
            f"transaction_id = CAST(CAST(:transaction_id AS text) AS xid8), sequence = :sequence "
            f"WHERE consumer = :consumer"
        )
        self._park = text(
            f"INSERT INTO {schema}.dead_letter (consumer, event_id, type, error) "
            f"VALUES (:consumer, :event_id, :type, :error) "
            f"ON CONFLICT (consumer, event_id) DO UPDATE SET error = excluded.error, "
            f"attempts = dead_letter.attempts + 1, failed_at = now(), replay_requested_at = NULL"
        )
        self._replayed = text(
            f"DELETE FROM {schema}.dead_letter WHERE consumer = :consumer AND event_id = :event_id"
        )
        self._requested = text(
            f"SELECT {_COLUMNS} FROM {schema}.dead_letter AS letter "
            f"JOIN events.event ON event.id = letter.event_id "
            f"WHERE letter.consumer = :consumer AND letter.replay_requested_at IS NOT NULL "
            f"AND letter.discarded_at IS NULL "
            f"ORDER BY letter.replay_requested_at LIMIT :limit FOR UPDATE OF letter SKIP LOCKED"
        )
        self._read = text(_READ)
        self.has_worked = False
        """Whether the last ``run_once`` had an event for one of the handlers."""
        self._held_back = False
        self._replays_requested = False

    @property
    def question(self) -> str:
        """Whether there is anything to read, as a condition in SQL (``shared.looks``): what lies
        beyond the cursor, also where it is held back, or a replay that was asked for."""
        cursor = f"{self._schema}.event_cursor"
        return f"""
            NOT EXISTS (SELECT FROM {cursor} WHERE consumer = '{self.name}')
            OR EXISTS (
                SELECT FROM {cursor} AS cursor
                CROSS JOIN LATERAL (
                    SELECT FROM events.event
                    WHERE (event.epoch, event.transaction_id, event.sequence)
                        > (cursor.epoch, cursor.transaction_id, cursor.sequence)
                    ORDER BY event.epoch, event.transaction_id, event.sequence
                    LIMIT 1
                ) AS beyond
                WHERE cursor.consumer = '{self.name}'
            )
            OR EXISTS (
                SELECT FROM {self._schema}.dead_letter
                WHERE consumer = '{self.name}' AND replay_requested_at IS NOT NULL
                  AND discarded_at IS NULL
            )
        """

    @property
    def types(self) -> frozenset[str]:
        """The types of the events that there is a handler for."""
        return frozenset(self._handlers)

    async def run_once(self) -> int:
        """Work one batch, new events and asked-for replays; returns how many events it read."""
        self.has_worked = False
        done = await self._work_new()
        for looks in range(_HELD_BACK_LOOKS):
            if done or not self._held_back:
                break
            await asyncio.sleep(_HELD_BACK.seconds(looks))
            done = await self._work_new()
        return done + (await self._work_replays() if self._replays_requested else 0)

    def has_more(self, done: int) -> bool:
        """Whether events are known to wait after a ``run_once`` that worked ``done``."""
        return done >= self._batch_size or (done > 0 and self._held_back)

    async def _work_new(self) -> int:
        self._held_back = self._replays_requested = False
        async with self._database.transaction() as session:
            cursor = (await session.execute(self._claim, {"consumer": self.name})).one_or_none()
            if cursor is None:
                # Either another process of ours is at it, or this is the first run ever.
                await session.execute(self._begin, {"consumer": self.name})
                return 0
            self._replays_requested = cursor.replays_requested
            found = (
                await session.execute(
                    self._read,
                    {
                        "epoch": cursor.epoch,
                        "transaction_id": cursor.transaction_id,
                        "sequence": cursor.sequence,
                        "limit": self._batch_size,
                    },
                )
            ).all()
            rows = [row for row in found if row.may_be_read]
            self._held_back = len(rows) < len(found)
            if not rows:
                return 0
            for row in rows:
                await self._handle(session, _stored(row))
            last = rows[-1]
            await session.execute(
                self._move,
                {
                    "consumer": self.name,
                    "epoch": last.epoch,
                    "transaction_id": last.transaction_id,
                    "sequence": last.sequence,
                },
            )
            return len(rows)

    async def _work_replays(self) -> int:
        async with self._database.transaction() as session:
            rows = (
                await session.execute(
                    self._requested, {"consumer": self.name, "limit": self._batch_size}
                )
            ).all()
            for row in rows:
                if await self._handle(session, _stored(row)):
                    await self._forget(session, row.id)
            return len(rows)

    async def _forget(self, session: AsyncSession, event_id: UUID) -> None:
        await session.execute(self._replayed, {"consumer": self.name, "event_id": event_id})

    async def _handle(self, session: AsyncSession, event: StoredEvent) -> bool:
        handler = self._handlers.get(event.type)
        if handler is None:
            return True
        self.has_worked = True
        try:
            async with session.begin_nested():
                await handler(session, event)
        except Exception as error:
            if may_pass(error):
                # Nothing is wrong with the event: the whole batch is tried again.
                raise
            await session.execute(
                self._park,
                {
                    "consumer": self.name,
                    "event_id": event.id,
                    "type": event.type,
                    "error": _words(error)[:_ERROR_CHARACTERS],
                },
            )
            log.error(
                "event_parked",
                consumer=self.name,
                event_id=str(event.id),
                event_type=event.type,
                **account_of(error),
            )
            return False
        finally:
            goes_on()
        return True


def _words(error: BaseException) -> str:
    """What people read of an event that failed: what is wrong, and what to do."""
    if isinstance(error, Explained):
        return str(error)
    return (
        f"An error that nobody foresaw: {told(error)}. Report it to the operators; replay this "
        "event once it is mended, or discard it with a reason."
    )


def _stored(row: Row[Any]) -> StoredEvent:
    fields = row._asdict()
    return StoredEvent.model_validate({name: fields[name] for name in StoredEvent.model_fields})
