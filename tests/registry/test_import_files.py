"""Files as people save them: read whatever they are saved as, in memory that a row bounds."""

import csv
import io
import os
import zipfile
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import datetime
from typing import Any

import orjson
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from services.registry.imports.files import sheet, workbook
from services.registry.imports.files.delimited import DelimitedReader
from services.registry.imports.files.format import (
    DELIMITERS,
    FileFormat,
    Format,
    Unreadable,
    format_of,
)
from services.registry.imports.files.objects import ObjectReader
from services.registry.imports.files.rows import Rows

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be")
CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=8)
WHOLE = st.integers(-(2**63), 2**63)
TABLES = st.lists(st.lists(CELLS, min_size=2, max_size=4), min_size=1, max_size=12)


def together(parts: Iterable[Rows]) -> Rows:
    rows = Rows()
    for part in parts:
        rows.lines += part.lines
        rows.cells += part.cells
        rows.broken |= part.broken
    return rows


def read(reader: DelimitedReader | ObjectReader, body: bytes, *, piece: int = 7) -> Rows:
    pieces = [body[at : at + piece] for at in range(0, len(body), piece)]
    return together([*map(reader.feed, pieces), reader.end()])


def as_csv(table: Iterable[Iterable[str]], **dialect: Any) -> str:
    text = io.StringIO()
    csv.writer(text, **dialect).writerows(table)
    return text.getvalue()


@settings(max_examples=60)
@given(
    table=TABLES,
    delimiter=st.sampled_from(DELIMITERS),
    encoding=st.sampled_from(ENCODINGS),
    ends=st.sampled_from(["\n", "\r\n"]),
    piece=st.integers(1, 40),
)
def test_csv_of_any_kind_is_read_as_it_was_written(
    table: list[list[str]], delimiter: str, encoding: str, ends: str, piece: int
) -> None:
    """Also where a piece ends amid a character, a cell, or between the two signs of a line end."""
    body = as_csv(table, delimiter=delimiter, lineterminator=ends).encode(encoding)
    read_as = {"utf-8-sig": "utf-8", "utf-16": "utf-16-le"}.get(encoding, encoding)
    rows = read(DelimitedReader(Format(FileFormat.CSV, read_as, delimiter)), body, piece=piece)
    expected = [row for row in table if row]
    if expected[0][0].startswith("\ufeff"):
        return
    assert rows.cells == expected
    assert rows.broken == {}


@pytest.mark.parametrize("delimiter", DELIMITERS)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_file_says_itself_what_it_is(encoding: str, delimiter: str) -> None:
    table = [["registration_number", "ឈ្មោះមេគ្រួសារ", "phone"], ["KH-1", 'សុខ, "A"; b', "012"]]
    told = format_of(as_csv(table, delimiter=delimiter).encode(encoding))
    assert told.kind is FileFormat.CSV
    assert told.delimiter == delimiter
    assert read(
        DelimitedReader(told), as_csv(table, delimiter=delimiter).encode(encoding)
    ).cells == (table)


def test_what_is_no_file_of_rows_is_said_to_be_that() -> None:
    for begins, part in (
        (b"\xd0\xcf\x11\xe0", "Save it as “Excel Workbook"),
        (b"%PDF-1.7", "is a PDF"),
        (b"", "is empty"),
        (b" \r\n \r\n", "is empty"),
    ):
        with pytest.raises(Unreadable, match=part):
            format_of(begins)
    assert format_of(b"sep=;\r\na;b\r\n") == Format(FileFormat.CSV, "utf-8", ";", 1)
    assert format_of(b' {"a": 1}\n').kind is FileFormat.NDJSON


