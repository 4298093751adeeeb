"""Reads one workbook, as a process of its own: ``python -m services.registry.imports.files.sheet``.

The workbook comes in by standard input and its rows go out by standard output, in frames of
JSON behind their length. What a workbook makes of the memory and time that it is read with, nobody
knows before: a small archive can hold a sheet of any size. So this process has a limit to both,
and where it dies of one, only the workbook is not read. Nothing is written to a disk.

``python-calamine`` holds a whole sheet: about 1.3 KB for a row of 13 cells.
"""

import datetime
import io
import json
import resource
import sys
import zipfile
from typing import Any

MEMORY_BYTES = 320 * 2**20
"""Of address space: a sheet of about 200,000 rows of 13 cells is read in it."""
SECONDS = 300
"""Of the processor."""
LENGTH_BYTES = 4
"""Of a frame, before it, the lowest last."""
_FRAME_CHARACTERS = 256 * 1024
_MAXIMUM_PARTS = 2_000
_MAXIMUM_CHARACTERS = 32_767
"""Excel's own limit to a cell."""
_MAXIMUM_WIDTH = 500
_MAXIMUM_ROW_CHARACTERS = 64 * 1024


def main() -> None:
    """Read the sheet that the first argument names, or the first one; at most so many rows."""
    sheet_name, maximum_rows = sys.argv[1], int(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    out = sys.stdout.buffer
    try:
        _read(sys.stdin.buffer.read(), sheet_name, maximum_rows, out)
    except MemoryError:
        _tell(out, {"fault": "too-large"})
    except BrokenPipeError:
        return
    except BaseException:
        # calamine's own faults, and its panics, which are no Exception. Their words may quote.
        _tell(out, {"fault": "unreadable"})


def _read(workbook: bytes, sheet_name: str, maximum_rows: int, out: Any) -> None:
    from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

    with zipfile.ZipFile(io.BytesIO(workbook)) as archive:
        parts = archive.infolist()
        is_workbook = any(part.filename.startswith("xl/") for part in parts)
        if len(parts) > _MAXIMUM_PARTS or not is_workbook:
            _tell(out, {"fault": "unreadable"})
            return
        if sum(part.file_size for part in parts) > 8 * MEMORY_BYTES:
            _tell(out, {"fault": "too-large"})
            return
    opened = CalamineWorkbook.from_filelike(io.BytesIO(workbook))
    del workbook
    sheets = [
        sheet.name
        for sheet in opened.sheets_metadata
        if sheet.typ == SheetTypeEnum.WorkSheet and sheet.visible == SheetVisibleEnum.Visible
    ]
    if not sheets or (sheet_name and sheet_name not in sheets):
        _tell(out, {"fault": "no-sheet", "sheets": sheets})
        return
    name = sheet_name or sheets[0]
    sheet = opened.get_sheet_by_name(name)
    if sheet.total_width > _MAXIMUM_WIDTH:
        _tell(out, {"fault": "too-wide"})
        return
    merged = sheet.merged_cell_ranges or []
    _tell(
        out,
        {
            "sheets": sheets,
            "sheet": name,
            "rows": 0 if sheet.end is None else sheet.end[0] + 1,
            "merged": [
                [first_row + 1, last_row + 1]
                for (first_row, _), (last_row, _) in merged[:_MAXIMUM_PARTS]
            ],
        },
    )
    # calamine tells of rows from the first of the sheet, and of cells from the first that is used.
    indent = 0 if sheet.start is None else sheet.start[1]
    frame: list[Any] = []
    characters = 0
    for at, cells in enumerate(sheet.iter_rows()):
        if at >= maximum_rows:
            break
        row = [_cell(value) for value in cells]
        length = sum(map(len, row))
        is_long = length > _MAXIMUM_ROW_CHARACTERS
        frame.append([at + 1, None if is_long else [""] * indent + row])
        characters += length + len(row)
        if characters > _FRAME_CHARACTERS:
            _tell(out, frame)
            frame, characters = [], 0
    _tell(out, frame)


def _cell(value: Any) -> str:
    match value:
        case str():
            return value if len(value) <= _MAXIMUM_CHARACTERS else value[:_MAXIMUM_CHARACTERS]
        case bool():
            return "yes" if value else "no"
        case float():
            is_whole = value.is_integer() and abs(value) < 1e15
            return str(int(value)) if is_whole else repr(value)
        case datetime.datetime():
            return value.date().isoformat() if value.time() == datetime.time() else str(value)
        case datetime.date():
            return value.isoformat()
        case None:
            return ""
        case _:
            return str(value)


def _tell(out: Any, what: Any) -> None:
    told = json.dumps(what, separators=(",", ":")).encode()
    out.write(len(told).to_bytes(LENGTH_BYTES, "big") + told)
    out.flush()


if __name__ == "__main__":
    main()
