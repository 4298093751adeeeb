"""Rows of CSV, piece by piece, in memory that one row bounds.

A quote that is opened and never closed spoils its own line: the next is read as if nothing were.
"""

import codecs
import csv
import io
import re

from services.registry.imports.faults import QUOTE_OPEN, TOO_LONG
from services.registry.imports.files.format import Format
from services.registry.imports.files.rows import MAXIMUM_ROW_CHARACTERS, Rows

_MAXIMUM_LINES = 20
"""Of one row: a cell may have lines of its own."""
_QUOTE = '"'


class DelimitedReader:
    """Reads one file; ``feed`` its bytes in their order, then ``end``."""

    def __init__(self, format: Format) -> None:
        self._delimiter = format.delimiter
        self._decode = codecs.getincrementaldecoder(format.encoding)("replace").decode
        self._skipped_lines = format.skipped_lines
        delimiter = re.escape(format.delimiter)
        self._cell = re.compile(
            rf'(?:"(?:[^"]|"")*+"[^{delimiter}]*|[^"{delimiter}][^{delimiter}]*)?(?:{delimiter}|\Z)'
        )
        self._line = 0
        """How many lines were cut off ``_text``."""
        self._text = ""
        """What is read of a line that has not ended."""
        self._waiting: list[str] = []
        """Lines of a row whose quote is open."""
        self._is_passing_over = False
        """Within a line that is too long."""
        self._begun = False

    def feed(self, piece: bytes) -> Rows:
        """The rows that end with this piece."""
        return self._rows(self._decode(piece), ends=False)

    def end(self) -> Rows:
        """The rows that end with the file."""
        return self._rows(self._decode(b"", True), ends=True)

    def _rows(self, text: str, *, ends: bool) -> Rows:
        rows = Rows()
        if not self._begun and text:
            text = text.removeprefix("\ufeff")
            self._begun = True
        if self._is_passing_over:
            # Only the end of that line is looked for, in what is new.
            match = re.search(r"[\r\n]", text)
            if match is None:
                return rows
            text, self._is_passing_over = text[match.start() :], False
        text = self._text + text
        if text.endswith("\r") and not ends:
            # A line feed may follow.
            text, kept = text[:-1], "\r"
        else:
            kept = ""
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        *lines, rest = text.split("\n")
        if ends and rest:
            lines.append(rest)
            rest = ""
        if len(rest) > MAXIMUM_ROW_CHARACTERS:
            lines.append(rest)
            rest, self._is_passing_over = "", True
            # Its end, when that comes, ends no line that was not counted.
            self._text = ""
            self._take(lines, rows, ends=False)
            self._line -= 1
            return rows
        self._text = rest + kept
        self._take(lines, rows, ends=ends)
        return rows

    def _take(self, lines: list[str], rows: Rows, *, ends: bool) -> None:
        if not self._waiting and _QUOTE not in "\n".join(lines):
            self._take_plain(lines, rows)
            return
        waiting, first = [*self._waiting, *lines], self._line - len(self._waiting)
        self._line += len(lines)
        self._waiting = []
        at = 0
        while at < len(waiting):
            row = waiting[at]
            taken = 1
            while _QUOTE in row and self._is_open(row):
                if taken >= _MAXIMUM_LINES or len(row) > MAXIMUM_ROW_CHARACTERS:
                    taken = 0
                    break
                if at + taken >= len(waiting):
                    taken = 0 if ends else -1
                    break
                row += "\n" + waiting[at + taken]
                taken += 1
            if taken < 0:
                self._waiting = waiting[at:]
                return
            if not taken:
                rows.broken[first + at + 1] = QUOTE_OPEN
                taken = 1
            else:
                self._take_one(first + at + 1, row, rows)
            at += taken

    def _take_plain(self, lines: list[str], rows: Rows) -> None:
        """Lines without a quote: each is a row."""
        first, self._line = self._line + 1, self._line + len(lines)
        if self._skipped_lines or any(len(line) > MAXIMUM_ROW_CHARACTERS for line in lines):
            for at, line in enumerate(lines):
                self._take_one(first + at, line, rows)
            return
        rows.add_all(first, list(csv.reader(lines, delimiter=self._delimiter)))

    def _take_one(self, line: int, row: str, rows: Rows) -> None:
        if line <= self._skipped_lines or not row:
            return
        if len(row) > MAXIMUM_ROW_CHARACTERS:
            rows.broken[line] = TOO_LONG
            return
        # A line feed within a cell is not the end of the row.
        for cells in csv.reader(io.StringIO(row, newline=""), delimiter=self._delimiter):
            rows.add(line, cells)

    def _is_open(self, row: str) -> bool:
        at = 0
        while at < len(row):
            match = self._cell.match(row, at)
            if match is None:
                return True
            at = match.end()
        return False
