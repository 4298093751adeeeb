"""The body of a request: so large at most, and no slower than this.

Only the time is counted that is spent waiting for the sender. An import whose rows PostgreSQL
stores more slowly than they come is held back by us, and is not late.
"""

import asyncio
from collections.abc import Mapping
from time import monotonic

from fastapi import Request
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive

from shared.errors import Problem, TooLarge, TooSlow, answer_to


class RefusedBody(HTTPException):
    """A body that is not read on. An exception of the framework's, because it takes any other
    that comes up while it reads for JSON that cannot be parsed."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.status, problem.detail)
        self.problem = problem


async def on_refused_body(request: Request, error: Exception) -> JSONResponse:
    """The answer to a body that is not read on."""
    assert isinstance(error, RefusedBody)
    return answer_to(request, error.problem)


def announced_bytes(headers: Mapping[bytes, bytes]) -> int | None:
    """How large the body is by its own account: 0 where there is none, None where it says not."""
    if b"transfer-encoding" in headers:
        return None
    length = headers.get(b"content-length", b"0")
    return int(length) if length.isdigit() else None


def too_large(maximum_bytes: int) -> TooLarge:
    """What the sender of a larger body is told."""
    return TooLarge(f"A body has {maximum_bytes} bytes at most here. Send it in parts.")


class Body:
    """What the application receives through: raises RefusedBody rather than wait or take more."""

    def __init__(
        self,
        receive: Receive,
        *,
        maximum_bytes: int | None,
        maximum_values: int | None,
        seconds: float,
        grace_seconds: float,
        minimum_bytes_per_second: int,
    ) -> None:
        self._receive = receive
        self._maximum_bytes = maximum_bytes
        self._maximum_values = maximum_values
        self._seconds = seconds
        self._grace_seconds = grace_seconds
        self._minimum_bytes_per_second = minimum_bytes_per_second
        self._received_bytes = 0
        self._received_values = 0
        self._waited_seconds = 0.0
        self._is_whole = False

    async def receive(self) -> Message:
        """The next part; raises RefusedBody."""
        if self._is_whole:
            return await self._receive()
        began = monotonic()
        try:
            async with asyncio.timeout(self._allowed_seconds - self._waited_seconds):
                message = await self._receive()
        except TimeoutError:
            raise RefusedBody(
                TooSlow(
                    f"The body came too slowly: it has {self._seconds:.0f} seconds in all, and "
                    f"{self._minimum_bytes_per_second} bytes a second at least. Send it again "
                    "over a better line, or in parts."
                )
            ) from None
        self._waited_seconds += monotonic() - began
        part: bytes = message.get("body", b"")
        self._received_bytes += len(part)
        if self._maximum_bytes is not None and self._received_bytes > self._maximum_bytes:
            raise RefusedBody(too_large(self._maximum_bytes))
        if self._maximum_values is not None:
            # It is the values that take long to read, and a comma is between any two.
            self._received_values += part.count(b",")
            if self._received_values > self._maximum_values:
                raise RefusedBody(
                    TooLarge(f"A body has {self._maximum_values} values at most. Send it in parts.")
                )
        self._is_whole = not message.get("more_body", False)
        return message

    @property
    def _allowed_seconds(self) -> float:
        by_rate = self._grace_seconds + self._received_bytes / self._minimum_bytes_per_second
        return min(self._seconds, by_rate)
