"""Connections to one provider, for adapters that speak HTTP: as many as may be under way."""

import asyncio
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import aiohttp
import httpx
from yarl import URL

from services.payments.providers.answers import Answer, AnswerKind

_CONNECT_SECONDS = 5
_IDLE_SECONDS = 4
"""Less than servers commonly keep an idle connection: no order is sent on one that is closing."""


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

    A request goes where it is sent and nowhere else: no redirect is followed, no cookie is kept,
    and the machine's proxy, if it has one, is left aside.
    """

    def __init__(self, count: int, *, headers: Mapping[str, str], timeout_seconds: float) -> None:
        # Whoever waits for a free line waits outside the timeout of the request.
        self._free = asyncio.Semaphore(count)
        self._headers = dict(headers)
        self._timeout = aiohttp.ClientTimeout(
            total=timeout_seconds,
            sock_connect=_CONNECT_SECONDS,
            # To the moment: aiohttp would round it up to the next second.
            ceil_threshold=math.inf,
        )

    async def get(self, url: str, *, headers: Mapping[str, str]) -> Reply:
        """Raises NoReply. ``url`` is taken as it is: nothing in it is quoted anew."""
        return await self._request("GET", url, headers=headers, body=None)

    async def post(self, url: str, *, headers: Mapping[str, str], body: bytes) -> Reply:
        """Raises NoReply. ``url`` is taken as it is: nothing in it is quoted anew."""
        return await self._request("POST", url, headers=headers, body=body)

    async def close(self) -> None:
        if "_session" in self.__dict__:
            await self._session.close()

    async def _request(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes | None
    ) -> Reply:
        try:
            async with (
                self._free,
                self._session.request(
                    method,
                    URL(url, encoded=True),
                    data=body,
                    headers=headers,
                    allow_redirects=False,
                ) as response,
            ):
                return Reply(response.status, await response.read())
        # A broken connection is not always a ClientError; a timeout is an OSError.
        except (aiohttp.ClientError, OSError) as error:
            raise NoReply(timed_out=isinstance(error, TimeoutError)) from error

    @cached_property
    def _session(self) -> aiohttp.ClientSession:
        # Made with the first request: it belongs to the event loop, and a worker is made before.
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                # The certificates that the other clients of the service trust.
                ssl=httpx.create_ssl_context(trust_env=False),
                limit=0,
                keepalive_timeout=_IDLE_SECONDS,
            ),
            headers=self._headers,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=self._timeout,
            trust_env=False,
        )
