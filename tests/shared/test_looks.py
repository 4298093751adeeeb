"""Loops that rest ask together whether there may be something to do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import pytest
from sqlalchemy import event
from structlog.testing import capture_logs

from shared.database import Database
from shared.looks import Looks
from tests.server import eventually

TOGETHER_SECONDS = 0.05


class Asking:
    """Looks, what they sent to the database, and who was woken, by the name of its question."""

    def __init__(self, database: Database, **questions: str) -> None:
        self.looks = Looks(database, questions, together_seconds=TOGETHER_SECONDS)
        self.sent: list[str] = []
        self.woken: list[str] = []
        event.listen(
            database.engine.sync_engine,
            "before_cursor_execute",
            lambda _, __, statement, *___: self.sent.append(statement),
        )

    def ask(self, *names: str) -> None:
        for name in names:
            self.looks.by(name)(partial(self.woken.append, name))

    async def until_woken(self, *names: str) -> None:
        async def are_woken() -> bool:
            return sorted(self.woken) == sorted(names)

        await eventually(are_woken)

    async def until_sent(self, count: int) -> None:
        async def are_sent() -> bool:
            return len(self.sent) >= count

        await eventually(are_sent)


@asynccontextmanager
async def asking(environment: dict[str, str], **questions: str) -> AsyncIterator[Asking]:
    database = Database(environment["PAYMENTS_DATABASE_URL"], application_name="test")
    made = Asking(database, **questions)
    yield made
    await made.looks.close()
    await database.dispose()


async def test_those_who_ask_at_the_same_time_are_answered_by_one_statement(
    environment: dict[str, str],
) -> None:
    async with asking(environment, yes="true", no="false", other="true") as looks:
        looks.ask("yes", "no", "other", "yes")
        await looks.until_woken("yes", "yes", "other")
        assert len(looks.sent) == 1
        looks.ask("no", "yes")
        await looks.until_woken("yes", "yes", "other", "yes")
        assert len(looks.sent) == 2


async def test_what_nobody_asks_about_is_not_worked_out(environment: dict[str, str]) -> None:
    dear = "(SELECT 1 / (random() * 0)::integer) = 1"
    async with asking(environment, dear=dear, cheap="true") as looks:
        with capture_logs() as logs:
            looks.ask("cheap")
            await looks.until_woken("cheap")
        assert logs == []


async def test_who_asks_while_others_are_answered_is_told_what_is_so_afterwards(
    environment: dict[str, str],
) -> None:
    slow = "(SELECT pg_sleep(0.5)) IS NOT NULL"
    async with asking(environment, slow=slow, now="true") as looks:
        looks.ask("slow")
        await looks.until_sent(1)
        looks.ask("now")
        await looks.until_woken("now")
        assert len(looks.sent) == 2
        await looks.until_woken("now", "slow")


async def test_everybody_is_woken_where_the_database_does_not_answer(
    environment: dict[str, str],
) -> None:
    async with asking(environment, broken="1 / 0 = 1", fine="false") as looks:
        with capture_logs() as logs:
            looks.ask("broken", "fine")
            await looks.until_woken("broken", "fine")
        assert [entry["event"] for entry in logs] == ["not_looked"]


async def test_nobody_is_woken_by_what_was_asked_before_the_end(
    environment: dict[str, str],
) -> None:
    async with asking(environment, yes="true") as looks:
        looks.ask("yes")
        await looks.looks.close()
        await asyncio.sleep(2 * TOGETHER_SECONDS)
        assert looks.sent == looks.woken == []


async def test_a_question_that_there_is_not_is_refused(environment: dict[str, str]) -> None:
    async with asking(environment, one="true") as looks:
        with pytest.raises(ValueError, match="other"):
            looks.ask("other")
