"""A Parquet file that is sent while it is made: a row group at a time, and its footer last.

The footer says where everything is (https://parquet.apache.org/docs/file-format/). Of a file that
broke off before it nothing can be read, so nobody takes a part for the whole.
"""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum, auto
from typing import Any, assert_never

PARQUET = "application/vnd.apache.parquet"
"""As IANA registers it."""


class Kind(StrEnum):
    """What a column holds."""

    ID = auto()
    """A UUID, as text: other files and tools write it so, and it can be joined with theirs."""
    CODE = auto()
    """Text of which there are few: each is kept once in a row group, and told by its number."""
    INSTANT = auto()
    """Microseconds in UTC."""
    INTEGER = auto()
    """64 bits, signed: counts and minor units."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a file, and what it means to its readers."""

    name: str
    kind: Kind
    meaning: str
    required: bool = True


class GrowingFile:
    """A file of which no more is kept than the row group that is being gathered, and for each that
    was written its place in the footer, less than 4 KB.

    Its methods work for some ten milliseconds, and are to be called in a thread, one at a time.
    The same rows in the same parts come to the same bytes, with the same release of pyarrow. A
    file that is given up needs no end.
    """

    def __init__(
        self, columns: Sequence[Column], *, metadata: dict[str, str], group_rows: int
    ) -> None:
        """``metadata`` stands in the footer, besides ``column.<name>`` of each column. A group is
        written as soon as it has ``group_rows``."""
        # Here, for it takes 45 MB of memory: only a process that was asked for a file has it.
        import pyarrow
        from pyarrow import parquet

        self._columns = columns
        self._group_rows = group_rows
        self._gathered: list[Any] = []
        self._schema = pyarrow.schema(
            [
                pyarrow.field(column.name, _arrow_type(column.kind), nullable=not column.required)
                for column in columns
            ],
            metadata={
                **metadata,
                **{f"column.{column.name}": column.meaning for column in columns},
            },
        )
        self._unsent = io.BytesIO()
        self._writer = parquet.ParquetWriter(
            self._unsent,
            self._schema,
            compression="zstd",
            use_dictionary=[column.name for column in columns if column.kind is Kind.CODE],
        )

    def add(self, rows: Sequence[Sequence[object]]) -> bytes:
        """The file's next bytes: a row group, or none of it while it has not come together.

        ``rows`` are in the order of the columns.
        """
        import pyarrow

        cells = zip(*rows, strict=True)
        self._gathered.append(
            pyarrow.RecordBatch.from_arrays(
                [
                    pyarrow.array(_told(column.kind, values), type=_arrow_type(column.kind))
                    for column, values in zip(self._columns, cells, strict=True)
                ],
                schema=self._schema,
            )
        )
        if sum(batch.num_rows for batch in self._gathered) >= self._group_rows:
            self._write_group()
        return self._taken()

    def end(self) -> bytes:
        """The file's last bytes: the last row group, and the footer."""
        if self._gathered:
            self._write_group()
        self._writer.close()
        return self._taken()

    def _write_group(self) -> None:
        import pyarrow

        table = pyarrow.Table.from_batches(self._gathered, schema=self._schema)
        self._gathered.clear()
        self._writer.write_table(table, row_group_size=table.num_rows)

    def _taken(self) -> bytes:
        content = self._unsent.getvalue()
        # The writer counts by itself where in the file it is.
        self._unsent.seek(0)
        self._unsent.truncate()
        return content


def _arrow_type(kind: Kind) -> Any:
    import pyarrow

    match kind:
        case Kind.ID | Kind.CODE:
            return pyarrow.string()
        case Kind.INSTANT:
            return pyarrow.timestamp("us", tz="UTC")
        case Kind.INTEGER:
            return pyarrow.int64()
        case _:
            assert_never(kind)


def _told(kind: Kind, values: Iterable[object]) -> list[object]:
    if kind is Kind.ID:
        return [None if value is None else str(value) for value in values]
    return list(values)
