"""Tables of counts without small cells, and without what would betray them: pure.

The margins of all tables are the same households counted in different ways, so they are made fit
to be shown first: outcomes, and then rows, that hold too few are counted together. What is left of
small cells is hidden, with others beside them: a hidden cell lies on a ring of hidden cells, each
in a row and a column of its neighbours. Around the ring, one more here is one less there, so that
no sum says which it is (docs/decisions/small-cells.md).
"""

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

Counts = Mapping[str, Mapping[str, int]]
"""By row and outcome."""
Group = tuple[str, ...]
"""Rows, or outcomes, that are counted together."""


@dataclass(frozen=True)
class Row:
    """Rows of a table that are shown as one."""

    keys: Group
    total: int
    cells: tuple[int | None, ...]
    """In the order of the outcomes; None: hidden."""


def grouped(totals: Mapping[str, int], *, least: int) -> list[Group]:
    """What is counted together so that none of it holds a few; zero stands by itself.

    In the order in which they are given. All together hold ``least`` at least.
    """
    small = [key for key, count in totals.items() if 0 < count < least]
    if not small:
        return [(key,) for key in totals]
    together = set(small)
    others = sorted((count, key) for key, count in totals.items() if count >= least)
    while others and (len(together) == 1 or sum(totals[key] for key in together) < least):
        together.add(others.pop(0)[1])
    groups: list[Group] = []
    for key in totals:
        if key not in together:
            groups.append((key,))
        elif not any(key in group for group in groups):
            groups.append(tuple(other for other in totals if other in together))
    return groups


def protected(table: Counts, outcomes: Sequence[Group], *, least: int) -> list[Row]:
    """A table as it may be shown, in the order of its rows; those with nobody are left out."""
    totals = {row: sum(cells.values()) for row, cells in table.items()}
    totals = {row: total for row, total in totals.items() if total}
    rows = grouped(totals, least=least)
    while True:
        cells = {
            (row, column): sum(table[key].get(outcome, 0) for key in rows[row] for outcome in group)
            for row in range(len(rows))
            for column, group in enumerate(outcomes)
        }
        hidden, stuck = _hidden(cells, least=least)
        if stuck is None:
            break
        rows = _merged(rows, stuck, totals)
    return [
        Row(
            keys=keys,
            total=sum(totals[key] for key in keys),
            cells=tuple(
                None if (row, column) in hidden else cells[row, column]
                for column in range(len(outcomes))
            ),
        )
        for row, keys in enumerate(rows)
    ]


_Cell = tuple[int, int]


def _hidden(cells: Mapping[_Cell, int], *, least: int) -> tuple[set[_Cell], int | None]:
    """The cells to hide; and a row that has to be counted with another, if rings do not do."""
    hidden = {cell for cell, count in cells.items() if 0 < count < least}
    for cell in sorted(hidden):
        if _ring(cells, hidden, cell, only_hidden=True) is not None:
            continue
        ring = _ring(cells, hidden, cell, only_hidden=False)
        if ring is None:
            return hidden, cell[0]
        hidden |= ring
    return hidden, None


def _ring(
    cells: Mapping[_Cell, int], hidden: set[_Cell], cell: _Cell, *, only_hidden: bool
) -> set[_Cell] | None:
    """The cheapest cells that close a ring with this one; None: there are none.

    From its row to its column over cells that hold somebody. Hidden ones cost nothing; of the
    others as few households as can be are hidden.
    """
    row, column = cell
    beside: dict[tuple[str, int], list[tuple[tuple[str, int], _Cell]]] = {}
    for (at, over), count in cells.items():
        if count and (at, over) != cell and (not only_hidden or (at, over) in hidden):
            beside.setdefault(("row", at), []).append((("column", over), (at, over)))
            beside.setdefault(("column", over), []).append((("row", at), (at, over)))
    queue: list[tuple[int, int, tuple[str, int], tuple[_Cell, ...]]] = [(0, 0, ("row", row), ())]
    seen: set[tuple[str, int]] = set()
    pushed = 0
    while queue:
        cost, _, place, way = heapq.heappop(queue)
        if place == ("column", column):
            return set(way)
        if place in seen:
            continue
        seen.add(place)
        for there, over_cell in beside.get(place, ()):
            if there not in seen:
                pushed += 1
                more = 0 if over_cell in hidden else cells[over_cell]
                heapq.heappush(queue, (cost + more, pushed, there, (*way, over_cell)))
    return None


def _merged(rows: Sequence[Group], stuck: int, totals: Mapping[str, int]) -> list[Group]:
    """The rows with one of them counted together with the smallest of the others."""
    other = min(
        (row for row in range(len(rows)) if row != stuck),
        key=lambda row: (sum(totals[key] for key in rows[row]), row),
    )
    together = {*rows[stuck], *rows[other]}
    first = min(stuck, other)
    merged: list[Group] = []
    for row, keys in enumerate(rows):
        if row == first:
            merged.append(tuple(key for key in totals if key in together))
        elif row not in (stuck, other):
            merged.append(keys)
    return merged


def may_be_told(counts: Iterable[int], *, least: int) -> bool:
    """Whether none of some counts is of a few."""
    return all(count == 0 or count >= least for count in counts)
