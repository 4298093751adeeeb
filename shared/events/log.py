"""Writing the event log: CloudEvents 1.0, in the transaction of the fact."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar, Self
from uuid import UUID

import asyncpg
import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.clock import Clock
from shared.errors import Explained, detail_of
from shared.ids import new_id

CHANNEL = "events"
"""A trigger on the log notifies this channel, once for each statement that writes: its payload is
the types of the new events, with commas between them."""


_FAULTS_TOLD = 5


class Event(BaseModel):
    """A CloudEvent to be published. ``data`` never holds names, phones, ID numbers, accounts."""

    model_config = ConfigDict(frozen=True)

    id: UUID = Field(default_factory=new_id)
    type: str
    source: str
    subject: str
    time: datetime
    data: dict[str, Any]


class StoredEvent(Event):
    """An event as it stands in the log.

    ``epoch`` rises when the database lost commits that others may have heard of: what an event of
    an earlier epoch led to may have been done once before.
    """

    epoch: int
    sequence: int


class EventUnreadable(Explained):
    """An event whose data are not what its type promises. Its values are not repeated."""

    def __init__(self, error: ValidationError, *, source: str) -> None:
        faults = [
            f"{'.'.join(map(str, fault['loc'])) or 'all of it'}: {detail_of(fault)}"
            for fault in error.errors()[:_FAULTS_TOLD]
        ]
        super().__init__(
            f"What the event holds is not what its type promises ({'; '.join(faults)}). Whoever "
            f"tells it, {source}, has to tell it again as it should be; then discard this event."
        )


class Published(BaseModel, ABC):
    """A fact that one service tells the others: the data of one type of event.

    ``source`` is the service that tells it (``/triggers``), ``subject`` the id of what it is about.
    """

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    type: ClassVar[str]
    source: ClassVar[str]

    @property
    @abstractmethod
    def subject(self) -> str:
        """The id of what it is about."""

    def to_event(self, *, clock: Clock) -> Event:
        """The CloudEvent that tells it, with a new id."""
        return Event(
            type=self.type,
            source=self.source,
            subject=self.subject,
            time=clock.now(),
            data=self.model_dump(mode="json"),
        )

    @classmethod
    def of(cls, event: StoredEvent) -> Self:
        """The fact that a stored event tells; raises EventUnreadable where it is another's."""
        try:
            return cls.model_validate(event.data)
        except ValidationError as error:
            raise EventUnreadable(error, source=event.source) from error


_INSERT = """
    INSERT INTO events.event (id, type, source, subject, time, data)
    SELECT id, type, source, subject, time, CAST(data AS jsonb)
    FROM unnest(
        CAST({} AS uuid[]), CAST({} AS text[]), CAST({} AS text[]),
        CAST({} AS text[]), CAST({} AS timestamptz[]), CAST({} AS text[])
    ) AS given (id, type, source, subject, time, data)
"""
_COLUMNS = ("ids", "types", "sources", "subjects", "times", "data")
_APPEND = text(_INSERT.format(*(f":{name}" for name in _COLUMNS)))
_APPEND_ON = _INSERT.format(*(f"${position}" for position in range(1, len(_COLUMNS) + 1)))


async def append(session: AsyncSession, events: Sequence[Event]) -> None:
    """Append events, in order, in the session's transaction."""
    if events:
        await session.execute(_APPEND, _columns(events))


async def append_on(connection: asyncpg.Connection, events: Sequence[Event]) -> None:
    """Append events, in order, in the transaction of a connection that is no session's."""
    if events:
        await connection.execute(_APPEND_ON, *_columns(events).values())


def _columns(events: Sequence[Event]) -> dict[str, list[Any]]:
    columns = (
        [event.id for event in events],
        [event.type for event in events],
        [event.source for event in events],
        [event.subject for event in events],
        [event.time for event in events],
        [orjson.dumps(event.data).decode() for event in events],
    )
    return dict(zip(_COLUMNS, columns, strict=True))


async def publish_all(session: AsyncSession, facts: Sequence[Published], *, clock: Clock) -> None:
    """Tell facts, in order, in the transaction that made them."""
    await append(session, [fact.to_event(clock=clock) for fact in facts])


async def publish(session: AsyncSession, fact: Published, *, clock: Clock) -> None:
    """Tell one fact in the transaction that made it."""
    await publish_all(session, [fact], clock=clock)
