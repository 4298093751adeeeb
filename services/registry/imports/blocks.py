"""Cutting a stream of CSV into blocks of whole rows, with bounded memory."""

from collections.abc import AsyncIterator

from services.registry.imports.files.format import Unreadable as Unreadable

BLOCK_BYTES = 512 * 1024
"""About five thousand rows: one transaction, a tenth of a second."""
MAXIMUM_ROW_BYTES = 64 * 1024
_QUOTE = b'"'
_LINE_END = b"\n"
_LONGEST_BEGINNING = 4


# How files begin that people save from a spreadsheet and that are no CSV in UTF-8.
_OTHER_FILES = {
    b"PK\x03\x04": "an Excel workbook (.xlsx) or another archive",
    b"\xd0\xcf\x11\xe0": "an Excel workbook (.xls)",
    b"\xff\xfe": "text in UTF-16",
    b"\xfe\xff": "text in UTF-16",
    b"%PDF": "a PDF",
}


async def row_blocks(
    body: AsyncIterator[bytes], *, block_bytes: int = BLOCK_BYTES
) -> AsyncIterator[bytes]:
    """Blocks that end with the end of a row; raises Unreadable for a row that never ends.

    So it does for what is no text at all.

    A line end belongs to a cell while a quote is open. Quotes inside a quoted cell are doubled,
    so a block's quotes are even in number exactly when none is open at its end.
    """
    waiting = bytearray()
    is_text = False
    async for part in body:
        waiting += part
        if not is_text and len(waiting) >= _LONGEST_BEGINNING:
            _require_text(waiting)
            is_text = True
        if len(waiting) < block_bytes:
            continue
        end = _end_of_rows(waiting)
        if end:
            yield bytes(waiting[:end])
            del waiting[:end]
        elif len(waiting) > block_bytes + MAXIMUM_ROW_BYTES:
            raise Unreadable(
                "A quote is opened and never closed, or a row is longer than "
                f"{MAXIMUM_ROW_BYTES} bytes."
            )
    if waiting:
        if waiting.count(_QUOTE) % 2:
            raise Unreadable("The body ends inside a quoted cell.")
        yield bytes(waiting)


def _require_text(beginning: bytearray) -> None:
    for begins, kind in _OTHER_FILES.items():
        if beginning.startswith(begins):
            raise Unreadable(
                f"The body is {kind}, not CSV. Save it as “CSV UTF-8 (comma delimited)”."
            )


def _end_of_rows(waiting: bytearray) -> int:
    """Where the last whole row ends; 0 where none does within the longest row from the end."""
    end = waiting.rfind(_LINE_END) + 1
    open_quotes = waiting.count(_QUOTE, 0, end) % 2
    lowest = max(0, len(waiting) - MAXIMUM_ROW_BYTES)
    while end > lowest:
        if not open_quotes:
            return end
        before = waiting.rfind(_LINE_END, 0, end - 1) + 1
        open_quotes = (open_quotes + waiting.count(_QUOTE, before, end)) % 2
        end = before
    return 0
