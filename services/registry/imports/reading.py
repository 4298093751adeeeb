"""Reading the blocks of a body: their rows, and what each row is found and compared by.

Plain computation, run in a thread beside the event loop while PostgreSQL stores the block before.
"""

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from services.registry.households.persons import Indexes, PersonalData
from services.registry.households.shape import COMMUNE, HEADERS, REGISTRATION_NUMBER, SHAPE
from services.registry.imports.blocks import Unreadable
from services.registry.imports.faults import REPEATED, Fault, of_row
from services.registry.imports.rows import (
    Columns,
    ReadRows,
    headed_by,
    pick,
    read_cells,
    read_rows,
)

_REPEATED = Fault(
    REGISTRATION_NUMBER.header,
    REPEATED,
    "An earlier line of this file has the same registration number.",
)


class Rejection(NamedTuple):
    """One fault of one row, by its line in the body (the header is line 1)."""

    line: int
    fault: Fault


class TooManyFaults(Unreadable):
    """A body with more faults than are kept. What comes before the line was read."""

    def __init__(self, line: int, *, maximum: int) -> None:
        super().__init__(
            f"It was stopped at line {line}: with that line it would have more than {maximum} "
            "faults, which is seldom the file that was meant."
        )
        self.line = line


@dataclass(frozen=True)
class OtherIndexes:
    """While the blind index's key is changed: the same by the other key, by which some households
    are stored."""

    registration_indexes: list[bytes]
    content_indexes: list[bytes]


@dataclass(frozen=True)
class ReadBlock:
    """A block's rows, read: those taken as columns, with what each is found and compared by."""

    columns: Columns
    registration_indexes: list[bytes]
    content_indexes: list[bytes]
    other: "OtherIndexes | None"
    rejections: list[Rejection]
    rejected_count: int
    last_line: int
    stopped: TooManyFaults | None
    """Why no row behind ``last_line`` is read; None: the body goes on."""
    rejected_in: Counter[str] = field(default_factory=Counter)
    """How many rejected rows name each commune; those that name none, the empty code."""


class Reader:
    """Reads the blocks of one body in order; knows what the body said before."""

    def __init__(
        self,
        *,
        communes: Mapping[str, str],
        providers: frozenset[str],
        personal_data: PersonalData,
        maximum_rejections: int,
    ) -> None:
        self._communes = communes
        self._providers = providers
        self._personal_data = personal_data
        self._maximum_rejections = maximum_rejections
        self._rejections_left = maximum_rejections
        self._seen: set[bytes] = set()
        self._line = 0
        self._left_out = 0

    def read(self, block: bytes) -> ReadBlock:
        """The rows of the next block; raises Unreadable where the header is not ours."""
        lines, rows = self._cells(block)
        read = read_rows(rows, communes=self._communes, providers=self._providers)
        return self._kept(lines, read, last_line=self._line)

    def read_cells(
        self,
        lines: Sequence[int],
        cells: Mapping[str, Sequence[str]],
        *,
        codes: Mapping[tuple[int, str], str],
        broken: Mapping[int, str],
    ) -> ReadBlock:
        """Rows as the cells of each field's header; ``codes`` and ``broken`` say of some cells,
        and of some rows, why they cannot be read."""
        read = read_cells(
            cells, len(lines), communes=self._communes, providers=self._providers, codes=codes
        )
        if broken:
            kept = [at for at, row in enumerate(read.taken) if row not in broken]
            read = ReadRows(
                taken=[read.taken[at] for at in kept],
                columns=pick(read.columns, kept),
                faults={**read.faults, **{row: [of_row(code)] for row, code in broken.items()}},
            )
        block = self._kept(lines, read, last_line=lines[-1] if lines else 0)
        if block.rejected_count:
            rejected = {rejection.line for rejection in block.rejections}
            named = cells[COMMUNE.header]
            block.rejected_in.update(
                named[at] if named[at] in self._communes else ""
                for at, line in enumerate(lines)
                if line in rejected
            )
        return block

    def _kept(self, lines: Sequence[int], read: ReadRows, *, last_line: int) -> ReadBlock:
        faults, taken, columns = dict(read.faults), read.taken, read.columns
        index_of = self._personal_data.index.indexes_of(REGISTRATION_NUMBER)
        indexes = list(map(index_of, columns[REGISTRATION_NUMBER.name]))
        faults |= {taken[at]: [_REPEATED] for at in self._repeated(indexes)}
        end = self._end_of_what_is_kept(faults, len(lines))
        if end < len(lines):
            faults = {row: found for row, found in faults.items() if row < end}
        kept = [at for at, row in enumerate(taken) if row < end and row not in faults]
        if len(kept) < len(taken):
            columns, indexes = pick(columns, kept), [indexes[at] for at in kept]
        rejections = [
            Rejection(lines[row], fault) for row in sorted(faults) for fault in faults[row]
        ]
        self._rejections_left -= len(rejections)
        stopped = None
        if end < len(lines):
            stopped = TooManyFaults(lines[end], maximum=self._maximum_rejections)
        return ReadBlock(
            columns=columns,
            registration_indexes=indexes,
            content_indexes=_content_indexes(columns, self._personal_data.index),
            other=self._other(columns),
            rejections=rejections,
            rejected_count=len(faults),
            last_line=lines[end] - 1 if stopped else last_line,
            stopped=stopped,
        )

    def _end_of_what_is_kept(self, faults: Mapping[int, Sequence[Fault]], rows: int) -> int:
        """The row whose faults would be too many, or how many rows there are."""
        left = self._rejections_left
        for row in sorted(faults):
            left -= len(faults[row])
            if left < 0:
                return row
        return rows

    def _cells(self, block: bytes) -> tuple[list[int], list[list[str]]]:
        """The line in which each row begins, and its cells; without the header."""
        before = self._line
        # A cell that is not UTF-8 keeps U+FFFD, which no column takes.
        reader = csv.reader(io.StringIO(block.decode("utf-8-sig", "replace"), newline=""))
        begins, lines, rows = before + 1, [], []
        try:
            for cells in reader:
                if cells:
                    lines.append(begins)
                    rows.append(cells)
                begins = before + reader.line_num + 1
        except csv.Error as error:
            raise Unreadable(f"Line {before + reader.line_num} is not CSV ({error}).") from None
        self._line = before + reader.line_num
        if before == 0:
            if not rows or lines[0] != 1 or not headed_by(rows[0]):
                raise Unreadable(f"The first line must be: {','.join(HEADERS)}.")
            self._left_out = len(HEADERS) - len(rows[0])
            del lines[0], rows[0]
        if self._left_out:
            rows = [[*cells, *[""] * self._left_out] for cells in rows]
        return lines, rows

    def _repeated(self, indexes: list[bytes]) -> set[int]:
        """Which rows were there before, by their registration number."""
        new = set(indexes)
        if len(new) == len(indexes) and self._seen.isdisjoint(new):
            self._seen |= new
            return set()
        repeated = set()
        for at, index in enumerate(indexes):
            if index in self._seen:
                repeated.add(at)
            self._seen.add(index)
        return repeated

    def _other(self, columns: Columns) -> OtherIndexes | None:
        found = self._personal_data.other_index
        if found is None:
            return None
        index_of = found.indexes_of(REGISTRATION_NUMBER)
        return OtherIndexes(
            registration_indexes=list(map(index_of, columns[REGISTRATION_NUMBER.name])),
            content_indexes=_content_indexes(columns, found),
        )


def _content_indexes(columns: Columns, found: Indexes) -> list[bytes]:
    values = (columns[known.name] for known in SHAPE)
    return list(map(found.content_index, zip(*values, strict=True)))
