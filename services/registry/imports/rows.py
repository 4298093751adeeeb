"""The rows of an import, column by column: what their cells read as and what is wrong with them.

What is told of a rejected row is which column and what kind of fault, never what it said.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import gt
from typing import Any, NamedTuple

from services.registry.households.fields import UNREADABLE, Count, Field, Kept, Village
from services.registry.households.shape import (
    HEADERS,
    HEADERS_BEFORE_VILLAGES,
    PROVIDER,
    SHAPE,
)
from services.registry.providers.remedy import is_unknown, remedy

ROW = "row"
"""Stands for the column where a fault is of the whole row."""

_WITH_THE_ACCOUNT = tuple(known for known in SHAPE if known.kept is Kept.ACCOUNT)

Columns = Mapping[str, Sequence[Any]]
"""The values of some rows by field: normalised, with empty cells as None."""


class Fault(NamedTuple):
    """What is wrong with a row."""

    column: str
    code: str
    detail: str


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
    """The households that the rows describe, and what is wrong with the others.

    ``providers`` are those that payments sends to; empty: any well-formed code is taken.
    """
    faults: defaultdict[int, list[Fault]] = defaultdict(list)
    if set(map(len, rows)) - {len(SHAPE)}:
        for at, row in enumerate(rows):
            if len(row) != len(SHAPE):
                detail = f"A row has {len(SHAPE)} cells; this has another number."
                faults[at].append(Fault(ROW, "cells", detail))
        whole = [at for at in range(len(rows)) if at not in faults]
        read = read_rows([rows[at] for at in whole], communes=communes, providers=providers)
        return ReadRows(
            taken=[whole[at] for at in read.taken],
            columns=read.columns,
            faults=faults | {whole[at]: found for at, found in read.faults.items()},
        )
    columns: dict[str, Sequence[Any]] = {}
    transposed = zip(*rows, strict=True) if rows else [()] * len(SHAPE)
    for known, cells in zip(SHAPE, transposed, strict=True):
        read_column = known.kind.read(cells, optional=known.optional, communes=communes)
        columns[known.name] = read_column.values
        if not read_column.readable:
            for at, value in enumerate(read_column.values):
                if value is UNREADABLE:
                    faults[at].append(_fault(known))
    for known, at in _beside_others(columns):
        faults[at].append(_fault(known))
    for at in _at_unknown_providers(columns, providers):
        faults[at].append(Fault(PROVIDER.header, "unknown", remedy(providers)))
    if not faults:
        return ReadRows(range(len(rows)), columns)
    taken = [at for at in range(len(rows)) if at not in faults]
    return ReadRows(taken, pick(columns, taken), faults)


def _fault(known: Field) -> Fault:
    return Fault(known.header, known.kind.fault, known.remedy)


def _beside_others(columns: Columns) -> Iterator[tuple[Field, int]]:
    """Fields that can be read, and do not go with the others of their row."""
    for known in SHAPE:
        if isinstance(known.kind, Count) and known.kind.within is not None:
            parts, wholes = columns[known.name], columns[known.kind.within]
            if any(map(gt, parts, wholes)):
                for at, (part, whole) in enumerate(zip(parts, wholes, strict=True)):
                    if part > whole:
                        yield known, at
        if isinstance(known.kind, Village):
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
