"""Reading a provider's CSV as it comes in, with bounded memory: each line by itself.

A record is a line: no cell spans two, so that a quote which is never closed spoils one line.
"""

import csv
from collections.abc import Callable, Sequence
from datetime import tzinfo

from services.payments.reconciliation import values
from services.payments.reconciliation.chain import Chain
from services.payments.reconciliation.kinds import Direction
from services.payments.reconciliation.lines import (
    NOTHING,
    Fault,
    StatementRead,
    StatementRefused,
)
from services.payments.reconciliation.mapping import StatementMappingDocument
from shared.money import minor_digits

_MAXIMUM_LINE_BYTES = 64 * 1024
_HEADING_WITHIN_LINES = 50
"""Providers put a few lines before the headings: whose account it is, and of when."""
_BLOCK_ROWS = 8_192


class CsvReader:
    """Reads one file, part by part. The headings may come after lines of other things."""

    def __init__(self, mapping: StatementMappingDocument, *, currency: str, zone: tzinfo) -> None:
        self._mapping = mapping
        self._currency = currency
        self._digits = minor_digits(currency)
        self._zone = zone
        self._direction_of = {
            **dict.fromkeys(mapping.out_values, Direction.OUT),
            **dict.fromkeys(mapping.in_values, Direction.IN),
        }
        self._places: dict[str, int] = {}
        self._width = 0
        self._line = 0
        self._waiting = b""
        self._chain = Chain()
        self._read = StatementRead()

    def feed(self, part: bytes) -> None:
        """Read the next part of the body; raises StatementRefused."""
        whole, end, rest = (self._waiting + part).rpartition(b"\n")
        if len(rest) > _MAXIMUM_LINE_BYTES:
            raise StatementRefused(
                f"A line after line {self._line} is longer than {_MAXIMUM_LINE_BYTES:,} bytes: it "
                "is no CSV."
            )
        self._waiting = rest
        if end:
            self._take(whole)

    def end(self) -> StatementRead:
        """What was read, once the body has ended; raises StatementRefused."""
        if self._waiting:
            self._take(self._waiting)
            self._waiting = b""
        if not self._places:
            raise self._without_headings()
        if ends := self._chain.ends():
            self._read.opening_minor, self._read.closing_minor = ends
        return self._read

    def _take(self, content: bytes) -> None:
        text = content.decode("utf-8-sig" if self._line == 0 else "utf-8", "replace")
        if "\r" in text:
            text = text.replace("\r\n", "\n").removesuffix("\r")
        lines = text.split("\n")
        begin = 0
        while begin < len(lines) and not self._places:
            self._look_for_headings(lines[begin])
            begin += 1
        for at in range(begin, len(lines), _BLOCK_ROWS):
            self._take_block(lines[at : at + _BLOCK_ROWS])

    def _look_for_headings(self, line: str) -> None:
        self._line += 1
        headings = [cell.strip() for cell in self._cells(line) or ()]
        wanted = {field: heading for field, heading in self._mapping.columns if heading is not None}
        if set(wanted.values()) <= set(headings):
            self._places = {field: headings.index(heading) for field, heading in wanted.items()}
            self._width = len(headings)
        elif self._line >= _HEADING_WITHIN_LINES:
            raise self._without_headings()

    def _without_headings(self) -> StatementRefused:
        wanted = ", ".join(heading for _, heading in self._mapping.columns if heading is not None)
        return StatementRefused(
            f"None of its first {_HEADING_WITHIN_LINES} lines has the headings {wanted}, which the "
            "provider's statement mapping names. Is it the right file? Else post a further version "
            "of the mapping: POST /v1/statement-mappings/{code}/versions."
        )

    def _take_block(self, lines: Sequence[str]) -> None:
        first = self._line + 1
        if "" not in lines and not any('"' in line for line in lines):
            self._line += len(lines)
            delimiter = self._mapping.delimiter
            self._keep(range(first, first + len(lines)), [line.split(delimiter) for line in lines])
            return
        numbers, rows = [], []
        for number, line in enumerate(lines, start=first):
            if not line:
                continue
            cells = self._cells(line)
            if cells is None:
                self._read.set_aside(number, "line", "A quote is opened and not closed in it.")
            else:
                numbers.append(number)
                rows.append(cells)
        self._line += len(lines)
        self._keep(numbers, rows)

    def _cells(self, line: str) -> list[str] | None:
        if '"' not in line:
            return line.split(self._mapping.delimiter)
        try:
            [cells] = csv.reader([line], delimiter=self._mapping.delimiter, strict=True)
        except (csv.Error, ValueError):
            return None
        return cells

    def _keep(self, numbers: Sequence[int], rows: Sequence[list[str]]) -> None:
        """Keep rows as columns; where one cannot be read, it alone is set aside."""
        if not rows:
            return
        try:
            self._keep_all(numbers, rows)
        except Fault as fault:
            if len(rows) == 1:
                self._read.set_aside(numbers[0], fault.field, fault.reason)
                return
            half = len(rows) // 2
            self._keep(numbers[:half], rows[:half])
            self._keep(numbers[half:], rows[half:])

    def _keep_all(self, numbers: Sequence[int], rows: Sequence[list[str]]) -> None:
        if set(map(len, rows)) != {self._width}:
            raise Fault("line", f"It has another number of cells than the {self._width} headings.")
        columns = list(zip(*rows, strict=True))
        amounts = values.amounts(
            columns[self._places["amount"]], digits=self._digits, field="amount"
        )
        directions, amounts = self._directions(columns, amounts)
        balances = self._column(columns, "balance", self._balances)
        self._require_currency(columns)
        times = self._column(columns, "booked_at", self._times)
        ids = self._column(columns, "our_id", values.our_ids)
        references = self._column(columns, "reference", values.references)
        self._read.keep(
            lines=numbers,
            directions=directions,
            amounts=amounts,
            balances=balances,
            times=times,
            ids=ids,
            references=references,
        )
        if "balance" in self._places:
            self._keep_balances(directions, amounts, balances)

    def _column(
        self,
        columns: Sequence[Sequence[str]],
        field: str,
        read: Callable[[Sequence[str]], Sequence[str]],
    ) -> Sequence[str]:
        place = self._places.get(field)
        return [NOTHING] * len(columns[0]) if place is None else read(columns[place])

    def _directions(
        self, columns: Sequence[Sequence[str]], amounts: list[int]
    ) -> tuple[list[Direction], list[int]]:
        place = self._places.get("direction")
        if 0 in amounts:
            raise Fault("amount", "It is nothing: a line of a statement moves money.")
        if place is None:
            directions = [Direction.OUT if amount < 0 else Direction.IN for amount in amounts]
            return directions, list(map(abs, amounts))
        if min(amounts) < 0:
            raise Fault("amount", "It is below nothing, where a column says which way it goes.")
        try:
            return list(map(self._direction_of.__getitem__, columns[place])), amounts
        except KeyError:
            raise Fault(
                "direction", "It is none of the values that the statement mapping names."
            ) from None

    def _balances(self, cells: Sequence[str]) -> list[str]:
        return list(map(str, values.amounts(cells, digits=self._digits, field="balance")))

    def _times(self, cells: Sequence[str]) -> Sequence[str]:
        return values.times(cells, format=self._mapping.time_format, zone=self._zone)

    def _require_currency(self, columns: Sequence[Sequence[str]]) -> None:
        place = self._places.get("currency")
        if place is not None and set(columns[place]) != {self._currency}:
            raise Fault("currency", f"It is not {self._currency}, which the provider's account is.")

    def _keep_balances(
        self, directions: Sequence[Direction], amounts: Sequence[int], balances: Sequence[str]
    ) -> None:
        self._chain.extend(
            (
                amount if direction is Direction.IN else -amount
                for amount, direction in zip(amounts, directions, strict=True)
            ),
            map(int, balances),
        )
