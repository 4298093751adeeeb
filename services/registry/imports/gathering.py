"""Gathering the rows of a file into blocks that are stored together, and reading these."""

from bisect import bisect_right
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
        begin = 0
        # Behind the line ``until``, and behind the last: there is no cut within such rows.
        for end in sorted({bisect_right(part.lines, until), len(part)}):
            if end > begin and len(waiting) and waiting.lines[-1] <= until < part.lines[begin]:
                yield waiting
                waiting = Part()
            while begin < end:
                taken = _fitting(waiting, part, begin, end, together)
                if not taken:
                    yield waiting
                    waiting = Part()
                    continue
                waiting.take(part, begin, begin + taken)
                begin += taken
        waiting.share = part.share
    if len(waiting):
        yield waiting


def _fitting(waiting: Part, part: Part, begin: int, end: int, together: int | None) -> int:
    """How many rows of a part are stored together with those that wait."""
    room = BLOCK_ROWS - len(waiting)
    if room > 0:
        return min(room, end - begin)
    taken = 0
    if together is not None:
        same = waiting.cells[-1][together]
        most = min(2 * BLOCK_ROWS - len(waiting), end - begin)
        while taken < most and part.cells[begin + taken][together] == same:
            taken += 1
    return taken


def read_part(part: Part, translator: Translator, reader: Reader | MemberReader) -> Block:
    """A part's rows, translated and read."""
    translated: Translated = translator.translate(part.cells)
    read = reader.read_cells(
        part.lines, translated.cells, codes=translated.codes, broken=part.broken
    )
    return Block(part, read, translated.notes)
