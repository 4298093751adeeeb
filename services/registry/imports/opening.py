"""Opening a file that was sent: what it is, where its headings are, and its rows behind them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from dataclasses import dataclass, field

import orjson
from pydantic import BaseModel

from services.registry.imports.faults import CELLS
from services.registry.imports.files import workbook
from services.registry.imports.files.delimited import DelimitedReader
from services.registry.imports.files.format import FileFormat, Format, Unreadable, format_of
from services.registry.imports.files.objects import ObjectReader, columns_of, object_of
from services.registry.imports.files.rows import MAXIMUM_COLUMNS, Rows
from services.registry.imports.mapping.document import LONGEST_HEADING, RowsOf, fields_of
from services.registry.imports.mapping.headings import Headings
from services.registry.imports.mapping.text import word_of

_ROWS_LOOKED_AT = 20
"""Among which the headings are: titles and notes may stand above them."""
_SAMPLE_ROWS = 200
_PIECES_LOOKED_AT = 4
_FEWEST_KNOWN = 2
_SHEETS_LOOKED_AT = 12

Pieces = Callable[[], AsyncIterator[bytes]]
"""The bytes of a file, from its beginning, as often as they are asked for."""


class Seen(BaseModel):
    """What was seen of a file when it came in. It holds rows: it is kept sealed."""

    encoding: str = "utf-8"
    delimiter: str = ","
    skipped_lines: int = 0
    sheet: str | None = None
    sheets: list[str] = []
    sheet_rows: int | None = None
    merged: int = 0
    heading_line: int
    headings: list[str]
    sample: list[list[str]]

    def format_as(self, kind: FileFormat) -> Format:
        """How the file is read."""
        return Format(kind, self.encoding, self.delimiter, self.skipped_lines)


@dataclass
class Part:
    """Some rows of a file, each as wide as its headings, and how far they are in it."""

    lines: list[int] = field(default_factory=list)
    cells: list[list[str]] = field(default_factory=list)
    broken: dict[int, str] = field(default_factory=dict)
    """Rows, counted from 0, that are none, with the code of what is wrong."""
    share: float = 0.0

    def take(self, other: "Part", begin: int, end: int) -> None:
        """Some rows of another, behind the own."""
        moved = len(self) - begin
        self.lines += other.lines[begin:end]
        self.cells += other.cells[begin:end]
        for at, code in other.broken.items():
            if begin <= at < end:
                self.broken[at + moved] = code

    def __len__(self) -> int:
        return len(self.lines)


async def look(
    pieces: Pieces, *, rows_of: RowsOf, sheet: str = "", named: Collection[str] = ()
) -> tuple[FileFormat, Seen]:
    """What a file is. ``named`` are headings of mappings; raises Unreadable.

    Of a workbook, the sheet of that name; without one the first, or where that has no headings that
    are known, the one with the most.
    """
    beginning = await _beginning(pieces)
    format = format_of(beginning)
    known = Headings(fields_of(rows_of))
    words = {word_of(heading) for heading in named}
    match format.kind:
        case FileFormat.XLSX:
            found, rows = await _sheet(pieces, sheet)
            best = _known_of(rows, known, words)
            others = [] if sheet or best >= _FEWEST_KNOWN else found.names[1:_SHEETS_LOOKED_AT]
            for name in others:
                other, other_rows = await _sheet(pieces, name)
                if (count := _known_of(other_rows, known, words)) > best:
                    found, rows, best = other, other_rows, count
            told = {
                "sheet": found.name,
                "sheets": found.names,
                "sheet_rows": found.rows,
                "merged": len(found.merged),
            }
            return format.kind, _seen(rows, format, known, words).model_copy(update=told)
        case FileFormat.CSV:
            rows = await asyncio.to_thread(DelimitedReader(format).feed, beginning + b"\n")
            return format.kind, _seen(rows, format, known, words)
        case FileFormat.NDJSON:
            return format.kind, await asyncio.to_thread(_seen_of_objects, beginning, format)


async def parts_of(
    pieces: Pieces, kind: FileFormat, seen: Seen, *, piece_count: int
) -> AsyncIterator[Part]:
    """The rows behind the headings, in their order; raises Unreadable."""
    if kind is FileFormat.XLSX:
        total = max(seen.sheet_rows or 1, 1)
        async with workbook.opened(pieces(), sheet=seen.sheet or "") as (_, parts):
            async for rows in parts:
                yield _part(rows, seen, share=max(rows.lines, default=0) / total)
        return
    format = seen.format_as(kind)
    reader = (
        DelimitedReader(format) if kind is FileFormat.CSV else ObjectReader(format, seen.headings)
    )
    done = 0
    async for piece in pieces():
        rows = await asyncio.to_thread(reader.feed, piece)
        done += 1
        yield _part(rows, seen, share=done / max(piece_count, 1))
    yield _part(await asyncio.to_thread(reader.end), seen, share=1.0)


async def _beginning(pieces: Pieces) -> bytes:
    beginning = bytearray()
    count = 0
    async for piece in pieces():
        beginning += piece
        count += 1
        if count >= _PIECES_LOOKED_AT:
            break
    return bytes(beginning)


async def _sheet(pieces: Pieces, name: str) -> tuple[workbook.Sheet, Rows]:
    """A sheet of a workbook, and its first rows."""
    maximum_rows = _ROWS_LOOKED_AT + _SAMPLE_ROWS
    async with workbook.opened(pieces(), sheet=name, maximum_rows=maximum_rows) as (found, parts):
        return found, _joined([part async for part in parts])


def _known_of(rows: Rows, known: Headings, words: Collection[str]) -> int:
    """How many headings are known in the row that has the most of them."""
    filled = [cells for cells in rows.cells if any(cell.strip() for cell in cells)]
    return max((_fitting(cells, known, words) for cells in filled[:_ROWS_LOOKED_AT]), default=0)


def _fitting(cells: Sequence[str], known: Headings, words: Collection[str]) -> int:
    return max(known.count(cells), len({word_of(cell) for cell in cells}.intersection(words)))


def _joined(parts: Sequence[Rows]) -> Rows:
    rows = Rows()
    for part in parts:
        rows.lines += part.lines
        rows.cells += part.cells
    return rows


def _seen(rows: Rows, format: Format, known: Headings, words: Collection[str]) -> Seen:
    def fitting(at: int) -> int:
        return _fitting(rows.cells[at], known, words)

    filled = [at for at, cells in enumerate(rows.cells) if any(cell.strip() for cell in cells)]
    if not filled:
        raise Unreadable("The file has no rows. Send one with a row of headings, and rows below.")
    best = max(filled[:_ROWS_LOOKED_AT], key=fitting)
    if fitting(best) < _FEWEST_KNOWN:
        best = filled[0]
    headings = [" ".join(cell.split())[:LONGEST_HEADING] for cell in rows.cells[best]]
    while headings and not headings[-1]:
        headings.pop()
    if len(headings) > MAXIMUM_COLUMNS:
        raise Unreadable(
            f"The file has more than {MAXIMUM_COLUMNS} columns. Delete those that are empty or "
            "not needed, and send it again."
        )
    part = _part(
        Rows(rows.lines[best + 1 :], rows.cells[best + 1 :]),
        Seen(heading_line=rows.lines[best], headings=headings, sample=[]),
        share=0,
    )
    whole = [cells for at, cells in enumerate(part.cells) if at not in part.broken]
    return Seen(
        encoding=format.encoding,
        delimiter=format.delimiter,
        skipped_lines=format.skipped_lines,
        heading_line=rows.lines[best],
        headings=headings,
        sample=whole[:_SAMPLE_ROWS],
    )


def _seen_of_objects(beginning: bytes, format: Format) -> Seen:
    text = beginning.decode(format.encoding, "replace").removeprefix("\ufeff").encode()
    objects = [found for line in text.split(b"\n")[:_SAMPLE_ROWS] if (found := object_of(line))]
    headings = columns_of(objects)
    if not headings:
        raise Unreadable(
            "No line of the file is a JSON object. Write one object in braces on each line, with "
            "the same names in all of them."
        )
    reader = ObjectReader(format, headings)
    rows = reader.feed(beginning)
    return Seen(
        encoding=format.encoding,
        heading_line=0,
        headings=[name[:LONGEST_HEADING] for name in headings],
        sample=rows.cells[:_SAMPLE_ROWS],
    )


def _part(rows: Rows, seen: Seen, *, share: float) -> Part:
    """Rows behind the headings, each as wide as these, with those that are none among them."""
    width = len(seen.headings)
    part = Part(share=min(share, 1.0))
    if _are_plain(rows, seen):
        part.lines, part.cells = rows.lines, rows.cells
        return part
    broken = dict(rows.broken)
    found = (
        sorted(
            [(line, cells) for line, cells in zip(rows.lines, rows.cells, strict=True)]
            + [(line, []) for line in broken],
            key=lambda row: row[0],
        )
        if broken
        else zip(rows.lines, rows.cells, strict=True)
    )
    for line, cells in found:
        if line <= seen.heading_line:
            continue
        if len(cells) != width:
            if line in broken:
                part.broken[len(part.lines)] = broken[line]
                cells = [""] * width
            elif len(cells) > width and not any(map(str.strip, cells[width:])):
                cells = cells[:width]
            else:
                part.broken[len(part.lines)] = CELLS
                cells = [*cells, *[""] * width][:width]
        if not any(cells) and line not in broken:
            continue
        part.lines.append(line)
        part.cells.append(cells)
    return part


def _are_plain(rows: Rows, seen: Seen) -> bool:
    """Whether each row is behind the headings and as wide as these, and says something."""
    return bool(
        rows.lines
        and not rows.broken
        and rows.lines[0] > seen.heading_line
        and set(map(len, rows.cells)) == {len(seen.headings)}
        and all(map(any, rows.cells))
    )


def packed(seen: Seen) -> bytes:
    """What is sealed."""
    return orjson.dumps(seen.model_dump())
