"""Cutting a stream into blocks of whole rows."""

import csv
import io
from collections.abc import AsyncIterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.registry.imports.blocks import MAXIMUM_ROW_BYTES, Unreadable, row_blocks


async def pieces_of(body: bytes, size: int) -> AsyncIterator[bytes]:
    for at in range(0, len(body), size):
        yield body[at : at + size]


async def cut(body: bytes, *, piece: int, block: int) -> list[bytes]:
    return [part async for part in row_blocks(pieces_of(body, piece), block_bytes=block)]


_cells = st.text(st.sampled_from('ab,"\n é'), max_size=8)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.lists(_cells, min_size=2, max_size=3), max_size=20),
    st.integers(1, 30),
    st.integers(1, 60),
)
async def test_blocks_are_the_body_cut_between_rows(
    rows: list[list[str]], piece: int, block: int
) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    body = text.getvalue().encode()
    blocks = await cut(body, piece=piece, block=block)
    assert b"".join(blocks) == body
    read = [
        row
        for part in blocks
        for row in csv.reader(io.StringIO(part.decode(), newline=""), strict=True)
    ]
    assert read == rows


async def test_a_quote_that_is_never_closed_is_refused_with_bounded_memory() -> None:
    body = b'a,"' + b"x\n" * MAXIMUM_ROW_BYTES
    with pytest.raises(Unreadable, match="never closed"):
        await cut(body, piece=1024, block=4096)
    with pytest.raises(Unreadable, match="inside a quoted cell"):
        await cut(b'a,"b\n', piece=1024, block=4096)
