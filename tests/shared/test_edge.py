"""What one caller may cost an API: bodies, headers, waiting, calls, connections."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from time import monotonic
from typing import Annotated, Any

import httpx
import psutil
import pytest
from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from sqlalchemy import text

from services.registry.settings import Settings
from shared.application import create_application
from shared.auth import Caller, require
from shared.database import Session
from shared.errors import Busy
from shared.operations import limited
from shared.rates import SEARCH, network_of
from shared.streams import Places
from shared.version import API_PREFIX
from tests.conftest import RunningService
from tests.plain import Plain, plain
from tests.server import eventually, serving

_SHORT = {
    "REGISTRY_HEADERS_SECONDS": "0.3",
    "REGISTRY_HEADERS_MAXIMUM_BYTES": "4000",
    "REGISTRY_HEADERS_MAXIMUM_COUNT": "20",
    "REGISTRY_BODY_MAXIMUM_BYTES": "10000",
    "REGISTRY_BODY_MAXIMUM_VALUES": "100",
    "REGISTRY_BODY_SECONDS": "0.6",
    "REGISTRY_GRACE_SECONDS": "0.3",
    "REGISTRY_MINIMUM_BYTES_PER_SECOND": "1000000",
    "REGISTRY_RATE_SEARCH_PER_MINUTE": "3",
    "REGISTRY_RATE_REFUSED_PER_MINUTE": "20",
    "REGISTRY_CONNECTIONS_MAXIMUM": "40",
    "REGISTRY_DATABASE_POOL_SIZE": "1",
    "REGISTRY_DATABASE_POOL_WAIT_SECONDS": "0.2",
}
_LARGE = 300 * 1024 * 1024
_PIECE = b"x" * 65_536

router = APIRouter(prefix="/things")
ThingsRead = Annotated[Caller, require("things:read")]
ThingsWrite = Annotated[Caller, require("things:write")]


class Thing(BaseModel):
    sizes: list[str]


@router.post("")
async def keep(body: Thing, caller: ThingsWrite) -> Thing:
    return body


@router.post("/more", openapi_extra=limited(maximum_bytes=20_000))
async def keep_more(body: Thing, caller: ThingsWrite) -> Thing:
    return body


@router.put("/streamed", openapi_extra=limited(is_streamed=True))
async def take(request: Request, caller: ThingsWrite) -> int:
    return sum([len(part) async for part in request.stream()])


@router.post("/search", openapi_extra=limited(rate=SEARCH))
async def search(caller: ThingsRead) -> None:
    return None


@router.get("/held")
async def hold(caller: ThingsRead, session: Session, request: Request) -> None:
    await session.execute(text("SELECT 1"))
    request.app.state.is_held.set()
    await request.app.state.let_go.wait()


@router.get("/endless")
async def read_for_ever(caller: ThingsRead, request: Request) -> StreamingResponse:
    async def pieces() -> AsyncIterator[bytes]:
        try:
            while True:
                yield _PIECE
                await asyncio.sleep(0)
        finally:
            request.app.state.readers_ended += 1

    return StreamingResponse(pieces(), media_type="text/plain")


@pytest.fixture
async def things(
    environment: dict[str, str], key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[RunningService]:
    for name, value in _SHORT.items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    app = create_application(
        title="Things", summary="s", description="d", settings=settings, routers=[router]
    )
    app.state.is_held, app.state.let_go = asyncio.Event(), asyncio.Event()
    app.state.readers_ended = 0
    async with serving(app, settings.port) as url:
        yield RunningService("things", app, url, key_file)


def headers(
    service: RunningService, path: str, *lines: str, method: str = "POST", scope: str | None = None
) -> bytes:
    """The beginning of a request; with a token if a scope is named."""
    token = (f"Authorization: Bearer {service.token(scope)}",) if scope else ()
    request = (f"{method} {API_PREFIX}/things{path} HTTP/1.1", "Host: things", *token, *lines)
    return "\r\n".join((*request, "", "")).encode()


LENGTH = f"Content-Length: {_LARGE}"
CHUNKED = "Transfer-Encoding: chunked"


async def test_who_may_not_call_is_answered_before_the_body_is_read(
    things: RunningService,
) -> None:
    async def ended(scope: str | None, announced: str) -> int:
        async with plain(things.url) as connection:
            await connection.send(headers(things, "", announced, scope=scope))
            answered = await connection.answer()
            # And who does not send the body either is not waited for.
            assert await connection.is_closed()
            return answered.status

    callers = [(scope, how) for scope in (None, "things:read") for how in (LENGTH, CHUNKED)]
    statuses = await asyncio.gather(*(ended(*caller) for caller in callers))

    assert statuses == [401, 401, 403, 403]


async def test_a_body_is_as_large_as_its_operation_takes(things: RunningService) -> None:
    def sizes(count: int, *, width: int = 1) -> bytes:
        return json.dumps({"sizes": ["1" * width] * count}).encode()

    async def parts(content: bytes) -> AsyncIterator[bytes]:
        for start in range(0, len(content), 1_000):
            yield content[start : start + 1_000]

    async with things.client("things:write") as client:
        client.headers["Content-Type"] = "application/json"
        good = await client.post("/things", content=sizes(90, width=90))
        large = await client.post("/things", content=sizes(90, width=150))
        streamed = await client.post("/things", content=parts(sizes(90, width=150)))
        more = await client.post("/things/more", content=sizes(90, width=150))
        most = await client.post("/things/more", content=sizes(90, width=250))
        many = await client.post("/things", content=sizes(200))
        stream = await client.put("/things/streamed", content=parts(_PIECE * 3))

    assert (good.status_code, more.status_code, stream.status_code) == (200, 200, 200)
    assert {large.status_code, streamed.status_code, most.status_code, many.status_code} == {413}
    for answer, said in (
        (large, "A body has 10000 bytes at most here."),
        (streamed, "A body has 10000 bytes at most here."),
        (most, "A body has 20000 bytes at most here."),
        (many, "A body has 100 values at most."),
    ):
        document = answer.json()
        assert document["detail"].startswith(said)
        assert document["type"] == "urn:sangkroh:problem:too-large"
        assert document["instance"] == f"urn:uuid:{answer.headers['x-request-id']}"


async def test_what_comes_too_slowly_is_told_so_and_ended(things: RunningService) -> None:
    async def silent(connection: Plain) -> None:
        assert await connection.is_closed()

    async def slow_headers(connection: Plain) -> None:
        beginning = headers(things, "", LENGTH, scope="things:write")[:200]
        sending = asyncio.create_task(
            connection.send(*(bytes([byte]) for byte in beginning), pause_seconds=0.02)
        )
        answered = await connection.answer()
        sending.cancel()
        assert answered.status == 408
        assert answered.document["type"] == "urn:sangkroh:problem:too-slow"

    async def blank_lines_after_an_answer(connection: Plain) -> None:
        await connection.send(headers(things, "/nowhere", method="GET"))
        assert (await connection.answer()).status == 404
        await connection.send(b"\r\n")
        assert (await connection.answer()).status == 408

    async def stalled(connection: Plain) -> None:
        await connection.send(headers(things, "", "Content-Length: 900", scope="things:write"))
        await connection.send(b'{"sizes": [')
        assert (await connection.answer()).status == 408

    async def trickling(connection: Plain) -> None:
        await connection.send(
            headers(things, "/streamed", CHUNKED, method="PUT", scope="things:write")
        )
        sending = asyncio.create_task(
            connection.send(
                *(b"2\r\n%02d\r\n" % number for number in range(99)), pause_seconds=0.02
            )
        )
        answered = await connection.answer()
        sending.cancel()
        assert answered.status == 408
        assert answered.document["detail"].startswith("The body came too slowly")

    async def alone(behave: Callable[[Plain], Any]) -> float:
        async with plain(things.url) as connection:
            await behave(connection)
            assert await connection.is_closed()
            return monotonic() - connection.began

    behaviours = (silent, slow_headers, blank_lines_after_an_answer, stalled, trickling)
    lasted = await asyncio.gather(*map(alone, behaviours))
    async with things.client("things:read") as client:
        good = await client.post("/things/search")

    assert max(lasted) < 6
    assert good.status_code == 200


async def test_headers_are_as_many_and_as_large_as_is_taken(things: RunningService) -> None:
    for beginning in (
        headers(things, "", *(f"X-{number}: 1" for number in range(25))),
        headers(things, "", "X-Long: " + "y" * 5_000),
        headers(things, "?q=" + "z" * 5_000),
        b"GET / HTTP/1.1\r\nX-Endless: " + b"y" * 5_000,
    ):
        async with plain(things.url) as connection:
            await connection.send(beginning)
            answered = await connection.answer()
            assert answered.status == 431
            assert "4000 bytes at most, in 20 lines" in answered.document["detail"]
            assert await connection.is_closed()
    async with plain(things.url) as connection:
        await connection.send(b"\x16\x03\x01 this is TLS\r\n\r\n")
        assert (await connection.answer()).status == 400
        assert await connection.is_closed()


async def test_memory_does_not_grow_with_what_is_sent(things: RunningService) -> None:
    """A quarter of a gigabyte, as headers and as bodies, from callers who go on regardless."""
    process = psutil.Process()
    before = process.memory_info().rss

    async def pour(beginning: bytes) -> int:
        async with plain(things.url) as connection:
            sent = 0
            try:
                await connection.send(beginning)
                while sent < 64 * 1024 * 1024:
                    await connection.send(_PIECE)
                    sent += len(_PIECE)
            except ConnectionError:
                pass
            return sent

    sent = await asyncio.gather(
        pour(b"GET / HTTP/1.1\r\nX-Endless: "),
        pour(headers(things, "", LENGTH)),
        pour(headers(things, "", LENGTH, scope="things:read")),
        pour(headers(things, "", LENGTH, scope="things:write")),
    )

    assert max(sent) < 16 * 1024 * 1024
    assert process.memory_info().rss - before < 32 * 1024 * 1024


async def test_a_reader_that_does_not_read_is_let_go(things: RunningService) -> None:
    async with plain(things.url) as connection:
        await connection.send(headers(things, "/endless", method="GET", scope="things:read"))
        await connection.reader.readuntil(b"\r\n\r\n")

        async def has_ended() -> bool:
            return bool(things.app.state.readers_ended == 1)

        await eventually(has_ended)


async def test_connections_are_as_many_as_the_process_bears(things: RunningService) -> None:
    # The first is still open when the last is made, however slowly the machine makes them.
    things.app.state.settings.headers_seconds = 30
    kept = [await asyncio.open_connection(*_address(things)) for _ in range(40)]
    try:
        async with plain(things.url) as connection:
            answered = await connection.answer()
            assert answered.status == 503
            assert await connection.is_closed()
    finally:
        for _, writer in kept:
            writer.transport.abort()


def _address(service: RunningService) -> tuple[str, int]:
    url = httpx.URL(service.url)
    assert url.port
    return url.host, url.port


async def test_a_caller_is_told_how_often_it_may_call(things: RunningService) -> None:
    async with things.client("things:read") as client:
        answers = [await client.post("/things/search") for _ in range(5)]
        ordinary = await client.get("/things/nothing-there")
        held = await client.put("/things/streamed", content=b"")
    async with things.client("things:read", subject="another@test") as client:
        another = await client.post("/things/search")

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert another.status_code == 200
    assert [answer.headers["ratelimit"].split(";")[1] for answer in answers] == [
        "r=2",
        "r=1",
        "r=0",
        "r=0",
        "r=0",
    ]
    assert {answer.headers["ratelimit-policy"] for answer in answers} == {'"search";q=3;w=60'}
    refused = answers[-1]
    assert refused.json()["type"] == "urn:sangkroh:problem:too-many"
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert "ratelimit" not in ordinary.headers
    assert held.status_code == 403


async def test_bad_tokens_of_one_address_lock_nobody_out(things: RunningService) -> None:
    async with httpx.AsyncClient(base_url=things.url + API_PREFIX) as client:
        statuses = [
            (
                await client.post("/things", headers={"Authorization": f"Bearer {number}"})
            ).status_code
            for number in range(25)
        ]
    async with things.client("things:read") as client:
        good = await client.post("/things/search")

    assert statuses == [401] * 20 + [429] * 5
    assert good.status_code == 200
    assert '"ordinary"' not in good.headers["ratelimit"]
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff:1") != network_of("2001:db9::1")
    assert network_of("192.0.2.1") != network_of("192.0.2.2")


async def test_a_request_waits_shortly_for_a_connection(things: RunningService) -> None:
    async with things.client("things:read") as client:
        holding = asyncio.create_task(client.get("/things/held"))
        await things.app.state.is_held.wait()
        began = monotonic()
        busy = await client.get("/things/held")
        ready = await client.get(things.url + "/ready")
        seconds = monotonic() - began
        things.app.state.let_go.set()
        held = await holding
        again = await client.get(things.url + "/ready")

    assert (busy.status_code, ready.status_code) == (503, 503)
    assert busy.headers["retry-after"] == ready.headers["retry-after"] == "2"
    assert "Every connection is in use" in busy.json()["detail"]
    assert seconds < 5
    assert (held.status_code, again.status_code) == (200, 200)


async def test_every_answer_is_private_and_no_page(things: RunningService) -> None:
    async with things.client("things:read") as client:
        answers = [
            await client.post("/things/search"),
            await client.post("/things"),
            await client.get("/nowhere"),
            await client.get("/things/search", params={"x": "1"}),
            await client.get(things.url + "/openapi.json"),
            await client.get(things.url + "/docs"),
        ]
        assets = await client.get(things.url + "/docs/assets/swagger-ui.css")

    for answer in answers:
        assert answer.headers.get_list("cache-control") == ["no-store"]
    for answer in (*answers, assets):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["referrer-policy"] == "no-referrer"
        (policy,) = answer.headers.get_list("content-security-policy")
        assert policy.startswith("default-src 'none'")
        assert "frame-ancestors 'none'" in policy
    assert "cache-control" not in assets.headers


async def test_places_are_few_and_nobody_has_all_of_them() -> None:
    places = Places(3, per_caller=2, wait_seconds=0.05)
    async with places.held("a"), places.held("a"):
        with pytest.raises(Busy):
            async with places.held("a"):
                pass
        async with places.held("b"):
            with pytest.raises(Busy):
                async with places.held("c"):
                    pass
        waiting = asyncio.create_task(_held(places, "a", "b"))
        await asyncio.sleep(0)
    # Both are given back, however those ended who had them.
    assert await waiting
    assert await _held(places, "a", "a")


async def _held(places: Places, first: str, second: str) -> bool:
    async with places.held(first), places.held(second):
        return True
