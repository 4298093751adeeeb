"""A chunk's entitlements, straight from PostgreSQL: no Python object for a row."""

import asyncio
from collections.abc import AsyncIterator
from typing import Literal

import asyncpg

from services.registry.chunks import repository
from services.registry.chunks.tables import EntitlementChunk
from shared.database import Database

CopyFormat = Literal["binary", "csv"]

_PIECES_AHEAD = 4
# PostgreSQL hands over a few kilobytes at a time, and each piece costs both services as much.
_PIECE_BYTES = 256 * 1024
_LONGEST_SECONDS = 120
"""A reader that stalls does not keep a connection and a snapshot for ever."""


async def chunk_bytes(
    database: Database, chunk: EntitlementChunk, *, format: CopyFormat
) -> AsyncIterator[bytes]:
    """Pieces of ``shared.contracts.entitlements``; raises where PostgreSQL breaks off."""
    pieces: asyncio.Queue[bytes | None] = asyncio.Queue(_PIECES_AHEAD)
    copying = asyncio.create_task(_copy(database, chunk, format, pieces))
    try:
        while (piece := await pieces.get()) is not None:
            yield piece
        # An exception breaks the reply off, so that nobody takes a part for the whole.
        await copying
    finally:
        copying.cancel()
        await asyncio.gather(copying, return_exceptions=True)


async def _copy(
    database: Database,
    chunk: EntitlementChunk,
    format: CopyFormat,
    pieces: asyncio.Queue[bytes | None],
) -> None:
    waiting = bytearray()
    rows = repository.COPY if chunk.home_chunk_id is None else repository.COPY_AGAIN

    async def collect(part: bytes) -> None:
        waiting.extend(part)
        if len(waiting) >= _PIECE_BYTES:
            await pieces.put(bytes(waiting))
            waiting.clear()

    try:
        async with database.engine.connect() as connection:
            raw = await connection.get_raw_connection()
            driver = raw.driver_connection
            assert isinstance(driver, asyncpg.Connection)
            try:
                async with asyncio.timeout(_LONGEST_SECONDS):
                    await driver.execute(repository.PREFER_INDEXES)
                    await driver.copy_from_query(
                        rows, chunk.id, chunk.currency, output=collect, format=format
                    )
                    await pieces.put(bytes(waiting))
                    await driver.execute(repository.PREFER_NOTHING)
            except BaseException:
                # Half a COPY is still in this connection: nobody else may get it.
                await connection.invalidate()
                raise
    finally:
        await pieces.put(None)
