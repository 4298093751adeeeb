"""Gathering the rows of a file into blocks that are stored together, and reading these."""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass

from services.registry.imports.mapping.translating import Translated, Translator
from services.registry.imports.members import MemberBlock, MemberReader
from services.registry.imports.opening import Part
from services.registry.imports.reading import ReadBlock, Reader

BLOCK_ROWS = 5_000
"""Of one transaction: a tenth of a second or two."""


@dataclass
class Block:
    """Rows that are stored together."""

    part: Part
    read: ReadBlock | MemberBlock
    notes: Counter[tuple[str, str]]


async def gathered(
    parts: AsyncIterator[Part], *, until: int, together: int | None
) -> AsyncIterator[Part]:
    """Parts of as many rows as are stored together; one of them ends with the line ``until``.

    Rows that follow one another with the same in the column ``together`` are not cut apart.
    """
    waiting = Part()
    async for part in parts:
        for at in range(len(part)):
            is_full = len(waiting) >= BLOCK_ROWS
            if is_full and together is not None and len(waiting) < 2 * BLOCK_ROWS:
                is_full = waiting.cells[-1][together] != part.cells[at][together]
            if is_full or (len(waiting) and waiting.lines[-1] <= until < part.lines[at]):
                yield waiting
                waiting = Part()
            if at in part.broken:
                waiting.broken[len(waiting)] = part.broken[at]
            waiting.lines.append(part.lines[at])
            waiting.cells.append(part.cells[at])
        waiting.share = part.share
    if len(waiting):
        yield waiting


def read_part(part: Part, translator: Translator, reader: Reader | MemberReader) -> Block:
    """A part's rows, translated and read."""
    translated: Translated = translator.translate(part.cells)
    read = reader.read_cells(
        part.lines, translated.cells, codes=translated.codes, broken=part.broken
    )
    return Block(part, read, translated.notes)
