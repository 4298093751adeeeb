"""Rows of a workbook, read by a process that may die of it (``sheet.py``)."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import orjson

from services.registry.imports.faults import TOO_LONG
from services.registry.imports.files import sheet as reading
from services.registry.imports.files.format import Unreadable
from services.registry.imports.files.rows import Rows

MAXIMUM_BYTES = 64 * 2**20
_ALL = 2**31
_SAVED_AS_CSV = (
    "Save the sheet as “CSV UTF-8 (comma delimited)”, of which any number of rows is read, or cut "
    "it into several workbooks, and send that."
)
_TOO_LARGE = (
    f"The workbook needs more than {reading.MEMORY_BYTES // 2**20} MB of memory to be read: about "
    f"200,000 rows of 13 columns are what is read at once. {_SAVED_AS_CSV}"
)


@dataclass(frozen=True)
class Sheet:
    """The sheet that is read."""

    name: str
    names: list[str]
    """Of all that are not hidden."""
    rows: int
    merged: list[tuple[int, int]]
    """The first and the last row of each set of cells that are one."""


@asynccontextmanager
async def opened(
    pieces: AsyncIterator[bytes], *, sheet: str = "", maximum_rows: int = _ALL
) -> AsyncIterator[tuple[Sheet, AsyncIterator[Rows]]]:
    """The sheet of that name, or the first, and its rows; raises Unreadable.

    The process that reads knows nothing of this one: no key, no database.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        reading.__file__,
        sheet,
        str(maximum_rows),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={"PATH": os.environ.get("PATH", "")},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        await _give(process.stdin, pieces)
        told = await _frame(process.stdout)
        if told is None:
            raise Unreadable(_TOO_LARGE)
        yield _sheet_of(told), _rows(process.stdout)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _give(given: asyncio.StreamWriter, pieces: AsyncIterator[bytes]) -> None:
    with suppress(BrokenPipeError, ConnectionResetError):
        async for piece in pieces:
            given.write(piece)
            await given.drain()
    given.close()


async def _frame(told: asyncio.StreamReader) -> Any:
    """The next frame; None: the process has ended."""
    try:
        length = await told.readexactly(reading.LENGTH_BYTES)
        return orjson.loads(await told.readexactly(int.from_bytes(length, "big")))
    except asyncio.IncompleteReadError:
        return None


def _sheet_of(told: dict[str, Any]) -> Sheet:
    match told.get("fault"):
        case None:
            merged = [(first, last) for first, last in told["merged"]]
            return Sheet(told["sheet"], told["sheets"], told["rows"], merged)
        case "too-large":
            raise Unreadable(_TOO_LARGE)
        case "too-wide":
            raise Unreadable(
                "The sheet has more than 500 columns. Delete those that are empty or not needed, "
                "and send it again."
            )
        case "no-sheet":
            raise Unreadable(
                "The workbook has no such sheet, or none that is not hidden. Name one that it has, "
                "or show the sheet with the rows, and send it again."
            )
        case _:
            raise Unreadable(
                "The file is an archive, and no Excel workbook (.xlsx) that can be read. Open it "
                "in Excel, save it as “Excel Workbook (.xlsx)” without a password, and send that."
            )


async def _rows(told: asyncio.StreamReader) -> AsyncIterator[Rows]:
    while True:
        frame = await _frame(told)
        if frame is None:
            return
        if not isinstance(frame, list):
            raise Unreadable(_TOO_LARGE)
        rows = Rows()
        for line, cells in frame:
            if cells is None:
                rows.broken[line] = TOO_LONG
            elif any(cells):
                rows.add(line, cells)
        yield rows
