"""A publisher that plays a feed: what it answers to each path, and what it was asked."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from aiohttp import web

from deploy.local.ports import free_port

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def always(body: bytes | str, *, etag: str | None = None, status: int = 200) -> Answer:
    """One body; with an ETag, 304 to whoever has it."""

    async def answer(request: web.Request) -> web.Response:
        if etag and request.headers.get("If-None-Match") == etag:
            return web.Response(status=304, headers={"ETag": etag})
        content = body.encode() if isinstance(body, str) else body
        return web.Response(status=status, body=content, headers={"ETag": etag} if etag else {})

    return answer


def asking_for_less(seconds: int) -> Answer:
    """Too many requests: asked to come back after so long."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=429, headers={"Retry-After": str(seconds)})

    return answer


def redirecting(to: str) -> Answer:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": to})

    return answer


async def never(request: web.Request) -> web.Response:
    """Holds the line until the caller lets go."""
    await asyncio.sleep(30)
    return web.Response()


async def without_end(request: web.Request) -> web.StreamResponse:
    """More than anybody said, a part at a time, and without saying how much."""
    response = web.StreamResponse()
    await response.prepare(request)
    with suppress(ConnectionError):
        for _ in range(10_000):
            await response.write(b"x" * 1_024)
    return response


async def packed(request: web.Request) -> web.Response:
    return web.Response(body=b"\x1f\x8b", headers={"Content-Encoding": "gzip"})


@dataclass
class Publisher:
    """What it answers by path, and the requests that it got."""

    url: str
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[web.BaseRequest] = field(default_factory=list)

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        self.asked.append(request)
        assert isinstance(request, web.BaseRequest)
        found = self.answers.get(request.path)
        return await found(request) if found else web.Response(status=404)  # type: ignore[arg-type]


@asynccontextmanager
async def publishing() -> AsyncIterator[Publisher]:
    """A publisher on a loopback port, until the end of the test."""
    port = free_port()
    publisher = Publisher(f"http://127.0.0.1:{port}")
    runner = web.ServerRunner(web.Server(publisher.answer), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield publisher
    finally:
        await runner.cleanup()
