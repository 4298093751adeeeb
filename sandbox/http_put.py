"""The least HTTP/1.1 client that can send callbacks fast: PUT, keep-alive, the status back."""

import asyncio
import ssl
from collections.abc import Mapping
from typing import cast
from urllib.parse import SplitResult, urlsplit

import httptools

Origin = tuple[str, str, int]


class NoAnswer(Exception):
    """The other side could not be reached or did not answer with HTTP."""


class HttpPut:
    """Sends PUT requests over connections that it keeps open for the next one."""

    def __init__(self, *, timeout_seconds: float) -> None:
        self._timeout_seconds = timeout_seconds
        self._idle: dict[Origin, list[_Connection]] = {}

    async def put(self, url: str, *, headers: Mapping[str, str], body: bytes) -> int:
        """Send one request and return the status of the answer; NoAnswer if there is none."""
        address = urlsplit(url)
        try:
            async with asyncio.timeout(self._timeout_seconds):
                return await self._exchange(address, _request(address, headers, body))
        except (OSError, TimeoutError, ValueError) as error:
            raise NoAnswer(str(error) or type(error).__name__) from error

    def close(self) -> None:
        for connections in self._idle.values():
            for connection in connections:
                connection.close()
        self._idle.clear()

    async def _exchange(self, address: SplitResult, request: bytes) -> int:
        origin = _origin(address)
        idle = self._idle.setdefault(origin, [])
        connection = None
        while idle and connection is None:
            candidate = idle.pop()
            connection = candidate if candidate.is_open else None
        if connection is None:
            connection = await _connect(origin)
        try:
            status = await connection.exchange(request)
        except BaseException:
            connection.close()
            raise
        if connection.is_open:
            idle.append(connection)
        return status


class _Connection(asyncio.Protocol):
    """One connection with one request under way at most."""

    def __init__(self) -> None:
        self.is_open = False
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._answer: asyncio.Future[int] | None = None

    def exchange(self, request: bytes) -> asyncio.Future[int]:
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        if self.is_open:
            self._transport.write(request)
        else:
            self._fail(ConnectionResetError("the connection was closed"))
        return self._answer

    def close(self) -> None:
        self.is_open = False
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports do not inherit from asyncio's, so this cannot be asked of them.
        self._transport = cast(asyncio.Transport, transport)
        self.is_open = True

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._fail(ConnectionAbortedError("the answer was not HTTP"))
            self.close()

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200:
            return
        if not self._parser.should_keep_alive():
            self.close()
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(status)

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        self._fail(ConnectionResetError("the connection was closed before the answer"))

    def _fail(self, error: OSError) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)


async def _connect(origin: Origin) -> _Connection:
    scheme, host, port = origin
    tls = ssl.create_default_context() if scheme == "https" else None
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(_Connection, host, port, ssl=tls)
    return connection


def _origin(address: SplitResult) -> Origin:
    if address.hostname is None:
        raise ValueError("the callback URL names no host")
    return (
        address.scheme,
        address.hostname,
        address.port or (443 if address.scheme == "https" else 80),
    )


def _request(address: SplitResult, headers: Mapping[str, str], body: bytes) -> bytes:
    target = (address.path or "/") + (f"?{address.query}" if address.query else "")
    lines = [f"PUT {target} HTTP/1.1", f"host: {address.netloc}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += [f"content-length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode("latin-1") + body
