"""Rows of NDJSON: an object a line, piece by piece, in memory that one line bounds.

The columns are the names that the first objects have. A text, a number, a yes or no and null are
what a cell would say; whatever else stands there is no cell.
"""

import codecs
from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from services.registry.imports.faults import NO_OBJECT, TOO_LONG
from services.registry.imports.files.format import Format
from services.registry.imports.files.rows import (
    MAXIMUM_COLUMNS,
    MAXIMUM_ROW_CHARACTERS,
    Rows,
)

_UTF_8 = "utf-8"


class ObjectReader:
    """Reads one file; ``feed`` its bytes in their order, then ``end``."""

    def __init__(self, format: Format, columns: Sequence[str]) -> None:
        self._decode = (
            None
            if format.encoding == _UTF_8
            else codecs.getincrementaldecoder(format.encoding)("replace").decode
        )
        self._columns = columns
        self._line = 0
        self._left = b""
        self._is_passing_over = False

    def feed(self, piece: bytes) -> Rows:
        """The rows that end with this piece."""
        return self._rows(piece, ends=False)

    def end(self) -> Rows:
        """The rows that end with the file."""
        return self._rows(b"", ends=True)

    def _rows(self, piece: bytes, *, ends: bool) -> Rows:
        rows = Rows()
        if self._decode is not None:
            piece = self._decode(piece, ends).encode(_UTF_8, "replace")
        if self._is_passing_over:
            at = piece.find(b"\n")
            if at < 0:
                return rows
            piece, self._is_passing_over = piece[at + 1 :], False
        *lines, left = (self._left + piece).split(b"\n")
        if self._line == 0 and lines:
            lines[0] = lines[0].removeprefix(codecs.BOM_UTF8)
        if ends:
            lines, left = [*lines, left], b""
        elif len(left) > MAXIMUM_ROW_CHARACTERS:
            lines, left, self._is_passing_over = [*lines, left], b"", True
        self._left = left
        for line in lines:
            self._line += 1
            if not line.strip():
                continue
            if len(line) > MAXIMUM_ROW_CHARACTERS:
                rows.broken[self._line] = TOO_LONG
                continue
            found = object_of(line)
            if found is None:
                rows.broken[self._line] = NO_OBJECT
            else:
                rows.add(self._line, [cell_of(found.get(name)) for name in self._columns])
        return rows


def object_of(line: bytes) -> dict[str, Any] | None:
    """The object of a line, or None where that holds none."""
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError:
        try:
            found = orjson.loads(line.decode(_UTF_8, "replace"))
        except orjson.JSONDecodeError:
            return None
    return found if isinstance(found, dict) else None


def columns_of(objects: Iterable[dict[str, Any]]) -> list[str]:
    """The names that objects have, in the order in which they come up."""
    names = dict.fromkeys(name for found in objects for name in found)
    return list(names)[:MAXIMUM_COLUMNS]


def cell_of(value: Any) -> str:
    """What a cell would say."""
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return "yes" if value else "no"
        case int():
            return str(value)
        case float():
            return number_of(value)
        case list() if all(isinstance(part, str) for part in value):
            return ";".join(value)
        case _:
            return "\N{REPLACEMENT CHARACTER}"


def number_of(value: float) -> str:
    """A number as people write it: without a point where nothing is behind it."""
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
