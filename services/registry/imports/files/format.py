"""What a file is, by how it begins: its format, its encoding, its separator.

People save from spreadsheets in whatever way the spreadsheet offers. What a file says of itself
counts for more than what whoever sends it says.
"""

import codecs
import re
from dataclasses import dataclass
from enum import StrEnum

BEGINNING_BYTES = 64 * 1024
"""How much of a file is looked at."""
DELIMITERS = (",", ";", "\t")
_SEPARATOR_LINE = re.compile(r"(?:\ufeff)?sep=(.)\r?\n")
_ARCHIVE, _OLD_WORKBOOK, _PDF = b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF"
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_QUOTED = re.compile(r'"(?:[^"]|"")*"')
_LINES_LOOKED_AT = 20
_MOSTLY = 0.2
"""In UTF-16 without a mark, every separator, digit and Latin letter has a zero byte beside it."""


class Unreadable(Exception):
    """The body is no file that rows can be read from. Says what is wrong, and what to do."""


class FileFormat(StrEnum):
    """What households come in."""

    CSV = "csv"
    NDJSON = "ndjson"
    XLSX = "xlsx"


MEDIA_TYPES = {
    FileFormat.CSV: "text/csv",
    FileFormat.NDJSON: "application/x-ndjson",
    FileFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@dataclass(frozen=True)
class Format:
    """How a file is read."""

    kind: FileFormat
    encoding: str = "utf-8"
    delimiter: str = ","
    skipped_lines: int = 0
    """Lines before the first that hold no cells: ``sep=;``."""


def format_of(beginning: bytes) -> Format:
    """The format of a file that begins so; raises Unreadable for what is none of them."""
    if is_workbook(beginning):
        return Format(FileFormat.XLSX)
    if beginning.startswith(_OLD_WORKBOOK):
        raise Unreadable(
            "The file is an Excel workbook of before 2007 (.xls), or one with a password. Save it "
            "as “Excel Workbook (.xlsx)” without a password, and send that."
        )
    if beginning.startswith(_PDF):
        raise Unreadable("The file is a PDF. Send the table that it was made from.")
    encoding = _encoding_of(beginning)
    text = beginning.decode(encoding, "ignore").removeprefix("\ufeff")
    if not text.strip():
        raise Unreadable("The file is empty. Send one with a row of headings, and rows below.")
    if text.lstrip().startswith("{"):
        return Format(FileFormat.NDJSON, encoding)
    if told := _SEPARATOR_LINE.match(text):
        return Format(FileFormat.CSV, encoding, told[1], skipped_lines=1)
    return Format(FileFormat.CSV, encoding, _delimiter_of(text))


def is_workbook(beginning: bytes) -> bool:
    """Whether a file that begins so can be one."""
    return beginning.startswith(_ARCHIVE)


def _encoding_of(beginning: bytes) -> str:
    for mark, encoding in _BYTE_ORDER_MARKS:
        if beginning.startswith(mark):
            return encoding
    looked_at = beginning[: len(beginning) & ~1]
    pairs = len(looked_at) // 2
    if pairs and looked_at[1::2].count(0) > pairs * _MOSTLY:
        return "utf-16-le"
    if pairs and looked_at[::2].count(0) > pairs * _MOSTLY:
        return "utf-16-be"
    return "utf-8"


def _delimiter_of(text: str) -> str:
    """The one that cuts the beginning's widest line into most cells."""
    lines = [_QUOTED.sub("", line) for line in re.split(r"[\r\n]+", text)[:_LINES_LOOKED_AT]]
    return max(DELIMITERS, key=lambda delimiter: max(line.count(delimiter) for line in lines))
