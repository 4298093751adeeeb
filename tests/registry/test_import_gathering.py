"""Rows of a file are gathered into blocks: each once, in order, and cut only where they may be."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from itertools import pairwise
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from services.registry.imports import gathering
from services.registry.imports.gathering import gathered
from services.registry.imports.opening import Part

_ROWS = 4
_CELLS = st.sampled_from("aab").map(lambda cell: [cell])
_SIZES = st.lists(st.integers(0, 9), max_size=5)


def parts_of(sizes: Sequence[int], cells: Sequence[list[str]], gaps: Sequence[int]) -> list[Part]:
    """The rows in parts of these sizes, on lines with gaps between them; each third is broken."""
    parts, line, at = [], 1, 0
    for size in sizes:
        part = Part()
        for _ in range(size):
            line += 1 + gaps[at]
            if line % 3 == 0:
                part.broken[len(part)] = str(line)
            part.lines.append(line)
            part.cells.append(cells[at])
            at += 1
        parts.append(part)
    return parts


@given(data=st.data(), together=st.sampled_from([None, 0]), until=st.integers(0, 70))
def test_blocks_are_the_rows_and_no_household_is_cut_apart(
    data: st.DataObject, together: int | None, until: int
) -> None:
    sizes = data.draw(_SIZES)
    total = sum(sizes)
    cells = data.draw(st.lists(_CELLS, min_size=total, max_size=total))
    gaps = data.draw(st.lists(st.integers(0, 2), min_size=total, max_size=total))
    given_parts = parts_of(sizes, cells, gaps)
    lines = [line for part in given_parts for line in part.lines]

    async def blocks() -> list[Part]:
        async def parts() -> AsyncIterator[Part]:
            for part in given_parts:
                yield part

        with patch.object(gathering, "BLOCK_ROWS", _ROWS):
            return [part async for part in gathered(parts(), until=until, together=together)]

    found = asyncio.run(blocks())
    assert [line for block in found for line in block.lines] == lines
    assert [cell for block in found for cell in block.cells] == cells
    for block in found:
        assert block.broken == {
            at: str(line) for at, line in enumerate(block.lines) if line % 3 == 0
        }
        assert not block.lines[0] <= until < block.lines[-1]
        assert 0 < len(block) <= _ROWS * (1 if together is None else 2)
    for before, after in pairwise(found):
        if before.lines[-1] <= until < after.lines[0]:
            continue
        assert len(before) >= _ROWS
        if together is not None and before.cells[-1] == after.cells[0]:
            assert len(before) == 2 * _ROWS