def test_a_quote_that_is_never_closed_spoils_its_own_line() -> None:
    body = b'a,b\n1,2\n3,"open\n4,5\n6,"closed\nbelow"\n7,8\n' + b"9,9\n" * 40
    rows = read(DelimitedReader(Format(FileFormat.CSV)), body)
    # Three lines on there is a quote that would close it, with more behind it.
    assert rows.cells[:2] == [["a", "b"], ["1", "2"]]
    body = b'a,b\n1,2\n3,"open\n' + b"4,5\n" * 40 + b'6,"closed\nbelow"\n7,"last'
    rows = read(DelimitedReader(Format(FileFormat.CSV)), body)
    assert rows.broken == {3: "quote-open", 46: "quote-open"}
    assert rows.cells == [["a", "b"], ["1", "2"], *[["4", "5"]] * 40, ["6", "closed\nbelow"]]
    assert rows.lines == [1, 2, *range(4, 44), 44]


def test_a_cell_without_end_costs_no_memory_and_no_other_row() -> None:
    """Any size of cell, of which no more is held than a row may be long."""
    reader = DelimitedReader(Format(FileFormat.CSV))
    piece = b"x" * 2**20
    rows = [reader.feed(b"a,b\n1,2\n3,")]
    for _ in range(48):
        rows.append(reader.feed(piece))
        assert len(reader._text) < 2**18
    rows.append(reader.feed(b"\n4,5\n"))
    found = together([*rows, reader.end()])
    assert found.cells == [["a", "b"], ["1", "2"], ["4", "5"]]
    assert found.lines == [1, 2, 4]
    assert found.broken == {3: "too-long"}


def test_nul_bytes_and_damaged_text_stay_in_their_cells() -> None:
    rows = read(DelimitedReader(Format(FileFormat.CSV)), b"a,b\n1,\x00\n\xff,2\n3,4\n")
    assert rows.cells == [["a", "b"], ["1", "\x00"], ["\ufffd", "2"], ["3", "4"]]


@settings(max_examples=60)
@given(
    objects=st.lists(
        st.dictionaries(
            st.sampled_from("abcd"), st.one_of(CELLS, st.integers(-(2**63), 2**63), st.none())
        )
    ),
    piece=st.integers(1, 40),
)
def test_objects_are_read_by_their_names(objects: list[dict[str, Any]], piece: int) -> None:
    body = b"".join(orjson.dumps(found) + b"\n" for found in objects if found)
    rows = read(ObjectReader(Format(FileFormat.NDJSON), "abcd"), body, piece=piece)
    assert rows.cells == [
        ["" if found.get(name) is None else str(found[name]) for name in "abcd"]
        for found in objects
        if found
    ]


def test_a_line_that_is_no_object_is_told_alone() -> None:
    deep = b"[" * 100_000
    body = b'{"a": 1}\n[1]\nnothing\n' + deep + b'\n{"a": {"b": 1}, "b": 2.0}\n{"a": true'
    rows = read(ObjectReader(Format(FileFormat.NDJSON), "ab"), body, piece=1000)
    assert rows.lines == [1, 5]
    assert rows.cells == [["1", ""], ["\ufffd", "2"]]
    assert rows.broken == {2: "no-object", 3: "no-object", 4: "too-long", 6: "no-object"}


# Workbooks.


def workbook_of(write: Callable[[Any, Any], object]) -> bytes:
    body = io.BytesIO()
    book = xlsxwriter.Workbook(body)
    write(book, book.add_worksheet("គ្រួសារ"))
    book.close()
    return body.getvalue()


async def sheet_of(body: bytes, **options: Any) -> tuple[workbook.Sheet, Rows]:
    async def pieces() -> AsyncIterator[bytes]:
        for at in range(0, len(body), 100_000):
            yield body[at : at + 100_000]

    async with workbook.opened(pieces(), **options) as (found, rows):
        return found, together([part async for part in rows])


def altered(body: bytes, part: str, change: Callable[[bytes], bytes]) -> bytes:
    """A workbook of which one part is another."""
    given_archive, out = zipfile.ZipFile(io.BytesIO(body)), io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name in given_archive.namelist():
            content = given_archive.read(name)
            archive.writestr(name, change(content) if name == part else content)
    return out.getvalue()


