"""The journal as Parquet is the journal as CSV, and a part of it is nothing."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet
from sqlalchemy import event

from services.payments.books import journal
from shared.audit import Taken
from shared.database import Database
from shared.parquet import PARQUET, Kind
from tests.conftest import NOON
from tests.payments.conftest import World
from tests.payments.steps import Steps
from tests.payments.test_journal import played, set_time

_A_DAY = timedelta(days=1)


async def as_parquet(world: World, begins_at: datetime, until: datetime) -> bytes:
    answer = await world.client.get(
        "/journal",
        params={"from": begins_at.isoformat(), "to": until.isoformat()},
        headers={"Accept": PARQUET},
    )
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == PARQUET
    assert answer.headers["vary"] == "Accept"
    return answer.content


async def as_csv(world: World, begins_at: datetime, until: datetime) -> list[list[str]]:
    answer = await world.client.get(
        "/journal", params={"from": begins_at.isoformat(), "to": until.isoformat()}
    )
    assert answer.headers["content-type"].startswith("text/csv")
    return list(csv.reader(io.StringIO(answer.text)))


def opened(content: bytes) -> Any:
    return parquet.ParquetFile(io.BytesIO(content))


def lines(content: bytes) -> list[list[str]]:
    """What the CSV would say, with its header."""
    table = opened(content).read()
    return [table.column_names, *(list(map(_cell, row.values())) for row in table.to_pylist())]


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case datetime():
            assert value.utcoffset() == timedelta(0)
            return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        case _:
            return str(value)


@pytest.fixture
async def database(world: World) -> AsyncIterator[Database]:
    """Of the service's own role, in this process."""
    database = Database(world.settings.database_url, application_name="journal-test")
    yield database
    await database.engine.dispose()


async def test_it_says_line_by_line_what_the_csv_says(
    world: World, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "_ROWS_AT_ONCE", 2)
    monkeypatch.setattr(journal, "_ROWS_OF_A_GROUP", 4)
    until = await played(world, steps)
    content = await as_parquet(world, NOON, until)
    told = await as_csv(world, NOON, until)
    assert lines(content) == told
    assert len(told) > 20
    # The same question, the same bytes, whatever the offset in which it is asked.
    assert await as_parquet(world, NOON, until) == content
    cambodia = (NOON + timedelta(hours=7)).replace(tzinfo=None).isoformat() + "+07:00"
    assert await as_parquet(world, datetime.fromisoformat(cambodia), until) == content
    # Spans that follow one another have each transfer once.
    parts = []
    for day in range(7):
        begins_at = NOON + day * _A_DAY
        part = await as_parquet(world, begins_at, begins_at + _A_DAY)
        assert lines(part) == await as_csv(world, begins_at, begins_at + _A_DAY)
        parts += lines(part)[1:]
    assert parts == told[1:]


async def test_its_types_are_those_of_what_it_holds_and_its_footer_says_what_they_mean(
    world: World, steps: Steps
) -> None:
    until = await played(world, steps)
    file = opened(await as_parquet(world, NOON, until))
    schema = file.schema_arrow
    types = {
        Kind.ID: pyarrow.string(),
        Kind.CODE: pyarrow.string(),
        Kind.INSTANT: pyarrow.timestamp("us", tz="UTC"),
        Kind.INTEGER: pyarrow.int64(),
    }
    assert schema.names == list(journal.HEADER)
    assert schema.types == [types[column.kind] for column in journal.COLUMNS]
    assert [field.nullable for field in schema] == [
        not column.required for column in journal.COLUMNS
    ]
    assert (
        file.metadata.metadata.items()
        >= {
            b"journal.from": NOON.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").encode(),
            b"journal.to": until.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").encode(),
            **{
                f"column.{column.name}".encode(): column.meaning.encode()
                for column in journal.COLUMNS
            },
        }.items()
    )
    group = file.metadata.row_group(0)
    assert {
        group.column(index).path_in_schema
        for index in range(group.num_columns)
        if group.column(index).has_dictionary_page
    } == {column.name for column in journal.COLUMNS if column.kind is Kind.CODE}


async def test_of_a_quiet_span_it_is_a_file_without_rows(world: World) -> None:
    set_time(world, NOON)
    span = (NOON - 2 * _A_DAY, NOON - _A_DAY)
    assert lines(await as_parquet(world, *span)) == [list(journal.HEADER)]
    answer = await world.client.get(
        "/journal",
        params={"from": NOON.isoformat(), "to": NOON.isoformat()},
        headers={"Accept": PARQUET},
    )
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


async def test_no_more_is_held_than_a_row_group_however_long_the_journal(
    world: World, steps: Steps, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "_ROWS_AT_ONCE", 2)
    monkeypatch.setattr(journal, "_ROWS_OF_A_GROUP", 4)
    until = await played(world, steps)
    count = len(await as_csv(world, NOON, until)) - 1
    reads: list[str] = []

    @event.listens_for(database.engine.sync_engine, "before_cursor_execute")
    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        if "payments.transfer" in statement:
            reads.append(statement)

    pieces, allocated = [], []
    async for piece in journal.parquet_pieces(database, NOON, until, Taken()):
        pieces.append(piece)
        # Two reads for each group, and nothing is read ahead of who takes it.
        assert len(reads) <= 2 * len(pieces)
        # Between two pieces the writer keeps no column.
        allocated.append(pyarrow.total_allocated_bytes())
        assert database.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    metadata = opened(b"".join(pieces)).metadata
    groups = [metadata.row_group(index).num_rows for index in range(metadata.num_row_groups)]
    full, last = divmod(count, 4)
    assert groups == [4] * full + [last] * bool(last)
    # One piece for each full group, one that begins the file, one with the rest and the footer.
    assert len(pieces) == full + 2 > 6
    assert max(allocated) - min(allocated) < 16_384
    assert max(map(len, pieces[:-1])) < 8_192
    assert len(pieces[-1]) < 8_192 + 4_096 * len(groups)


async def test_a_part_of_it_cannot_be_read(
    world: World, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "_ROWS_AT_ONCE", 5)
    monkeypatch.setattr(journal, "_ROWS_OF_A_GROUP", 5)
    content = await as_parquet(world, NOON, await played(world, steps))
    assert opened(content).metadata.num_row_groups > 4
    for length in (*range(0, len(content), 97), len(content) - 1):
        with pytest.raises(pyarrow.ArrowInvalid):
            opened(content[:length])


async def test_a_reader_who_breaks_off_leaves_nothing_behind(
    world: World, steps: Steps, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "_ROWS_AT_ONCE", 1)
    monkeypatch.setattr(journal, "_ROWS_OF_A_GROUP", 1)
    until = await played(world, steps)
    span = {"from": NOON.isoformat(), "to": until.isoformat()}
    async with world.client.stream(
        "GET", "/journal", params=span, headers={"Accept": PARQUET}
    ) as answer:
        async for _ in answer.aiter_raw():
            break
    pool: Any = world.service.app.state.database.engine.pool
    async with asyncio.timeout(20):
        while pool.checkedout():
            await asyncio.sleep(0.01)
    assert lines(await as_parquet(world, NOON, until)) == await as_csv(world, NOON, until)
    # Broken off in the middle of a group, and between two.
    async with aclosing(journal.parquet_pieces(database, NOON, until, Taken())) as pieces:
        await anext(pieces)
        half = asyncio.ensure_future(anext(pieces))
        await asyncio.sleep(0)
        half.cancel()
        with pytest.raises(asyncio.CancelledError):
            await half
    async with aclosing(journal.parquet_pieces(database, NOON, until, Taken())) as pieces:
        await anext(pieces)
    assert database.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
