"""CSV with a header, as publishers on HDX write it: lines as mappings, or why it is none."""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from services.triggers.feeds.formats.reading import Reading, Setting, Unreadable

_MAXIMUM_FIELD_CHARACTERS = 1_000
_MAXIMUM_COLUMNS = 60


@dataclass(frozen=True, kw_only=True)
class Table:
    """The lines of a file, each with where it stands, and those that are none."""

    seen: int
    lines: Sequence[tuple[str, dict[str, str]]]
    refused: Sequence[Unreadable]


def read_table(
    content: bytes, setting: Setting, *, fault_of_columns: Callable[[set[str]], str | None]
) -> Table | Reading:
    """The lines under their columns, whose names are taken without case; a Reading: it is none.

    `fault_of_columns` says what is wrong with the columns, if anything is. A line of HXL tags
    below the header is left out.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return Reading.of_nothing("It is no text in UTF-8.")
    if "\0" in text:
        return Reading.of_nothing("It is no text: it holds a character of number 0.")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    lines, refused, seen = [], [], 0
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        fault = _fault_of_header(header) or fault_of_columns(set(header))
        if fault is not None:
            return Reading.of_nothing(fault)
        for cells in reader:
            if not any(cells) or (cells[0].startswith("#") and seen == 0):
                continue
            seen += 1
            if seen > setting.maximum_rows:
                return Reading.of_nothing(f"It has more than {setting.maximum_rows:,} rows.")
            where = f"line {reader.line_num}"
            if (because := _fault_of_line(cells, header)) is not None:
                refused.append(Unreadable(where, because))
            else:
                row = dict(zip(header, (cell.strip() for cell in cells), strict=True))
                lines.append((where, row))
    except csv.Error:
        return Reading.of_nothing("It is no CSV: a quotation mark is open, or a cell has no end.")
    return Table(seen=seen, lines=lines, refused=refused)


def _fault_of_header(header: Sequence[str]) -> str | None:
    if len(header) > _MAXIMUM_COLUMNS:
        return f"It has more than {_MAXIMUM_COLUMNS} columns."
    if len(set(header)) < len(header):
        return "Two columns have one name."
    return None


def _fault_of_line(cells: Sequence[str], header: Sequence[str]) -> str | None:
    if len(cells) != len(header):
        return f"It has {len(cells)} cells under {len(header)} columns."
    if any(len(cell) > _MAXIMUM_FIELD_CHARACTERS for cell in cells):
        return f"A cell has more than {_MAXIMUM_FIELD_CHARACTERS} characters."
    return None
