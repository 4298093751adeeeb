"""What the provider's answers are made of, and how a request is read."""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from sandbox import messages
from sandbox.clock import now
from sandbox.validation import InvalidRequest

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

LARGEST_BODY = 65_536


class Answer(NamedTuple):
    """The status and the body of one answer, with the headers that are not those of all."""

    status: int
    body: bytes
    content_type: bytes = b"application/json"
    headers: tuple[tuple[bytes, bytes], ...] = ()


async def read_body(receive: Receive, *, largest: int = LARGEST_BODY) -> bytes:
    """The whole body; raises InvalidRequest where it is longer than is read."""
    message = await receive()
    body = bytearray(message.get("body", b""))
    while message.get("more_body") and len(body) <= largest:
        message = await receive()
        body += message.get("body", b"")
    if len(body) > largest:
        raise InvalidRequest("lengthError", f"the body is larger than {largest} bytes")
    return bytes(body)


def header(scope: Scope, name: bytes) -> bytes:
    """A header's value, empty where it was not sent."""
    for each, value in scope["headers"]:
        if each == name:
            return bytes(value)
    return b""


def not_known() -> Answer:
    return failure(404, "identification", "identifierError", "not known here")


def nothing_here() -> Answer:
    # A mistyped address must not look like a rejected payment, hence neither "identification"
    # nor "validation".
    return failure(404, "internal", "genericError", "there is no such address here")


def unavailable(status: int) -> Answer:
    category = "internal" if status == 500 else "serviceUnavailable"
    return failure(status, category, "genericError", "something went wrong here; ask again later")


def busy(rest_seconds: int) -> Answer:
    """It did not look at the call, and asks to be left alone for so long."""
    refused = failure(429, "serviceUnavailable", "rateLimitError", "too many calls; come later")
    return refused._replace(headers=((b"retry-after", str(rest_seconds).encode()),))


def failure(status: int, category: str, code: str, description: str) -> Answer:
    return Answer(status, messages.error(category, code, description, now=now()))
