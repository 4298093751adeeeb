"""Asking for what is published: with bounds in time, size and redirects, and never inwards.

In production only addresses of the public internet are connected to: the address that a name means
is judged when the connection is made to it, so that a name cannot mean one thing when it is looked
at and another when it is used.
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp
from yarl import URL

from shared.outbound import (
    JudgingResolver,
    LeadsInwards,
    Names,
    again_after,
    is_public,
    require_outward,
)
from shared.version import VERSION

MAXIMUM_REDIRECTS = 3
_REDIRECTS = {301, 302, 303, 307, 308}
_NOT_MODIFIED = 304
_SUCCESS = 200
_ASKS_FOR_LESS = {429, 503}
_PART_BYTES = 64 * 1024
_CONNECT_SECONDS = 10
_CONNECTIONS = 4
_LONGEST_ETAG = 500
_LONGEST_DATE = 100


class FetchFailed(Exception):
    """Nothing came that could be read; says why, with the status where there was an answer.

    ``again_after_seconds``: how long the publisher asks to be left alone, where it says so.
    """

    def __init__(
        self, detail: str, *, status: int | None = None, again_after_seconds: float | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.again_after_seconds = again_after_seconds


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """What a feed answered."""

    status: int
    content: bytes | None
    """None: it is what it was before."""
    etag: str | None = None
    last_modified: str | None = None


class Fetcher:
    """Fetches what is published, one answer at a time."""

    def __init__(self, *, only_public: bool) -> None:
        self._only_public = only_public
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def fetch(
        self,
        url: str,
        *,
        timeout_seconds: float,
        maximum_bytes: int,
        etag: str | None = None,
        last_modified: str | None = None,
    ) -> Fetched:
        """The answer; raises FetchFailed. Redirects are followed within the same host alone."""
        headers = {"Accept-Encoding": "identity"}
        if etag:
            headers["If-None-Match"] = etag
        if last_modified:
            headers["If-Modified-Since"] = last_modified
        try:
            async with asyncio.timeout(timeout_seconds):
                return await self._follow(URL(url), headers, maximum_bytes)
        except TimeoutError:
            raise FetchFailed(
                f"It did not answer whole within {timeout_seconds} seconds."
            ) from None
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, LeadsInwards):
                raise FetchFailed(_INWARDS) from None
            raise FetchFailed("No connection came about.") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # Their own words may quote what was sent.
            raise FetchFailed(
                f"The connection broke, or what came is no HTTP ({type(error).__name__})."
            ) from None

    async def _follow(self, url: URL, headers: dict[str, str], maximum_bytes: int) -> Fetched:
        first = url
        for _ in range(MAXIMUM_REDIRECTS + 1):
            self._require_public(url)
            async with self._client().get(url, headers=headers, allow_redirects=False) as answer:
                if answer.status not in _REDIRECTS:
                    return await _read(answer, maximum_bytes)
                url = _target(answer, url)
                if url.origin() != first.origin():
                    raise FetchFailed(
                        "It redirects to another host or port, or from https to http. If that is "
                        "where it is now, post a version of the feed with that address.",
                        status=answer.status,
                    )
        raise FetchFailed(
            f"It redirects more than {MAXIMUM_REDIRECTS} times.", status=answer.status
        )

    def _require_public(self, url: URL) -> None:
        """Raises FetchFailed for an address that is no name: no resolver is asked about it."""
        if not self._only_public:
            return
        if url.scheme != "https":
            raise FetchFailed("It is not published by https.")
        try:
            require_outward(url, is_public)
        except LeadsInwards:
            raise FetchFailed(_INWARDS) from None

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            options: dict[str, Any] = (
                {"resolver": JudgingResolver(is_public, names=Names(at_once=_CONNECTIONS))}
                if self._only_public
                else {}
            )
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=_CONNECTIONS, force_close=True, use_dns_cache=False, **options
                ),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS),
                headers={"User-Agent": f"sangkroh/{VERSION}"},
                # What is packed small may be large: it is asked for as it is.
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session


_INWARDS = "Its address leads into a private network, from which nothing is published."


def _target(answer: aiohttp.ClientResponse, url: URL) -> URL:
    location = answer.headers.get("Location", "")
    try:
        return url.join(URL(location))
    except ValueError:
        raise FetchFailed("It redirects to no address.", status=answer.status) from None


async def _read(answer: aiohttp.ClientResponse, maximum_bytes: int) -> Fetched:
    etag = answer.headers.get("ETag", "")
    last_modified = answer.headers.get("Last-Modified", "")
    kept = {
        "etag": etag if 0 < len(etag) <= _LONGEST_ETAG else None,
        "last_modified": last_modified if 0 < len(last_modified) <= _LONGEST_DATE else None,
    }
    if answer.status == _NOT_MODIFIED:
        return Fetched(status=answer.status, content=None, **kept)
    if answer.status != _SUCCESS:
        raise FetchFailed(
            f"It answers with the status {answer.status}.",
            status=answer.status,
            again_after_seconds=(
                again_after(answer.headers.get("Retry-After", ""), now=datetime.now(UTC))
                if answer.status in _ASKS_FOR_LESS
                else None
            ),
        )
    if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise FetchFailed("It answers packed, which was not asked for.", status=answer.status)
    too_large = FetchFailed(
        f"It answers with more than {maximum_bytes:,} bytes, which is its document's limit.",
        status=answer.status,
    )
    if (answer.content_length or 0) > maximum_bytes:
        raise too_large
    parts = bytearray()
    async for part in answer.content.iter_chunked(_PART_BYTES):
        parts += part
        if len(parts) > maximum_bytes:
            raise too_large
    return Fetched(status=answer.status, content=bytes(parts), **kept)
