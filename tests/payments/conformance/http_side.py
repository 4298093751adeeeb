"""A provider over HTTP that is played inside of a test: every request is recorded and answered."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp import web

from services.payments.settings import ProviderSettings
from shared.ids import new_id
from shared.signatures import ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from tests.payments.conformance.sides import CODE, IMPATIENCE_SECONDS, SECRET, OtherSide, Saying

BUSY_SECONDS = 7
SIGNED_AT = 1_760_000_000
"""When callbacks are signed, in Unix seconds."""


def signed(body: bytes) -> dict[str, str]:
    """The headers of a callback that the provider signed."""
    message_id = str(new_id())
    return {
        ID_HEADER: message_id,
        TIMESTAMP_HEADER: str(SIGNED_AT),
        SIGNATURE_HEADER: sign(SECRET, message_id=message_id, timestamp=SIGNED_AT, body=body),
    }


@dataclass(frozen=True)
class Reply:
    """What is said to one request."""

    status: int
    content: Any = None
    headers: tuple[tuple[str, str], ...] = ()

    def response(self) -> web.Response:
        body = self.content if isinstance(self.content, bytes) else orjson.dumps(self.content)
        return web.Response(
            status=self.status,
            body=b"" if self.content is None else body,
            headers=dict(self.headers),
            content_type="application/json",
        )


@dataclass(frozen=True)
class Request:
    """A request as it came, for whoever holds it against a document."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


class HttpSide(OtherSide):
    """Answers by what it is to say; a protocol adds its own words in ``reply``."""

    def __init__(self, settings: ProviderSettings) -> None:
        super().__init__(settings)
        self.requests: list[Request] = []

    async def meet(self, request: web.Request) -> web.StreamResponse:
        """Record one request, and answer it."""
        body = await request.read()
        path = request.path.removeprefix("/provider")
        self.requests.append(
            Request(
                request.method,
                path,
                dict(request.query),
                {name.lower(): value for name, value in request.headers.items()},
                body,
            )
        )
        said = self.reply(request.method, path, request, body)
        match self.saying:
            case Saying.KEEPS_SILENT:
                await asyncio.sleep(IMPATIENCE_SECONDS * 4)
            case Saying.HANGS_UP:
                assert request.transport is not None
                request.transport.close()
            case Saying.BREAKS:
                return Reply(500, b"<html>Internal Server Error</html>").response()
            case Saying.MAINTENANCE:
                return Reply(503, b"closed until six").response()
            case Saying.BABBLES:
                return Reply(*self.babble).response()
        return said.response()

    def reply(self, method: str, path: str, request: web.Request, body: bytes) -> Reply:
        """What the protocol says to a request, where nothing else keeps it from saying it."""
        raise NotImplementedError


Make = Callable[[ProviderSettings], HttpSide]


@asynccontextmanager
async def playing(protocol: str, make: Make, **more: Any) -> AsyncIterator[OtherSide]:
    """A server on a port of its own, until it is left."""
    holder: list[HttpSide] = []

    async def meet(request: web.Request) -> web.StreamResponse:
        return await holder[0].meet(request)

    app = web.Application(client_max_size=8 * 1024 * 1024)
    app.router.add_route("*", "/{path:.*}", meet)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    holder.append(
        make(
            ProviderSettings(
                code=CODE,
                name="Mekong",
                protocol=protocol,
                base_url=f"http://127.0.0.1:{port}/provider",
                currency="KHR",
                **more,
            )
        )
    )
    try:
        yield holder[0]
    finally:
        await runner.cleanup()
