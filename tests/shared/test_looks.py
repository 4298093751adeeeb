"""Loops that rest ask together whether there may be something to do."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import event
from structlog.testing import capture_logs

from shared.database import Database
from shared.looks import Looks
from tests.server import eventually

TOGETHER_SECONDS = 0.05


@pytest.fixture
async def database(environment: dict[str, str]) -> AsyncIterator[Database]:
    database = Database(environment["PAYMENTS_DATABASE_URL"], application_name="test")
    yield database
    await database.dispose()


def statements_of(database: Database) -> list[str]:
    """What is sent to the database from here on."""
    sent: list[str] = []
    event.listen(
        database.engine.sync_engine,
        "before_cursor_execute",
        lambda _, __, statement, *___: sent.append(statement),
    )
    return sent


async def test_those_who_ask_at_the_same_time_are_answered_by_one_statement(
    database: Database,
) -> None:
    looks = Looks(database, {"yes": "true", "no": "false"}, together_seconds=TOGETHER_SECONDS)
    sent = statements_of(database)
    yes, no = looks.by("yes"), looks.by("no")
    assert list(await asyncio.gather(yes(), no(), yes())) == [True, False, True]
    assert len(sent) == 1
    assert list(await asyncio.gather(yes(), no())) == [True, False]
    assert len(sent) == 2


async def test_what_nobody_asks_about_is_not_worked_out(database: Database) -> None:
    looks = Looks(
        database,
        {"dear": "(SELECT 1 / (random() * 0)::integer) = 1", "cheap": "true"},
        together_seconds=TOGETHER_SECONDS,
    )
    assert await looks.by("cheap")()


async def test_who_asks_while_others_are_answered_is_told_what_is_so_afterwards(
    database: Database,
) -> None:
    looks = Looks(
        database,
        {"slow": "(SELECT pg_sleep(0.3)) IS NOT NULL AND false", "now": "true"},
        together_seconds=TOGETHER_SECONDS,
    )
    sent = statements_of(database)
    slow = asyncio.ensure_future(looks.by("slow")())

    async def has_begun() -> bool:
        return bool(sent)

    await eventually(has_begun)
    assert await looks.by("now")()
    assert len(sent) == 2
    assert await slow is False


async def test_nobody_is_held_up_where_the_database_does_not_answer(
    database: Database,
) -> None:
    looks = Looks(database, {"broken": "1 / 0 = 1"}, together_seconds=TOGETHER_SECONDS)
    with capture_logs() as logs:
        assert await looks.by("broken")()
    assert [entry["event"] for entry in logs] == ["not_looked"]


def test_a_question_that_there_is_not_is_refused(environment: dict[str, str]) -> None:
    database = Database(environment["PAYMENTS_DATABASE_URL"], application_name="test")
    with pytest.raises(ValueError, match="other"):
        Looks(database, {"one": "true"}, together_seconds=1).by("other")
