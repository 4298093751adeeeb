"""Files for people: the rows that were not taken, to be mended and sent back, and templates.

A returned file is of the format that came in, with its columns in their order, and a column of
remarks behind them, which nothing reads when it is sent back. It holds what the rows said: it is
for whoever may see persons, and is written to no disk.
"""

import csv
import io
from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import xlsxwriter

from services.registry.households.fields import Code, Commune, Day, Field, Phone
from services.registry.households.persons import PersonalData
from services.registry.imports import repository
from services.registry.imports.faults import ROW, wrong
from services.registry.imports.files.format import FileFormat, Unreadable
from services.registry.imports.keeping import pieces_of
from services.registry.imports.mapping.document import MappingDocument, RowsOf, fields_of
from services.registry.imports.mapping.headings import headings_of
from services.registry.imports.mapping.words import words_shown
from services.registry.imports.opening import Seen, parts_of
from services.registry.imports.remedies import remedy_in_khmer
from services.registry.imports.tables import ImportFile
from shared.spreadsheets import guarded_but_numbers
from shared.values import STORED

REMARKS = "Remarks (កំណត់សម្គាល់)"
_COLUMN_WIDTH = 24
_WHOLE_ROW = "Row"


async def rows_to_mend(
    connection: asyncpg.Connection,
    file: ImportFile,
    *,
    personal_data: PersonalData,
) -> AsyncIterator[bytes]:
    """The rejected rows of a file, as a file of its format, as far as it can be read.

    There are as many at most as an import keeps faults of.
    """
    seen = Seen.model_validate_json(
        personal_data.files.decrypt(file.seen_sealed, bound_to=file.id.bytes)
    )
    mapping = MappingDocument.model_validate(file.mapping, context=STORED)
    headings = {column.field: column.heading for column in mapping.columns}
    writer = _WRITERS[file.format](seen)
    yield writer.begin()

    def pieces() -> AsyncIterator[bytes]:
        return pieces_of(connection, file.id, personal_data=personal_data, count=file.piece_count)

    try:
        async for part in parts_of(pieces, file.format, seen, piece_count=file.piece_count):
            if not len(part):
                continue
            faults = await repository.rejections_between(
                connection, file.import_id, first=part.lines[0], last=part.lines[-1]
            )
            for line, cells in zip(part.lines, part.cells, strict=True):
                if line in faults:
                    yield writer.row(cells, _remark(faults[line], headings))
    except Unreadable:
        # What lies behind the fault was not read either: the reading says where it stopped.
        pass
    yield writer.end()


def _remark(faults: Sequence[tuple[str, str, str]], headings: dict[str, str]) -> str:
    said = []
    for column, code, remedy in faults:
        words = wrong(code)
        where = _WHOLE_ROW if column == ROW else headings.get(column, column)
        khmer = f"{words.khmer} {remedy_in_khmer(column, code)}".rstrip()
        said.append(f"{where}: {words.english} {remedy} {khmer}")
    return " | ".join(said)


class _CsvWriter:
    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._text = io.StringIO()
        self._writer = csv.writer(self._text, delimiter=seen.delimiter, lineterminator="\r\n")

    def begin(self) -> bytes:
        # Without the mark, Excel takes UTF-8 for something else.
        return "\ufeff".encode(self._seen.encoding) + self._taken([*self._seen.headings, REMARKS])

    def row(self, cells: Sequence[str], remark: str) -> bytes:
        return self._taken([*cells, remark])

    def end(self) -> bytes:
        return b""

    def _taken(self, cells: Sequence[str]) -> bytes:
        self._writer.writerow(map(guarded_but_numbers, cells))
        text = self._text.getvalue()
        self._text.seek(0)
        self._text.truncate()
        return text.encode(self._seen.encoding, "replace")


class _ObjectWriter:
    def __init__(self, seen: Seen) -> None:
        self._headings = [*seen.headings, REMARKS]

    def begin(self) -> bytes:
        return b""

    def row(self, cells: Sequence[str], remark: str) -> bytes:
        found = {
            name: cell for name, cell in zip(self._headings, [*cells, remark], strict=True) if cell
        }
        return orjson.dumps(found, option=orjson.OPT_APPEND_NEWLINE)

    def end(self) -> bytes:
        return b""


class _SheetWriter:
    def __init__(self, seen: Seen) -> None:
        self._body = io.BytesIO()
        self._book = xlsxwriter.Workbook(self._body, {"in_memory": True})
        self._sheet = self._book.add_worksheet(seen.sheet)
        self._text = self._book.add_format({"num_format": "@"})
        self._headings = [*seen.headings, REMARKS]
        self._rows = 0

    def begin(self) -> bytes:
        self._write(self._headings)
        return b""

    def row(self, cells: Sequence[str], remark: str) -> bytes:
        self._write([*cells, remark])
        return b""

    def end(self) -> bytes:
        self._sheet.set_column(0, len(self._headings) - 1, _COLUMN_WIDTH)
        self._book.close()
        return self._body.getvalue()

    def _write(self, cells: Sequence[str]) -> None:
        # As text: neither a formula nor a number that loses its zeros.
        for at, cell in enumerate(cells):
            self._sheet.write_string(self._rows, at, cell, self._text)
        self._rows += 1


_WRITERS: dict[FileFormat, Any] = {
    FileFormat.CSV: _CsvWriter,
    FileFormat.NDJSON: _ObjectWriter,
    FileFormat.XLSX: _SheetWriter,
}


def csv_template(rows_of: RowsOf) -> bytes:
    """The headings, in both languages, as Excel opens them."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(headings_of(fields_of(rows_of)))
    return ("\ufeff" + text.getvalue()).encode()


def workbook_template(rows_of: RowsOf) -> bytes:
    """A sheet with the headings, whose columns of codes are text, and a sheet of words."""
    body = io.BytesIO()
    book = xlsxwriter.Workbook(body, {"in_memory": True})
    bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
    text = book.add_format({"num_format": "@"})
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    sheet = book.add_worksheet(rows_of.value.capitalize())
    sheet.freeze_panes(1, 0)
    fields = fields_of(rows_of)
    headings = headings_of(fields)
    for at, (field, heading) in enumerate(zip(fields, headings, strict=True)):
        sheet.set_column(at, at, _COLUMN_WIDTH, text if _is_text(field) else None)
        sheet.write_string(0, at, heading, bold)
    words = book.add_worksheet("Words")
    words.set_column(0, 3, 2 * _COLUMN_WIDTH, wrapped)
    titles = ("Column (ក្បាលតារាង)", "How to write it", "Word (ពាក្យ)", "Also read as")
    for at, title in enumerate(titles):
        words.write_string(0, at, title, bold)
    row = 1
    for field, heading in zip(fields, headings, strict=True):
        needed = "It may be empty." if field.optional else "It is needed."
        first = [heading, f"{field.write[:1].upper()}{field.write[1:]}. {needed}"]
        for choice, also in words_shown(field) or [("", "")]:
            for at, cell in enumerate([*first, choice, also]):
                words.write_string(row, at, cell, wrapped)
            first = ["", ""]
            row += 1
    book.close()
    return body.getvalue()


def _is_text(field: Field) -> bool:
    """Whether a spreadsheet would take a zero from its beginning."""
    return isinstance(field.kind, Code | Commune | Day | Phone)


def name_of(import_id: UUID, format: FileFormat) -> str:
    """What the returned file is called."""
    return f"import-{import_id}-rows-to-mend.{format}"
