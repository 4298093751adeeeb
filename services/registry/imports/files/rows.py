"""What every format is read as: rows of cells, with the line or row of the file that each is."""

from dataclasses import dataclass, field

MAXIMUM_ROW_CHARACTERS = 64 * 1024
MAXIMUM_COLUMNS = 500


@dataclass
class Rows:
    """Some rows of a file, in their order."""

    lines: list[int] = field(default_factory=list)
    """Where each begins: the line of a text, the row of a sheet; the first is 1."""
    cells: list[list[str]] = field(default_factory=list)
    broken: dict[int, str] = field(default_factory=dict)
    """Lines that no row can be read from, with the code of what is wrong."""

    def add(self, line: int, cells: list[str]) -> None:
        self.lines.append(line)
        self.cells.append(cells)

    def add_all(self, first: int, cells: list[list[str]]) -> None:
        """Rows on lines that follow one another; what has no cells is none."""
        if all(cells):
            self.lines += range(first, first + len(cells))
            self.cells += cells
            return
        for line, each in enumerate(cells, start=first):
            if each:
                self.add(line, each)

    def __len__(self) -> int:
        return len(self.lines)
