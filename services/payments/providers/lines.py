"""Connections to one provider, for adapters that speak HTTP: as many as may be under way."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from services.payments.providers.answers import Answer, AnswerKind

_CONNECT_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: the HTTP status and the whole body."""

    status: int
    body: bytes


class NoReply(Exception):
    """Nothing came back: a timeout, or a connection that was lost or never made."""

    def __init__(self, *, timed_out: bool) -> None:
        super().__init__()
        self.timed_out = timed_out

    def answer(self) -> Answer:
        """What it means for the payment: nothing. The request may have arrived."""
        return Answer(
            AnswerKind.NO_ANSWER,
            reason="timeout" if self.timed_out else "connection_lost",
            provider_unwell=True,
        )


class Lines:
    """At most ``count`` requests at a time, over connections that are kept.

    A client for each connection: httpx looks through its whole pool at every request, which costs
    more than the request itself. They are made when the first request is.
    """

    def __init__(self, count: int, *, headers: Mapping[str, str], timeout_seconds: float) -> None:
        self._count = count
        self._headers = dict(headers)
        self._timeout = httpx.Timeout(timeout_seconds, connect=_CONNECT_SECONDS)
        self._lines: list[httpx.AsyncClient] = []
        self._free: asyncio.LifoQueue[httpx.AsyncClient] = asyncio.LifoQueue()

    async def get(self, url: httpx.URL | str, *, headers: Mapping[str, str]) -> Reply:
        """Raises NoReply."""
        return await self._request("GET", url, headers=headers, body=None)

    async def post(self, url: httpx.URL | str, *, headers: Mapping[str, str], body: bytes) -> Reply:
        """Raises NoReply."""
        return await self._request("POST", url, headers=headers, body=body)

    async def close(self) -> None:
        for line in self._lines:
            await line.aclose()

    async def _request(
        self, method: str, url: httpx.URL | str, *, headers: Mapping[str, str], body: bytes | None
    ) -> Reply:
        try:
            async with self._free_line() as line:
                response = await line.request(method, url, content=body, headers=headers)
        except httpx.HTTPError as error:
            raise NoReply(timed_out=isinstance(error, httpx.TimeoutException)) from error
        return Reply(response.status_code, response.content)

    @asynccontextmanager
    async def _free_line(self) -> AsyncIterator[httpx.AsyncClient]:
        if not self._lines:
            self._make()
        line = await self._free.get()
        try:
            yield line
        finally:
            self._free.put_nowait(line)

    def _make(self) -> None:
        certificates = httpx.create_ssl_context(trust_env=False)
        self._lines = [
            httpx.AsyncClient(
                headers=self._headers,
                timeout=self._timeout,
                limits=httpx.Limits(max_connections=1, max_keepalive_connections=1),
                verify=certificates,
                # The provider is reached as configured, whatever proxy the machine has.
                trust_env=False,
            )
            for _ in range(self._count)
        ]
        for line in self._lines:
            self._free.put_nowait(line)
