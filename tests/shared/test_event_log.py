"""The event log loses nothing and does nothing twice, with many writers and dying readers."""

import asyncio
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import ClassVar
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from shared.database import Database
from shared.events import Consumer, Event, Published, StoredEvent, append
from shared.events.repository import BEGIN_EPOCH
from shared.ids import new_id
from tests.server import eventually

WRITERS = 16
TRANSACTIONS_EACH = 25
EVENTS_EACH = 3
TYPE = "org.sangkroh.test.v1"
NAME = "test"


class Told(Published):
    type: ClassVar[str] = TYPE
    source: ClassVar[str] = "/test"

    @property
    def subject(self) -> str:
        return "s"


def event(number: int = 0) -> Event:
    return Event(
        type=TYPE, source="/test", subject="s", time=datetime.now(UTC), data={"number": number}
    )


def database_of(environment: dict[str, str]) -> Database:
    return Database(
        environment["REGISTRY_DATABASE_URL"], application_name="test", pool_size=WRITERS + 4
    )


async def write_much(database: Database) -> set[UUID]:
    """Many writers at once, their transactions of different lengths and overlapping."""

    async def write(writer: int) -> set[UUID]:
        written = set()
        for turn in range(TRANSACTIONS_EACH):
            events = [event() for _ in range(EVENTS_EACH)]
            async with database.transaction() as session:
                await append(session, [events[0]])
                # Whoever began first need not commit first.
                await asyncio.sleep(0.001 * ((writer * 7 + turn * 3) % 11))
                await append(session, events[1:])
            written |= {event_written.id for event_written in events}
        return written

    return set().union(*await asyncio.gather(*(write(writer) for writer in range(WRITERS))))


async def read_by_sequence_alone(database: Database, done: asyncio.Event) -> list[UUID]:
    """The obvious consumer: a cursor on the sequence. It is here to be seen to fail."""
    seen: list[UUID] = []
    last = 0
    while True:
        finished = done.is_set()
        async with database.transaction() as session:
            rows = (
                await session.execute(
                    text(
                        "SELECT sequence, id FROM events.event WHERE sequence > :last "
                        "ORDER BY sequence LIMIT 100"
                    ),
                    {"last": last},
                )
            ).all()
        if rows:
            last = rows[-1].sequence
            seen += [row.id for row in rows]
        elif finished:
            return seen
        else:
            await asyncio.sleep(0.001)


async def test_no_event_is_skipped_and_a_cursor_on_the_sequence_alone_skips(
    environment: dict[str, str],
) -> None:
    database = database_of(environment)
    handled: list[UUID] = []

    async def handle(_: AsyncSession, stored: StoredEvent) -> None:
        handled.append(stored.id)

    consumer = Consumer(database, name=NAME, schema="registry", handlers={Told: handle})
    done = asyncio.Event()

    async def consume() -> None:
        while True:
            finished = done.is_set()
            if not await consumer.run_once():
                if finished:
                    return
                await asyncio.sleep(0.001)

    async def write() -> set[UUID]:
        written = await write_much(database)
        done.set()
        return written

    written, by_sequence, _ = await asyncio.gather(
        write(), read_by_sequence_alone(database, done), consume()
    )
    await consumer.run_once()
    await database.dispose()

    assert len(written) == WRITERS * TRANSACTIONS_EACH * EVENTS_EACH
    assert len(handled) == len(set(handled))
    assert set(handled) == written
    assert set(by_sequence) < written, "the sequence alone was expected to lose events"


async def test_an_event_is_not_told_before_an_earlier_transaction_has_ended(
    environment: dict[str, str],
) -> None:
    database = database_of(environment)
    numbers: list[int] = []

    async def handle(_: AsyncSession, stored: StoredEvent) -> None:
        numbers.append(stored.data["number"])

    consumer = Consumer(database, name=NAME, schema="registry", handlers={Told: handle})
    await consumer.run_once()
    async with database.sessions() as early:
        await append(early, [event(1)])
        async with database.transaction() as late:
            await append(late, [event(2)])
        await consumer.run_once()
        assert numbers == []
        await early.commit()
    await consumer.run_once()
    await database.dispose()

    assert numbers == [1, 2]


async def test_a_handler_that_fails_parks_its_event_and_the_rest_go_on(
    environment: dict[str, str], owner: asyncpg.Connection
) -> None:
    database = database_of(environment)
    broken = True
    effects: list[int] = []

    async def handle(session: AsyncSession, stored: StoredEvent) -> None:
        number = stored.data["number"]
        if broken and number == 2:
            await session.execute(text("SELECT 1 / 0"))
        effects.append(number)

    consumer = Consumer(database, name=NAME, schema="registry", handlers={Told: handle})
    await consumer.run_once()
    events = [event(number) for number in (1, 2, 3)]
    async with database.transaction() as session:
        await append(session, events)
    await consumer.run_once()

    assert effects == [1, 3]
    parked = await owner.fetchrow("SELECT * FROM registry.dead_letter")
    assert (parked["event_id"], parked["attempts"]) == (events[1].id, 1)
    assert "DBAPIError" in parked["error"]

    request = "UPDATE registry.dead_letter SET replay_requested_at = now()"
    await owner.execute(request)
    await consumer.run_once()
    assert await owner.fetchval("SELECT attempts FROM registry.dead_letter") == 2

    broken = False
    await owner.execute(request)
    await consumer.run_once()
    await database.dispose()

    assert effects == [1, 3, 2]
    assert await owner.fetchval("SELECT count(*) FROM registry.dead_letter") == 0


