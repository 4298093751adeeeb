"""Whatever is written comes back, group by group, and no group stays in memory."""

import io
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pyarrow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from shared.parquet import Column, GrowingFile, Kind

_COLUMNS = (
    Column("id", Kind.ID, "Which."),
    Column("at", Kind.INSTANT, "When."),
    Column("code", Kind.CODE, "What: ភូមិ, as people say it."),
    Column("minor", Kind.INTEGER, "How much.", required=False),
    Column("other_id", Kind.ID, "Of what.", required=False),
)
_ROWS = st.tuples(
    st.uuids(),
    st.datetimes(timezones=st.timezones()).filter(lambda at: 2 <= at.year <= 9998),
    st.text(),
    st.none() | st.integers(-(2**63), 2**63 - 1),
    st.none() | st.uuids(),
)


def written(parts: list[list[Any]], *, group_rows: int) -> list[bytes]:
    file = GrowingFile(_COLUMNS, metadata={"made.for": "a test"}, group_rows=group_rows)
    return [*map(file.add, parts), file.end()]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(_ROWS, min_size=1, max_size=5), max_size=4), st.integers(1, 8))
def test_what_is_written_comes_back_in_its_order(parts: list[list[Any]], group_rows: int) -> None:
    pieces = written(parts, group_rows=group_rows)
    file = parquet.ParquetFile(io.BytesIO(b"".join(pieces)))
    assert [tuple(row.values()) for row in file.read().to_pylist()] == [
        (str(id), at.astimezone(UTC), code, minor, str(other) if other else None)
        for rows in parts
        for id, at, code, minor, other in rows
    ]
    metadata = file.metadata
    groups = [metadata.row_group(index).num_rows for index in range(metadata.num_row_groups)]
    assert all(rows >= group_rows for rows in groups[:-1])
    assert all(0 < rows < group_rows + 5 for rows in groups)
    assert metadata.metadata[b"made.for"] == b"a test"
    assert metadata.metadata[b"column.code"].decode() == _COLUMNS[2].meaning
    assert written(parts, group_rows=group_rows) == pieces


def test_of_many_groups_only_their_places_in_the_footer_are_kept() -> None:
    begins_at = datetime(2020, 10, 1, tzinfo=UTC)
    half = [
        (UUID(int=number), begins_at + timedelta(seconds=number), "settled", number, None)
        for number in range(500)
    ]
    file = GrowingFile(_COLUMNS, metadata={}, group_rows=1_000)
    assert len(file.add(half)) == len(b"PAR1")
    assert file.add(half)
    after_the_first = pyarrow.total_allocated_bytes()
    for _ in range(50):
        assert file.add(half) == b""
        assert 0 < len(file.add(half)) < 64_000
        assert pyarrow.total_allocated_bytes() <= after_the_first
    assert len(file.end()) < 51 * 4_096


def test_a_row_without_what_has_to_be_there_is_not_written() -> None:
    file = GrowingFile(_COLUMNS, metadata={}, group_rows=1)
    at = datetime(2020, 10, 1, tzinfo=UTC)
    with pytest.raises(pyarrow.ArrowInvalid, match="non-nullable"):
        file.add([(UUID(int=1), at, None, 1, None)])
    with pytest.raises(ValueError):
        file.add([(UUID(int=1), at, "settled", 1)])


def test_a_process_that_writes_none_does_not_load_what_it_takes() -> None:
    asked = "import sys, services.payments.app; sys.exit('pyarrow' in sys.modules)"
    subprocess.run([sys.executable, "-c", asked], check=True)
