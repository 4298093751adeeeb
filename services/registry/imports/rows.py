"""The rows of an import, column by column: what their cells read as and what is wrong with them.

What is told of a rejected row is which column and what kind of fault, never what it said.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import gt
from types import MappingProxyType
from typing import Any

from services.registry.households.fields import UNREADABLE, Count, Field, Kept, Village
from services.registry.households.shape import (
    HEADERS,
    HEADERS_BEFORE_VILLAGES,
    PROVIDER,
    SHAPE,
)
from services.registry.imports.faults import CELLS, ROW, Fault, remedy_of
from services.registry.providers.remedy import is_unknown, remedy

_WITH_THE_ACCOUNT = tuple(known for known in SHAPE if known.kept is Kept.ACCOUNT)

_NONE: Mapping[tuple[int, str], str] = MappingProxyType({})

Columns = Mapping[str, Sequence[Any]]
"""The values of some rows by field: normalised, with empty cells as None."""


@dataclass
class ReadRows:
    """Rows that were read; ``taken`` and ``faults`` count them from 0."""

    taken: Sequence[int]
    columns: Columns
    """Of those taken."""
    faults: Mapping[int, Sequence[Fault]] = field(default_factory=dict)
    """Everything that is wrong with each of the others."""


def pick(columns: Columns, positions: Sequence[int]) -> Columns:
    """The columns of some of the rows."""
    return {name: [values[at] for at in positions] for name, values in columns.items()}


def read_rows(
    rows: Sequence[Sequence[str]], *, communes: Mapping[str, str], providers: Collection[str]
) -> ReadRows:
    """The households that rows of our own header describe, and what is wrong with the others.

    ``providers`` are those that payments sends to; empty: any well-formed code is taken.
    """
    if set(map(len, rows)) - {len(SHAPE)}:
        detail = f"A row has {len(SHAPE)} cells; this has another number."
        faults = {
            at: [Fault(ROW, CELLS, detail)] for at, row in enumerate(rows) if len(row) != len(SHAPE)
        }
        whole = [at for at in range(len(rows)) if at not in faults]
        read = read_rows([rows[at] for at in whole], communes=communes, providers=providers)
        return ReadRows(
            taken=[whole[at] for at in read.taken],
            columns=read.columns,
            faults=faults | {whole[at]: found for at, found in read.faults.items()},
        )
    transposed = zip(*rows, strict=True) if rows else [()] * len(SHAPE)
    cells = dict(zip(HEADERS, transposed, strict=True))
    return read_cells(cells, len(rows), communes=communes, providers=providers)


def read_cells(
    cells: Mapping[str, Sequence[str]],
    count: int,
    *,
    communes: Mapping[str, str],
    providers: Collection[str],
    codes: Mapping[tuple[int, str], str] = _NONE,
) -> ReadRows:
    """The households of ``count`` rows, by the cells of each field's header.

    ``codes`` say of some cells, by row and header, why they cannot be read.
    """
    faults: defaultdict[int, list[Fault]] = defaultdict(list)
    columns: dict[str, Sequence[Any]] = {}
    for known in SHAPE:
        read_column = known.kind.read(
            cells[known.header], optional=known.optional, communes=communes
        )
        columns[known.name] = read_column.values
        if not read_column.readable:
            for at, value in enumerate(read_column.values):
                if value is UNREADABLE:
                    faults[at].append(_fault(known, codes.get((at, known.header))))
    for known, at in _beside_others(columns):
        faults[at].append(_fault(known))
    for at in _at_unknown_providers(columns, providers):
        faults[at].append(Fault(PROVIDER.header, "unknown", remedy(providers)))
    if not faults:
        return ReadRows(range(count), columns)
    taken = [at for at in range(count) if at not in faults]
    return ReadRows(taken, pick(columns, taken), faults)


def _fault(known: Field, code: str | None = None) -> Fault:
    code = code or known.kind.fault
    return Fault(known.header, code, remedy_of(code, known.remedy))


def _beside_others(columns: Columns) -> Iterator[tuple[Field, int]]:
    """Fields that can be read, and do not go with the others of their row."""
    for known in SHAPE:
        if isinstance(known.kind, Count) and known.kind.within is not None:
            parts, wholes = columns[known.name], columns[known.kind.within]
            if any(map(gt, parts, wholes)):
                for at, (part, whole) in enumerate(zip(parts, wholes, strict=True)):
                    if part > whole:
                        yield known, at
        if isinstance(known.kind, Village) and any(columns[known.name]):
            villages, communes = columns[known.name], columns[known.kind.within]
            for at, (village, commune) in enumerate(zip(villages, communes, strict=True)):
                both_read = isinstance(village, str) and isinstance(commune, str)
                if both_read and not village.startswith(commune):
                    yield known, at
    together = zip(*(columns[known.name] for known in _WITH_THE_ACCOUNT), strict=True)
    for at, values in enumerate(together):
        if None in values:
            for known, value in zip(_WITH_THE_ACCOUNT, values, strict=True):
                if value is None and any(other is not None for other in values):
                    yield known, at


def _at_unknown_providers(columns: Columns, providers: Collection[str]) -> Sequence[int]:
    """Rows with an account where payments does not send."""
    codes = columns[PROVIDER.name]
    unknown = {
        code
        for code in set(codes)
        if code is not None and code is not UNREADABLE and is_unknown(code, known=providers)
    }
    return [at for at, code in enumerate(codes) if code in unknown] if unknown else []


def headed_by(cells: Sequence[str]) -> bool:
    """Whether a file's first row is the header of an import."""
    return tuple(cells) in (HEADERS, HEADERS_BEFORE_VILLAGES)