async def test_a_consumer_asks_whether_there_is_anything_to_read(
    environment: dict[str, str], owner: asyncpg.Connection
) -> None:
    database = database_of(environment)
    is_broken = True

    async def handle(_: AsyncSession, stored: StoredEvent) -> None:
        if is_broken:
            raise ValueError

    consumer = Consumer(database, name=NAME, schema="registry", handlers={Told: handle})

    async def is_something() -> bool:
        async with database.reading() as session:
            return bool(await session.scalar(text(f"SELECT {consumer.question}")))

    assert await is_something(), "it has no cursor yet"
    await consumer.run_once()
    assert not await is_something()
    async with database.sessions() as early:
        await append(early, [event(1)])
        assert not await is_something()
        async with database.transaction() as late:
            await append(late, [event(2)])
        await consumer.run_once()
        assert await is_something(), "what is held back is to be looked at again"
        await early.commit()
    assert await consumer.run_once() == 2
    assert not await is_something()

    await owner.execute("UPDATE registry.dead_letter SET replay_requested_at = now()")
    assert await is_something()
    is_broken = False
    await consumer.run_once()
    assert not await is_something()
    await database.dispose()


async def test_a_consumer_that_dies_before_its_commit_has_done_nothing(
    environment: dict[str, str], owner: asyncpg.Connection
) -> None:
    database = database_of(environment)
    await owner.execute("CREATE TABLE registry.effect (number int)")
    await owner.execute("GRANT SELECT, INSERT ON registry.effect TO sangkroh_registry")
    dies = True

    class Death(BaseException):
        pass

    async def handle(session: AsyncSession, stored: StoredEvent) -> None:
        await session.execute(
            text("INSERT INTO registry.effect VALUES (:number)"), {"number": stored.data["number"]}
        )
        if dies and stored.data["number"] == 2:
            raise Death

    consumer = Consumer(database, name=NAME, schema="registry", handlers={Told: handle})
    await consumer.run_once()
    async with database.transaction() as session:
        await append(session, [event(1), event(2), event(3)])
    for _ in range(2):
        try:
            await consumer.run_once()
        except Death:
            dies = False
    await consumer.run_once()
    await database.dispose()

    effects = await owner.fetch("SELECT number FROM registry.effect ORDER BY number")
    assert [row["number"] for row in effects] == [1, 2, 3]


async def test_two_readers_of_one_consumer_work_each_event_once(
    environment: dict[str, str],
) -> None:
    database = database_of(environment)
    handled: list[int] = []

    async def handle(_: AsyncSession, stored: StoredEvent) -> None:
        handled.append(stored.data["number"])
        await asyncio.sleep(0)

    readers = [
        Consumer(database, name=NAME, schema="registry", handlers={Told: handle}, batch_size=7)
        for _ in range(3)
    ]
    await readers[0].run_once()
    async with database.transaction() as session:
        await append(session, [event(number) for number in range(200)])
    while len(handled) < 200:
        await asyncio.gather(*(reader.run_once() for reader in readers))
    await database.dispose()

    assert handled == list(range(200))


async def test_what_an_open_transaction_holds_back_is_known_to_wait(
    environment: dict[str, str],
) -> None:
    database = database_of(environment)
    numbers: list[int] = []

    async def handle(_: AsyncSession, stored: StoredEvent) -> None:
        numbers.append(stored.data["number"])

    consumer = Consumer(database, name=NAME, schema="registry", handlers={Told: handle})
    await consumer.run_once()
    async with database.transaction() as session:
        await append(session, [event(1)])
    async with database.transaction() as earlier:
        await append(earlier, [event(2)])
        async with database.transaction() as session:
            await append(session, [event(3)])
        done = await consumer.run_once()
        assert numbers == [1]
        assert consumer.has_more(done)
    done = await consumer.run_once()
    await database.dispose()

    assert numbers == [1, 2, 3]
    assert not consumer.has_more(done)


async def test_the_log_can_only_be_appended_to(environment: dict[str, str]) -> None:
    database = database_of(environment)
    async with database.transaction() as session:
        await append(session, [event()])
    for statement in (
        "UPDATE events.event SET type = 'x'",
        "DELETE FROM events.event",
        "TRUNCATE events.event",
        "UPDATE events.epoch SET number = 9",
    ):
        with pytest.raises(DBAPIError, match="permission denied"):
            async with database.transaction() as session:
                await session.execute(text(statement))
    await database.dispose()


