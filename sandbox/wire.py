"""What a hostile provider does to a connection, below what HTTP servers do by themselves.

Each writes to the transport, and returns once the client is gone or there is nothing more to say.
No more than a piece of a body is in memory at a time.
"""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

HUGE_BYTES = 300 * 1024 * 1024
TRICKLE_SECONDS = 1.0
"""Between two bytes: shorter than the patience that any client has for a single read."""

Receive = Callable[[], Awaitable[dict[str, Any]]]

_BEGINNING = b'{"status": "'
_PIECE = b" " * 65_536
_MOST_WAITING_BYTES = 1024 * 1024
_PAUSE_SECONDS = 0.01


async def huge_body(transport: Any, *, status: int) -> None:
    """300 MB of a JSON object, as Content-Length announces."""
    transport.write(_head(status, length=HUGE_BYTES) + _BEGINNING)
    left = HUGE_BYTES - len(_BEGINNING)
    while left > 0 and await _keeps_up(transport):
        piece = _PIECE[:left]
        transport.write(piece)
        left -= len(piece)


async def endless_body(transport: Any, *, status: int) -> None:
    """A body in chunks that never ends."""
    transport.write(_head(status, length=None))
    while await _keeps_up(transport):
        transport.write(f"{len(_PIECE):x}\r\n".encode() + _PIECE + b"\r\n")


async def trickle(transport: Any, body: bytes, *, status: int, headers_too: bool) -> None:
    """A right answer, a byte at a time: all of it, or all but its headers."""
    head = _head(status, length=len(body))
    if not headers_too:
        transport.write(head)
    for byte in head + body if headers_too else body:
        if transport.is_closing():
            return
        transport.write(bytes([byte]))
        await asyncio.sleep(TRICKLE_SECONDS)


async def close_in_body(transport: Any, body: bytes, receive: Receive, *, status: int) -> None:
    """Half of what Content-Length announces."""
    transport.write(_head(status, length=len(body)) + body[: len(body) // 2])
    await _close(transport, receive)


async def wrong_content_length(
    transport: Any, body: bytes, receive: Receive, *, status: int, too_long: bool
) -> None:
    """Content-Length announces more than comes, and nothing follows; or less than comes."""
    length = len(body) + 100 if too_long else len(body) // 2
    transport.write(_head(status, length=length) + body)
    if too_long:
        await until_gone(receive)
    else:
        await _close(transport, receive)


async def until_gone(receive: Receive) -> None:
    """Say nothing until the client has had enough."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _head(status: int, *, length: int | None) -> bytes:
    measure = "transfer-encoding: chunked" if length is None else f"content-length: {length}"
    lines = [
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
        "content-type: application/json",
        measure,
    ]
    return "\r\n".join([*lines, "", ""]).encode()


async def _close(transport: Any, receive: Receive) -> None:
    """Close once everything written has left: an abort could take it back."""
    transport.close()
    await until_gone(receive)


async def _keeps_up(transport: Any) -> bool:
    """Wait until the client has read most of what was written; False once it is gone."""
    while not transport.is_closing():
        if transport.get_write_buffer_size() < _MOST_WAITING_BYTES:
            await asyncio.sleep(0)
            return True
        await asyncio.sleep(_PAUSE_SECONDS)
    return False
