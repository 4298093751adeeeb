"""A chunk's entitlements, straight from PostgreSQL: no Python object for a row."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Literal

import asyncpg
from sqlalchemy.ext.asyncio import AsyncConnection

from services.registry.chunks import repository
from services.registry.chunks.tables import EntitlementChunk
from shared.database import Database
from shared.streams import Places

CopyFormat = Literal["binary", "csv"]

_PIECES_AHEAD = 4
# PostgreSQL hands over a few kilobytes at a time, and each piece costs both services as much.
_PIECE_BYTES = 256 * 1024


class ChunkStreams:
    """Streams of chunks, on connections that no other request uses."""

    def __init__(self, database: Database, *, places: Places, longest_seconds: float) -> None:
        self._database = database
        self._places = places
        self._longest_seconds = longest_seconds

    @asynccontextmanager
    async def pieces(
        self, chunk: EntitlementChunk, *, format: CopyFormat, households: bool, caller: str
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Pieces of ``shared.contracts.entitlements``; raises Busy.

        They raise where PostgreSQL breaks off, and TimeoutError where the reader takes too long:
        who stalls does not keep a connection and a snapshot for ever. ``households``: with the
        fingerprint of each household, which is empty otherwise.
        """
        async with (
            self._places.held(caller),
            self._database.engine.connect() as connection,
            asyncio.timeout(self._longest_seconds),
            aclosing(_copied(connection, chunk, format=format, households=households)) as pieces,
        ):
            yield pieces


async def _copied(
    connection: AsyncConnection, chunk: EntitlementChunk, *, format: CopyFormat, households: bool
) -> AsyncGenerator[bytes]:
    pieces: asyncio.Queue[bytes | None] = asyncio.Queue(_PIECES_AHEAD)
    copying = asyncio.create_task(_copy(connection, chunk, format, households, pieces))
    try:
        while (piece := await pieces.get()) is not None:
            yield piece
        # An exception breaks the reply off, so that nobody takes a part for the whole.
        await copying
    finally:
        copying.cancel()
        await asyncio.gather(copying, return_exceptions=True)


async def _copy(
    connection: AsyncConnection,
    chunk: EntitlementChunk,
    format: CopyFormat,
    households: bool,
    pieces: asyncio.Queue[bytes | None],
) -> None:
    waiting = bytearray()
    if chunk.home_chunk_id is None:
        rows = repository.COPY_WITH_HOUSEHOLDS if households else repository.COPY
    else:
        rows = repository.COPY_AGAIN_WITH_HOUSEHOLDS if households else repository.COPY_AGAIN

    async def collect(part: bytes) -> None:
        waiting.extend(part)
        if len(waiting) >= _PIECE_BYTES:
            await pieces.put(bytes(waiting))
            waiting.clear()

    raw = await connection.get_raw_connection()
    driver = raw.driver_connection
    assert isinstance(driver, asyncpg.Connection)
    try:
        await driver.execute(repository.PREFER_INDEXES)
        await driver.copy_from_query(rows, chunk.id, chunk.currency, output=collect, format=format)
        await pieces.put(bytes(waiting))
        await driver.execute(repository.PREFER_NOTHING)
    except BaseException as error:
        # Half a COPY is still in this connection: nobody else may get it.
        await connection.invalidate()
        if not isinstance(error, asyncio.CancelledError):
            await pieces.put(None)
        raise
    # Not where it was cancelled: nobody reads on, and there may be no room.
    await pieces.put(None)
