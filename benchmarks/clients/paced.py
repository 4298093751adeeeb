"""An HTTP/1.1 client that asks at fixed times, whatever becomes of what it asked, in a process of
its own.

    python -m benchmarks.clients.paced RATE FILE HOST:PORT [HOST:PORT ...]

Sends every request of FILE once, RATE of them a second, over as many kept connections as are
needed, which are made to the servers in turn, and prints as JSON for each, in their order: the
milliseconds from the time that it was due to its whole answer, its status, and whether the answer
says that there is more. A request that finds the server busy waits, and its waiting counts.
"""

import asyncio
import json
import sys
import time
from collections import deque
from collections.abc import Sequence
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import cast

import uvloop

from benchmarks.clients.load import body_length, read_requests

_HEAD_ENDS = b"\r\n\r\n"
_MORE = b'"more":true'
_CONNECTIONS = 16
_AT_MOST = 500

Answer = tuple[float, int, bool]
"""Milliseconds, status, and whether there is more."""


class _Connection(asyncio.Protocol):
    """Sends one request at a time, and says when its answer is whole."""

    def __init__(self, client: "_Client") -> None:
        self._client = client
        self._received = b""
        self._transport: asyncio.WriteTransport | None = None
        self.asked: int | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are not asyncio's by inheritance.
        self._transport = cast(asyncio.WriteTransport, transport)

    def send(self, number: int, request: bytes) -> None:
        assert self._transport is not None
        self.asked = number
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, separator, body = self._received.partition(_HEAD_ENDS)
        if not separator or len(body) < body_length(head):
            return
        number, self.asked, self._received = self.asked, None, b""
        assert number is not None
        self._client.answered(number, self, int(head[9:12]), _MORE in body)

    def connection_lost(self, error: Exception | None) -> None:
        self._client.lost(self, error)

    def close(self) -> None:
        assert self._transport is not None
        self._transport.close()


class _Client:
    def __init__(self, addresses: Sequence[tuple[str, int]], requests: list[bytes]) -> None:
        self._addresses = cycle(addresses)
        self._requests = requests
        self._idle: deque[_Connection] = deque()
        self._made = 0
        self._waiting: deque[int] = deque()
        self._answers: dict[int, Answer] = {}
        self._due: list[float] = []
        self._ended = asyncio.get_running_loop().create_future()

    async def run(self, rate: float) -> list[Answer]:
        for _ in range(_CONNECTIONS):
            await self._connect()
        began = time.perf_counter() + 0.1
        self._due = [began + number / rate for number in range(len(self._requests))]
        for number, due in enumerate(self._due):
            if (early := due - time.perf_counter()) > 0:
                await asyncio.sleep(early)
            self._waiting.append(number)
            if not self._idle and self._made < _AT_MOST:
                await self._connect()
            self._send()
        await self._ended
        return [self._answers[number] for number in range(len(self._requests))]

    async def _connect(self) -> None:
        self._made += 1
        loop = asyncio.get_running_loop()
        host, port = next(self._addresses)
        _, connection = await loop.create_connection(partial(_Connection, self), host, port)
        self._idle.append(connection)

    def _send(self) -> None:
        while self._waiting and self._idle:
            number = self._waiting.popleft()
            self._idle.popleft().send(number, self._requests[number])

    def answered(self, number: int, by: _Connection, status: int, more: bool) -> None:
        took = 1_000 * (time.perf_counter() - self._due[number])
        self._answers[number] = (round(took, 3), status, more)
        self._idle.append(by)
        if len(self._answers) < len(self._requests):
            self._send()
        elif not self._ended.done():
            self._ended.set_result(None)

    def lost(self, by: _Connection, error: Exception | None) -> None:
        if by.asked is not None and not self._ended.done():
            self._ended.set_exception(error or ConnectionError("the server closed the connection"))
        elif by in self._idle:
            self._idle.remove(by)
            self._made -= 1


async def _run(
    addresses: Sequence[tuple[str, int]], rate: float, requests: list[bytes]
) -> list[Answer]:
    return await _Client(addresses, requests).run(rate)


def main() -> None:
    rate, path, *servers = sys.argv[1:]
    addresses = [(host, int(port)) for host, _, port in (each.rpartition(":") for each in servers)]
    print(json.dumps(uvloop.run(_run(addresses, float(rate), read_requests(Path(path))))))


if __name__ == "__main__":
    main()
