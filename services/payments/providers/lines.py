"""Connections to one provider, for adapters that speak HTTP: as many as may be under way."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

import aiohttp
from yarl import URL

from services.payments.providers.answers import Answer, AnswerKind
from services.payments.providers.pace.turns import Turns, Unpaced
from services.payments.providers.protocol import Permit
from services.payments.providers.retry_after import rest_seconds
from shared.certificates import trusted

_CONNECT_SECONDS = 5
_IDLE_SECONDS = 4
"""Less than servers commonly keep an idle connection: no order is sent on one that is closing."""
_ERRORS_FROM = 400

MAXIMUM_REPLY_BYTES = 256 * 1024
"""No reply about one payment is longer. What is, is not read."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: the HTTP status and the whole body."""

    status: int
    body: bytes
    rest_seconds: float | None = None
    """For how long the provider asks to be left alone, where it says so."""


class NoReply(Exception):
    """Nothing that can be read came back: a timeout, a lost connection, more than is read."""

    def __init__(self, reason: str, *, provider_unwell: bool = True) -> None:
        super().__init__(reason)
        self.reason = reason
        self._provider_unwell = provider_unwell

    def answer(self) -> Answer:
        """What it means for the payment: nothing. The request may have arrived."""
        return Answer(
            AnswerKind.NO_ANSWER, reason=self.reason, provider_unwell=self._provider_unwell
        )


class NotPermitted(Exception):
    """The permit refused: nothing left."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def answer(self) -> Answer:
        """What it means for the payment: as if it had never been asked for."""
        return Answer(AnswerKind.NOT_SENT, reason=self.reason)


class Line:
    """One of a provider's lines, for one exchange: everything that it asks has one deadline."""

    def __init__(
        self, session: aiohttp.ClientSession, *, turns: Turns, timeout_seconds: float
    ) -> None:
        self._session = session
        self._turns = turns
        self._ends_at = time.monotonic() + timeout_seconds

    async def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str],
        maximum_bytes: int = MAXIMUM_REPLY_BYTES,
    ) -> Reply:
        """Raises NoReply, and NotPermitted where its turn does not come. ``url`` is taken as it is:
        nothing in it is quoted anew."""
        return await self._request(
            "GET", url, headers=headers, body=None, maximum_bytes=maximum_bytes
        )

    async def post(
        self, url: str, *, headers: Mapping[str, str], body: bytes, permit: Permit
    ) -> Reply:
        """Raises NoReply, and NotPermitted. ``url`` is taken as it is."""
        return await self._request("POST", url, headers=headers, body=body, permit=permit)

    async def patch(
        self, url: str, *, headers: Mapping[str, str], body: bytes, permit: Permit
    ) -> Reply:
        """As ``post``."""
        return await self._request("PATCH", url, headers=headers, body=body, permit=permit)

    async def _request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None,
        permit: Permit | None = None,
        maximum_bytes: int = MAXIMUM_REPLY_BYTES,
    ) -> Reply:
        waits_from = time.monotonic()
        if waits_from >= self._ends_at:
            raise NoReply("timeout")
        refusal = await self._turns.turn(permit)
        if refusal is not None:
            raise NotPermitted(refusal)
        # Our own wait takes nothing of the time that the provider has.
        self._ends_at += time.monotonic() - waits_from
        left_seconds = self._ends_at - time.monotonic()
        try:
            async with self._session.request(
                method,
                URL(url, encoded=True),
                data=body,
                headers=headers,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(
                    total=left_seconds,
                    sock_connect=_CONNECT_SECONDS,
                    # To the moment: aiohttp would round it up to the next second.
                    ceil_threshold=math.inf,
                ),
            ) as response:
                rests = self._hear_of_rest(response)
                return Reply(response.status, await _read(response, maximum_bytes), rests)
        # A broken connection is not always a ClientError; a timeout is an OSError.
        except (aiohttp.ClientError, OSError) as error:
            reason = "timeout" if isinstance(error, TimeoutError) else "connection_lost"
            raise NoReply(reason) from error
        finally:
            self._turns.end()

    def _hear_of_rest(self, response: aiohttp.ClientResponse) -> float | None:
        """For how long an error asks that the provider be left alone, which all workers do."""
        if response.status < _ERRORS_FROM:
            return None
        seconds = rest_seconds(response.headers, now=datetime.now(UTC))
        if seconds:
            self._turns.rest(seconds, reason=f"http_{response.status}")
        return seconds


async def _read(response: aiohttp.ClientResponse, maximum_bytes: int) -> bytes:
    body = bytearray()
    async for part in response.content.iter_any():
        body += part
        if len(body) > maximum_bytes:
            # Left half read, the connection is closed.
            raise NoReply("answer_too_long", provider_unwell=False)
    return bytes(body)


class Lines:
    """At most ``count`` exchanges at a time, over connections that are kept.

    A request goes where it is sent and nowhere else: no redirect is followed, no cookie is kept,
    and the machine's proxy, if it has one, is left aside. A connection on which a request timed out
    or was cancelled is closed, and no other request meets it.
    """

    def __init__(self, count: int, *, headers: Mapping[str, str], timeout_seconds: float) -> None:
        self.turns: Turns = Unpaced()
        """When a request may leave, by the pace that all workers keep."""
        self._free = asyncio.Semaphore(count)
        # Not packed: the length that is read is the length that was sent.
        self._headers = {**headers, "Accept-Encoding": "identity"}
        self._timeout_seconds = timeout_seconds

    @asynccontextmanager
    async def line(self) -> AsyncIterator[Line]:
        """A free line. Whoever waits for it waits outside the deadline of the exchange."""
        async with self._free:
            yield Line(self._session, turns=self.turns, timeout_seconds=self._timeout_seconds)

    async def close(self) -> None:
        if "_session" in self.__dict__:
            await self._session.close()

    @cached_property
    def _session(self) -> aiohttp.ClientSession:
        # Made with the first request: it belongs to the event loop, and a worker is made before.
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                # The certificates that the other clients of the service trust.
                ssl=trusted(trust_env=False),
                limit=0,
                keepalive_timeout=_IDLE_SECONDS,
            ),
            headers=self._headers,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
        )
