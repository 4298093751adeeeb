"""A connection on which any bytes can be sent and read, as slowly as one likes."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any

import httpx


@dataclass
class Answered:
    """What came back over a plain connection until it was closed."""

    status: int
    document: dict[str, Any]
    seconds: float


@dataclass
class Plain:
    """A connection on which any bytes can be sent, as slowly as one likes."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    began: float

    async def send(self, *parts: bytes, pause_seconds: float = 0.0) -> None:
        for part in parts:
            self.writer.write(part)
            await self.writer.drain()
            await asyncio.sleep(pause_seconds)

    async def answer(self) -> Answered:
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 10)
        lines = head.decode().split("\r\n")
        length = next(line for line in lines if line.lower().startswith("content-length"))
        content = await self.reader.readexactly(int(length.split(":")[1]))
        seconds = monotonic() - self.began
        return Answered(int(lines[0].split()[1]), json.loads(content), seconds)

    async def is_closed(self) -> bool:
        try:
            return await asyncio.wait_for(self.reader.read(), 10) == b""
        except ConnectionError:
            return True


@asynccontextmanager
async def plain(url: str) -> AsyncIterator[Plain]:
    """A connection to whoever serves ``url``."""
    parsed = httpx.URL(url)
    reader, writer = await asyncio.open_connection(parsed.host, parsed.port)
    try:
        yield Plain(reader, writer, monotonic())
    finally:
        writer.transport.abort()
