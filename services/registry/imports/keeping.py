"""Keeping the file of an import: sealed in pieces as it comes in, and read from there."""

import asyncio
import hashlib
import zlib
from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID

import asyncpg

from services.registry.households.persons import PersonalData
from services.registry.imports.files import workbook
from services.registry.imports.files.format import Unreadable, is_workbook
from services.registry.imports.runs import repository
from shared.errors import TooLarge
from shared.ids import new_id

PIECE_BYTES = 128 * 1024
_PIECES_AT_ONCE = 16
"""Of one transaction."""
_PIECES_READ_TOGETHER = 8
_LEVEL = 1
"""A fifth of a table in text is left of it, in a millisecond."""


class Kept:
    """What became of a file as it came in."""

    def __init__(self) -> None:
        self.file_id = new_id()
        self.bytes = 0
        self.pieces = 0
        self._digest = hashlib.sha256()

    @property
    def digest(self) -> bytes:
        """SHA-256 of the whole."""
        return self._digest.digest()

    def add(self, piece: bytes) -> None:
        """Count a piece."""
        self.bytes += len(piece)
        self.pieces += 1
        self._digest.update(piece)


async def keep(
    connection: asyncpg.Connection,
    import_id: UUID,
    body: AsyncIterator[bytes],
    *,
    personal_data: PersonalData,
    maximum_bytes: int,
    now: datetime,
) -> Kept:
    """Keep a body as pieces, in place of whatever the import had; raises TooLarge."""
    await repository.drop_pieces(connection, import_id)
    kept = Kept()
    waiting: list[bytes] = []

    async def store() -> None:
        first = kept.pieces - len(waiting)
        sealed = await asyncio.to_thread(_sealed, waiting, personal_data)
        await repository.add_pieces(
            connection,
            [
                (piece_id, kept.file_id, import_id, first + at, piece, now)
                for at, (piece_id, piece) in enumerate(sealed)
            ],
        )
        waiting.clear()

    async for piece in _pieces(body):
        kept.add(piece)
        if kept.pieces == 1 and is_workbook(piece):
            maximum_bytes = min(maximum_bytes, workbook.MAXIMUM_BYTES)
        if kept.bytes > maximum_bytes:
            raise TooLarge(
                f"A file has at most {maximum_bytes // 2**20:,} MB here. Send it in parts."
            )
        waiting.append(piece)
        if len(waiting) >= _PIECES_AT_ONCE:
            await store()
    if waiting:
        await store()
    return kept


async def _pieces(body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    waiting = bytearray()
    async for part in body:
        waiting += part
        while len(waiting) >= PIECE_BYTES:
            yield bytes(waiting[:PIECE_BYTES])
            del waiting[:PIECE_BYTES]
    if waiting:
        yield bytes(waiting)


def _sealed(pieces: list[bytes], personal_data: PersonalData) -> list[tuple[UUID, bytes]]:
    ids = [new_id() for _ in pieces]
    return [
        (
            piece_id,
            personal_data.files.encrypt(zlib.compress(piece, _LEVEL), bound_to=piece_id.bytes),
        )
        for piece_id, piece in zip(ids, pieces, strict=True)
    ]


async def pieces_of(
    connection: asyncpg.Connection, file_id: UUID, *, personal_data: PersonalData, count: int
) -> AsyncIterator[bytes]:
    """The pieces of a file in their order; raises Unreadable where they were removed."""
    for first in range(0, count, _PIECES_READ_TOGETHER):
        numbers = range(first, min(first + _PIECES_READ_TOGETHER, count))
        found = await repository.find_pieces(connection, file_id, numbers)
        if len(found) < len(numbers):
            raise Unreadable("The file was kept for its time and then removed. Send it again.")
        for piece_id, sealed in found:
            yield zlib.decompress(personal_data.files.decrypt(sealed, bound_to=piece_id.bytes))
