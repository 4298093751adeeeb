"""A lean HTTP/1.1 load generator, in a process of its own.

    python -m benchmarks.clients.load HOST PORT CONNECTIONS FILE

Sends every request of FILE once, each connection one at a time, and prints what came back as
JSON. It reads no more of HTTP than it must: a client library would be slower than the server.
"""

import asyncio
import json
import struct
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import cast

import uvloop

_LENGTH = struct.Struct(">I")
_HEAD_ENDS = b"\r\n\r\n"
_NO_CONTENT = 204


def write_requests(path: Path, requests: Sequence[bytes]) -> None:
    """Write whole requests (head and body) for ``read_requests``."""
    with path.open("wb") as file:
        for request in requests:
            file.write(_LENGTH.pack(len(request)) + request)


def read_requests(path: Path) -> list[bytes]:
    content = path.read_bytes()
    requests = []
    at = 0
    while at < len(content):
        (length,) = _LENGTH.unpack_from(content, at)
        at += _LENGTH.size
        requests.append(content[at : at + length])
        at += length
    return requests


class _Connection(asyncio.Protocol):
    """Sends one request, waits for its whole answer, sends the next."""

    def __init__(
        self, requests: Iterator[bytes], statuses: Counter[int], ended: "asyncio.Future[None]"
    ) -> None:
        self._requests = requests
        self._statuses = statuses
        self._ended = ended
        self._received = b""
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are not asyncio's by inheritance.
        self._transport = cast(asyncio.WriteTransport, transport)

    def next(self) -> None:
        assert self._transport is not None
        request = next(self._requests, None)
        if request is None:
            self._transport.close()
            if not self._ended.done():
                self._ended.set_result(None)
            return
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, separator, body = self._received.partition(_HEAD_ENDS)
        if not separator or len(body) < body_length(head):
            return
        self._statuses[int(head[9:12])] += 1
        self._received = b""
        self.next()

    def connection_lost(self, error: Exception | None) -> None:
        if not self._ended.done():
            self._ended.set_exception(error or ConnectionError("the server closed the connection"))


def body_length(head: bytes) -> int:
    """How long the body is that follows a head."""
    if int(head[9:12]) == _NO_CONTENT:
        return 0
    lowered = head.lower()
    at = lowered.index(b"content-length:") + len(b"content-length:")
    return int(lowered[at : lowered.find(b"\r\n", at) if b"\r\n" in lowered[at:] else None])


async def _run(host: str, port: int, connections: int, requests: list[bytes]) -> dict[str, object]:
    loop = asyncio.get_running_loop()
    waiting = iter(requests)
    statuses: Counter[int] = Counter()
    protocols = []
    endings = []
    for _ in range(connections):
        ended = loop.create_future()
        _, protocol = await loop.create_connection(
            partial(_Connection, waiting, statuses, ended),
            host,
            port,
        )
        protocols.append(protocol)
        endings.append(ended)
    began = time.perf_counter()
    for protocol in protocols:
        protocol.next()
    await asyncio.gather(*endings)
    return {"seconds": time.perf_counter() - began, "statuses": dict(statuses)}


def main() -> None:
    host, port, connections, path = sys.argv[1:]
    requests = read_requests(Path(path))
    print(json.dumps(uvloop.run(_run(host, int(port), int(connections), requests))))


if __name__ == "__main__":
    main()