async def test_cells_of_a_workbook_say_what_people_see() -> None:
    def write(book: Any, first: Any) -> None:
        first.write_row(2, 1, ["code", "members", "born", "sum", "flag", "name"])
        born = book.add_format({"num_format": "dd/mm/yyyy"})
        first.write_row(4, 1, [10202.0, 4])
        first.write_datetime(4, 3, datetime(1986, 4, 13), born)  # noqa: DTZ001
        first.write_formula(4, 4, "=C5+1", None, 5)
        first.write_boolean(4, 5, True)
        first.write_string(4, 6, "សុខ")
        first.merge_range(5, 1, 6, 1, "merged")
        first.write(6, 2, 2.5)
        book.add_worksheet("Hidden").hide()
        book.add_worksheet("Other").write(0, 0, "other")

    body = workbook_of(write)
    found, rows = await sheet_of(body)
    assert (found.name, found.names, found.rows) == ("គ្រួសារ", ["គ្រួសារ", "Other"], 7)
    assert found.merged == [(6, 7)]
    assert rows.lines == [3, 5, 6, 7]
    assert rows.cells[1:] == [
        ["", "10202", "4", "1986-04-13", "5", "yes", "សុខ"],
        ["", "merged", "", "", "", "", ""],
        ["", "", "2.5", "", "", "", ""],
    ]
    assert (await sheet_of(body, sheet="Other"))[1].cells == [["other"]]
    with pytest.raises(Unreadable, match="no such sheet"):
        await sheet_of(body, sheet="Hidden")


async def test_a_hostile_workbook_is_refused_and_harms_nothing() -> None:
    """Its reader has a limit to memory and dies of it; whoever started it says what to do."""
    small = workbook_of(lambda _, first: first.write_row(0, 0, ["a", "b"]))
    far = workbook_of(lambda _, first: (first.write(0, 0, "a"), first.write(1_048_575, 400, "b")))
    wide = workbook_of(lambda _, first: (first.write(0, 0, "a"), first.write(0, 16_383, "b")))
    laughs = (
        b'<?xml version="1.0"?><!DOCTYPE sst [<!ENTITY a "ha">'
        + b"".join(b'<!ENTITY %c "%s">' % (98 + at, b"&%c;" % (97 + at) * 10) for at in range(20))
        + b']><sst count="2" uniqueCount="2"><si><t>&u;</t></si><si><t>b</t></si></sst>'
    )
    strings, first_sheet = "xl/sharedStrings.xml", "xl/worksheets/sheet1.xml"

    def bomb(_: bytes) -> bytes:
        return b"<worksheet><sheetData>" + b" " * (330 * 2**20) + b"</sheetData></worksheet>"

    def long_cell(_: bytes) -> bytes:
        return b"<sst><si><t>" + b"x" * (330 * 2**20) + b"</t></si><si><t>b</t></si></sst>"

    for body, part in (
        (b"PK\x03\x04" + os.urandom(100), "no Excel workbook"),
        (small[: len(small) // 2], "no Excel workbook"),
        (far, "Save the sheet as “CSV UTF-8"),
        (wide, "more than 500 columns"),
        (altered(small, strings, long_cell), "Save the sheet as “CSV UTF-8"),
    ):
        with pytest.raises(Unreadable, match=part):
            await sheet_of(body)
    # What is compressed to nothing is read as the nothing that it is, and entities as no text.
    for body in (altered(small, first_sheet, bomb), altered(small, strings, lambda _: laughs)):
        try:
            _, rows = await sheet_of(body)
        except Unreadable:
            continue
        assert sum(len(cell) for row in rows.cells for cell in row) < 100


async def test_a_row_of_a_workbook_that_is_too_long_is_told_alone() -> None:
    def write(_: Any, first: Any) -> None:
        first.write_row(0, 0, ["a", "b"])
        first.write_row(1, 0, ["x" * 32_000] * 3)
        first.write_row(2, 0, ["1", "2"])

    _, rows = await sheet_of(workbook_of(write))
    assert rows.cells == [["a", "b", ""], ["1", "2", ""]]
    assert rows.broken == {2: "too-long"}


def test_the_reader_of_workbooks_stays_below_its_share_of_memory() -> None:
    assert sheet.MEMORY_BYTES <= 320 * 2**20
