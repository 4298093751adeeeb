"""The paced client asks when a request is due, and counts the waiting behind a slow one."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from benchmarks.clients.load import write_requests

_RATE = 100
_SLOW_SECONDS = 0.2


def _address(server: asyncio.Server) -> str:
    host, port = server.sockets[0].getsockname()
    return f"{host}:{port}"


async def test_latency_counts_from_the_time_that_a_request_was_due(tmp_path: Path) -> None:
    alone = asyncio.Lock()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                # One after the other, as one process works them.
                async with alone:
                    if b"/slow" in head:
                        await asyncio.sleep(_SLOW_SECONDS)
                body = b'{"items":[],"more":true}' if b"/more" in head else b"{}"
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    paths = ["/slow", *["/more"] * 10, *["/"] * 20]
    write_requests(
        tmp_path / "requests", [f"GET {path} HTTP/1.1\r\n\r\n".encode() for path in paths]
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.clients.paced"),
        *(str(_RATE), str(tmp_path / "requests"), _address(server)),
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate()
    server.close()
    answers = json.loads(said)

    assert [status for _, status, _ in answers] == [200] * len(paths)
    assert [more for *_, more in answers] == [path == "/more" for path in paths]
    took = [milliseconds for milliseconds, *_ in answers]
    assert took[0] >= 1_000 * _SLOW_SECONDS
    # Those due while it was worked waited for it, and their waiting counts.
    assert sum(each > 1_000 * _SLOW_SECONDS / 4 for each in took) >= _SLOW_SECONDS * _RATE / 2
    assert min(took) < 1_000 * _SLOW_SECONDS / 4


async def test_servers_are_asked_in_turn(tmp_path: Path) -> None:
    asked = [0, 0]

    def counting(nth: int) -> Callable[..., Awaitable[None]]:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(asyncio.IncompleteReadError):
                while await reader.readuntil(b"\r\n\r\n"):
                    asked[nth] += 1
                    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
            writer.close()

        return answer

    servers = [await asyncio.start_server(counting(nth), "127.0.0.1", 0) for nth in (0, 1)]
    write_requests(tmp_path / "requests", [b"GET / HTTP/1.1\r\n\r\n"] * 40)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.clients.paced"),
        *(str(_RATE), str(tmp_path / "requests"), *map(_address, servers)),
        stdout=asyncio.subprocess.PIPE,
    )
    await process.communicate()
    for server in servers:
        server.close()
    assert asked == [20, 20]
