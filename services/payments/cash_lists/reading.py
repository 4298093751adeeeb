"""Reading uploaded results, each row by itself. Pure, and it never raises.

A record is a line: no cell spans two, so that a quote which is never closed spoils one row. Figures
may be Khmer, cells may be set apart by semicolons, and days may be written as people here do.
"""

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation

from services.payments.cash_lists.states import NotPaidReason, RowFault
from services.payments.providers.cashlist.listing import ListedPayment
from services.payments.providers.cashlist.states import LineOutcome

MOST_ROWS = 20_000
_LONGEST_ROW = 2_000
_NEEDED = ("number", "outcome")
_FIGURES = str.maketrans("០១២៣៤៥៦៧៨៩", "0123456789")
_ISO_DAY = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})")
_LOCAL_DAY = re.compile(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})")
_NUMBER = re.compile(r"[0-9]{1,7}")
_AMOUNT = re.compile(r"[0-9][0-9,]{0,17}(\.[0-9]{1,4})?")
_REFERENCE = re.compile(r"(?=.*[0-9])[A-Z0-9][A-Z0-9./-]{0,23}")
"""Of a slip or a page. No word fits: it has a figure, and no blank."""
_OUTCOMES = {"paid": LineOutcome.PAID, "not-paid": LineOutcome.NOT_PAID}


@dataclass(frozen=True, slots=True)
class IssuedList:
    """The list that results are about, as it was issued."""

    code: str
    made_on: date
    lines: Mapping[int, ListedPayment]


@dataclass(frozen=True, slots=True)
class ResultRow:
    """What one row says, or why it says nothing."""

    row: int
    number: int | None = None
    outcome: LineOutcome | None = None
    reason: str | None = None
    paid_on: date | None = None
    paper_reference: str | None = None
    fault: RowFault | None = None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """It is no file of results. Says what to do."""

    detail: str


def read_rows(content: bytes, issued: IssuedList, *, today: date) -> list[ResultRow] | Unreadable:
    """The rows of a file that say something, or fail to; those without an outcome are left out."""
    lines = content.decode("utf-8-sig", "replace").replace("\r\n", "\n").split("\n")
    delimiter = ";" if lines[0].count(";") > lines[0].count(",") else ","
    headings = [cell.strip().lower() for cell in _cells(lines[0], delimiter) or ()]
    if not set(_NEEDED) <= set(headings) or len(set(headings)) != len(headings):
        return Unreadable(
            "The first line has to name the columns, each once: number and outcome at least. Take "
            "the list's CSV, GET /v1/cash-lists/{list_id}/sheet.csv, and fill it in."
        )
    if len(lines) > MOST_ROWS:
        return Unreadable(f"A file of results has {MOST_ROWS:,} rows at most: send it in parts.")
    read: list[ResultRow] = []
    for position, line in enumerate(lines[1:], start=2):
        if not line.strip():
            continue
        cells = _cells(line, delimiter)
        if cells is None or len(cells) != len(headings):
            read.append(ResultRow(position, fault=RowFault.NOT_A_ROW))
            continue
        named = {name: cell.strip() for name, cell in zip(headings, cells, strict=True)}
        if named["outcome"]:
            read.append(_row(position, named, issued, today=today))
    return _without_contradictions(read)


def _cells(line: str, delimiter: str) -> list[str] | None:
    if len(line) > _LONGEST_ROW or "\0" in line:
        return None
    try:
        rows = list(csv.reader([line], delimiter=delimiter, strict=True))
    except csv.Error:
        return None
    return rows[0] if len(rows) == 1 else None


def _row(position: int, cells: Mapping[str, str], issued: IssuedList, *, today: date) -> ResultRow:
    figures = {name: cell.translate(_FIGURES) for name, cell in cells.items()}
    if cells.get("list") and figures["list"].upper() != issued.code:
        return ResultRow(position, fault=RowFault.OTHER_LIST)
    if not _NUMBER.fullmatch(figures["number"]):
        return ResultRow(position, fault=RowFault.NUMBER_UNREADABLE)
    number = int(figures["number"])
    line = issued.lines.get(number)
    if line is None:
        return ResultRow(position, fault=RowFault.NO_SUCH_LINE)
    of_line = ResultRow(position, number=number)
    if cells.get("code") and cells["code"].upper() != line.code:
        return replace(of_line, fault=RowFault.OTHER_CODE)
    if not _is_amount_of(line, figures.get("amount", ""), cells.get("currency", "")):
        return replace(of_line, fault=RowFault.OTHER_AMOUNT)
    return _said(of_line, figures, issued, today=today)


def _said(
    of_line: ResultRow, cells: Mapping[str, str], issued: IssuedList, *, today: date
) -> ResultRow:
    outcome = _OUTCOMES.get(re.sub(r"[ _]", "-", cells["outcome"].lower()))
    if outcome is None:
        return replace(of_line, fault=RowFault.OUTCOME_UNREADABLE)
    reference = cells.get("paper_reference", "").upper()
    if reference and not _REFERENCE.fullmatch(reference):
        return replace(of_line, fault=RowFault.REFERENCE_UNREADABLE)
    said = replace(of_line, outcome=outcome, paper_reference=reference or None)
    if outcome is LineOutcome.NOT_PAID:
        reason = re.sub(r"[ _]", "-", cells.get("reason", "").lower())
        if reason not in set(NotPaidReason):
            return replace(of_line, fault=RowFault.REASON_UNREADABLE)
        return replace(said, reason=reason)
    paid_on = _day(cells.get("paid_on", ""))
    if paid_on is None:
        return replace(of_line, fault=RowFault.DAY_UNREADABLE)
    if not issued.made_on <= paid_on <= today:
        return replace(of_line, fault=RowFault.DAY_IMPOSSIBLE)
    return replace(said, paid_on=paid_on)


def _is_amount_of(line: ListedPayment, amount: str, currency: str) -> bool:
    """Whether what stands there, where anything does, is the line's amount."""
    if currency and currency.upper() != line.money.currency:
        return False
    if not amount:
        return True
    if not _AMOUNT.fullmatch(amount):
        return False
    try:
        return Decimal(amount.replace(",", "")) == line.money.to_decimal()
    except InvalidOperation:
        return False


def _day(text: str) -> date | None:
    if found := _ISO_DAY.fullmatch(text):
        year, month, day = found.groups()
    elif found := _LOCAL_DAY.fullmatch(text):
        day, month, year = found.groups()
    else:
        return None
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def _without_contradictions(rows: Sequence[ResultRow]) -> list[ResultRow]:
    """The rows, where those that differ about a line are set aside, each of them."""
    said: dict[int | None, set[LineOutcome | None]] = {}
    for row in rows:
        if row.fault is None:
            said.setdefault(row.number, set()).add(row.outcome)
    return [
        ResultRow(row.row, number=row.number, fault=RowFault.CONTRADICTS_ITSELF)
        if row.fault is None and len(said[row.number]) > 1
        else row
        for row in rows
    ]
