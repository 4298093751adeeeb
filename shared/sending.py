"""One signed request to an address that somebody named: bounded, outwards, and never redirected.

Nothing of the answer is read but its status and how long the receiver asks to be left alone: how
long or slow its body is cannot matter.
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus

import aiohttp
from yarl import URL

from shared.outbound import (
    Judge,
    JudgingResolver,
    LeadsInwards,
    Names,
    again_after,
    require_outward,
)
from shared.version import VERSION

_CONNECT_SECONDS = 10
_MAXIMUM_LINE_BYTES = 8 * 1024
_INWARDS = "Its address leads into a private network, to which nothing is sent."


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of a request: the status of the answer, or why there was none."""

    status: int | None
    detail: str | None
    again_after_seconds: float | None = None
    """How long the receiver asks to be left alone, where it says so."""

    @property
    def is_delivered(self) -> bool:
        return self.status is not None and self.status // 100 == 2

    @property
    def is_gone(self) -> bool:
        """The receiver wants no more (Standard Webhooks 1.0)."""
        return self.status == HTTPStatus.GONE


class Sender:
    """Sends what is delivered."""

    def __init__(self, *, judge: Judge, timeout_seconds: float, at_once: int) -> None:
        """``at_once`` requests are under way, at most, as whoever calls sees to."""
        self._judge = judge
        self._timeout_seconds = timeout_seconds
        self._at_once = at_once
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def send(self, url: str, *, headers: dict[str, str], body: bytes) -> Sent:
        """Send it once; never raises for what the receiver does."""
        try:
            async with asyncio.timeout(self._timeout_seconds):
                return await self._send(URL(url), headers, body)
        except TimeoutError:
            return Sent(None, f"It did not answer within {self._timeout_seconds:g} seconds.")
        except LeadsInwards:
            return Sent(None, _INWARDS)
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, LeadsInwards):
                return Sent(None, _INWARDS)
            return Sent(None, "No connection came about.")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # Their own words may quote what came.
            return Sent(
                None, f"The connection broke, or what came is no HTTP ({type(error).__name__})."
            )

    async def _send(self, url: URL, headers: dict[str, str], body: bytes) -> Sent:
        require_outward(url, self._judge)
        request = self._client().post(url, data=body, headers=headers, allow_redirects=False)
        async with request as answer:
            status, alone = answer.status, answer.headers.get("Retry-After", "")
            answer.close()
        match status // 100:
            case 2:
                return Sent(status, None)
            case 3:
                return Sent(status, "It redirects, which is not followed: correct the address.")
            case _:
                detail = f"It answered with the status {status}."
                return Sent(status, detail, again_after(alone, now=datetime.now(UTC)))

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    # How many there are at a time is bounded for each receiver.
                    limit=0,
                    force_close=True,
                    use_dns_cache=False,
                    resolver=JudgingResolver(self._judge, names=Names(at_once=self._at_once)),
                ),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS),
                headers={"User-Agent": f"sangkroh/{VERSION}"},
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                max_line_size=_MAXIMUM_LINE_BYTES,
                max_field_size=_MAXIMUM_LINE_BYTES,
            )
        return self._session