@pytest.mark.usefixtures("alone_with_roles")
async def test_after_a_restore_into_another_cluster_cursors_stay_right(
    environment: dict[str, str], owner: asyncpg.Connection, migrate: Callable[[str], None]
) -> None:
    """A logical dump keeps the old, larger transaction ids; new events must still come after."""
    database = database_of(environment)
    numbers: list[int] = []

    async def handle(_: AsyncSession, stored: StoredEvent) -> None:
        numbers.append(stored.data["number"])

    consumer = Consumer(database, name=NAME, schema="registry", handlers={Told: handle})
    await consumer.run_once()
    async with database.transaction() as session:
        await append(session, [event(1)])
    await consumer.run_once()
    # What a dump from a busier cluster looks like here: ids from the future, another identifier.
    await owner.execute("UPDATE events.event SET transaction_id = '900000000'::xid8")
    await owner.execute("UPDATE registry.event_cursor SET transaction_id = '900000000'::xid8")
    await owner.execute("UPDATE events.epoch SET system_identifier = system_identifier + 1")
    migrate(environment["DATABASE_URL"])
    async with database.transaction() as session:
        await append(session, [event(2)])
    await consumer.run_once()
    fresh = Consumer(database, name=f"fresh-{new_id()}", schema="registry", handlers={Told: handle})
    await fresh.run_once()
    await fresh.run_once()
    await database.dispose()

    assert numbers == [1, 2, 1, 2]


async def test_after_a_promotion_that_lost_commits_no_reader_is_ahead_of_the_log(
    environment: dict[str, str], owner: asyncpg.Connection
) -> None:
    """Nobody migrates at a failover, and whoever reads goes on: the timeline alone says it."""
    database = database_of(environment)
    told: list[tuple[int, int]] = []

    async def handle(_: AsyncSession, stored: StoredEvent) -> None:
        told.append((stored.epoch, stored.data["number"]))

    consumer = Consumer(database, name=NAME, schema="registry", handlers={Told: handle})
    await consumer.run_once()
    async with database.transaction() as session:
        await append(session, [event(1)])
    await consumer.run_once()
    # What an outside reader's place looks like whose last events the new leader never had.
    await owner.execute("UPDATE registry.event_cursor SET transaction_id = '900000000'::xid8")
    await owner.execute("UPDATE events.epoch SET timeline = timeline - 1")
    async with database.transaction() as session:
        await append(session, [event(2)])
    await consumer.run_once()

    assert told == [(1, 1), (2, 2)]
    # As the service's own role, which may not write the table: and the number stays as it was.
    async with database.transaction() as session:
        assert await session.scalar(text(BEGIN_EPOCH)) == 2
    async with database.transaction() as session:
        assert await session.scalar(text(BEGIN_EPOCH)) == 2
    await database.dispose()
    assert await owner.fetch("SELECT number, timeline FROM events.epoch ORDER BY number") == [
        (1, 0),
        (2, 1),
    ]


async def test_a_session_that_may_only_read_asks_for_the_epoch_and_begins_none(
    environment: dict[str, str], owner: asyncpg.Connection
) -> None:
    database = database_of(environment)
    await owner.execute("UPDATE events.epoch SET timeline = timeline - 1")
    async with database.transaction() as session:
        await session.execute(text("SET TRANSACTION READ ONLY"))
        assert await session.scalar(text(BEGIN_EPOCH)) == 2
    await database.dispose()

    assert await owner.fetchval("SELECT count(*) FROM events.epoch") == 1


async def test_an_epoch_begins_by_hand_where_the_server_cannot_know_of_the_loss(
    environment: dict[str, str], owner: asyncpg.Connection
) -> None:
    """And not before whoever was writing has ended: no reader would come back for that."""
    database = database_of(environment)
    told: list[tuple[int, int]] = []

    async def handle(_: AsyncSession, stored: StoredEvent) -> None:
        told.append((stored.epoch, stored.data["number"]))

    async def waits() -> bool:
        return bool(await owner.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"))

    consumer = Consumer(database, name=NAME, schema="registry", handlers={Told: handle})
    await consumer.run_once()
    async with database.transaction() as writing:
        await append(writing, [event(1)])
        beginning = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "services", "new-epoch"),
            env={**os.environ, **environment},
            stdout=asyncio.subprocess.PIPE,
        )
        await eventually(waits)
    said, _ = await beginning.communicate()
    async with database.transaction() as session:
        await append(session, [event(2)])
    await consumer.run_once()
    await database.dispose()

    assert said == b"Epoch 2 of the event log has begun.\n"
    assert told == [(1, 1), (2, 2)]


async def test_a_notification_wakes_the_listener_once_for_a_transaction(
    environment: dict[str, str],
) -> None:
    database = database_of(environment)
    woken: list[int] = []
    async with database.connection() as listener:
        await listener.add_listener("events", lambda *_: woken.append(os.getpid()))
        async with database.transaction() as session:
            for number in range(5):
                await append(session, [event(number)])
        for _ in range(200):
            if woken:
                break
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
    await database.dispose()

    assert len(woken) == 1
