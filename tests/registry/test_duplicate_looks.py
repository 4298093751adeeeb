"""A look for what households have in common: in many transactions, of one who looks alone."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.duplicates import repository
from services.registry.duplicates.looking import DuplicateLooks
from services.registry.duplicates.statements import FIND_EXACT
from services.registry.settings import DuplicatesSettings
from shared.clock import FileClock
from shared.database import Database
from shared.worker import Worker
from tests.registry.flow import Flow, rows
from tests.registry.suspects import compare, look, suspects

_BY_TRANSACTION = "SELECT xmin::text FROM registry.duplicate_suspect"


@pytest.fixture
async def database(flow: Flow) -> AsyncIterator[Database]:
    database = Database(DuplicatesSettings().database_url, application_name="test")
    yield database
    await database.dispose()


async def three_pairs(flow: Flow) -> None:
    for at in range(3):
        await flow.register(rows(2, begin=10 * at, phone=f"+8551234567{at}"))


async def test_what_is_found_is_kept_in_pieces_and_each_step_ends_its_transaction(
    flow: Flow, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    find = repository.find

    async def noted(session: AsyncSession, statement: TextClause) -> None:
        await find(session, statement)
        steps.append(str(await session.scalar(text("SELECT pg_current_xact_id()::text"))))

    monkeypatch.setattr(repository, "find", noted)
    await three_pairs(flow)
    looks = DuplicateLooks(database, clock=FileClock(flow.clock_file), kept_at_once=1)
    assert await looks.step() == 3
    assert len(await suspects(flow)) == 3
    kept_by = [row[0] for row in await flow.owner.fetch(_BY_TRANSACTION)]
    assert len(set(kept_by)) == 3
    assert len(set(steps)) == len(steps) == len(FIND_EXACT)
    # Of nobody who is new nothing is to be found.
    assert await looks.step() == 0
    assert len(steps) == len(FIND_EXACT)


async def test_whoever_looks_does_so_alone_and_a_look_that_is_broken_off_begins_anew(
    flow: Flow, database: Database, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = repository.keep_exact
    calls: list[UUID] = []

    async def broken(
        session: AsyncSession, *, after: UUID, **given: Any
    ) -> tuple[int, UUID | None]:
        # Nobody else looks between two transactions of one look.
        assert await look(worker) == 0
        calls.append(after)
        if len(calls) == 2:
            raise ConnectionError("cut")
        return await keep(session, after=after, **given)

    await three_pairs(flow)
    looks = DuplicateLooks(database, clock=FileClock(flow.clock_file), kept_at_once=1)
    with monkeypatch.context() as patched:
        patched.setattr(repository, "keep_exact", broken)
        with pytest.raises(ConnectionError):
            await looks.step()
    (first,) = await suspects(flow)
    # Whoever comes next looks from where the last whole look began, and keeps what is missing.
    assert await look(worker) == 2
    assert first["id"] in [each["id"] for each in await suspects(flow)]
    assert len(await suspects(flow)) == 3
    await flow.register(rows(2, begin=50, phone="+85512345679"))
    assert await looks.step() == 1


async def test_whoever_came_is_compared_however_much_is_written_since_the_comparison_began(
    flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    since = repository.since

    async def slowly(session: AsyncSession, kind: str) -> tuple[int, int]:
        found = await since(session, kind)
        for _ in range(50):
            await flow.owner.execute("SELECT pg_current_xact_id()")
        return found

    await flow.register(rows(3))
    assert (await compare(flow))[0].startswith("3 persons read, 3 of them new or changed")
    await flow.register(rows(1, begin=10))
    monkeypatch.setattr(repository, "since", slowly)
    assert (await compare(flow))[0].startswith("4 persons read, 1 of them new or changed")
