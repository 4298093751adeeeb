"""The token with which one service calls another: kept, and replaced where it is refused."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic import SecretStr

from deploy.local.ports import free_port
from shared.auth import service_token
from shared.auth.service_token import Calls
from shared.http import service_client
from tests.server import serving


@dataclass
class World:
    """An issuer, and a service that takes the tokens of its last key alone."""

    given: int = 0
    taken: int = 1
    """Tokens are numbers: this one and later ones are taken."""
    bodies: list[Any] = field(default_factory=list)
    refused: int = 0
    url: str = ""

    @property
    def settings(self) -> Calls:
        return cast(
            Calls,
            SimpleNamespace(
                service="payments",
                auth_token_url=f"{self.url}/token",
                auth_client_id="payments",
                auth_client_secret=SecretStr("secret"),
            ),
        )


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world, app = World(), FastAPI()

    @app.post("/token")
    async def token() -> dict[str, Any]:
        world.given += 1
        return {"access_token": str(world.given), "expires_in": 3600}

    @app.post("/v1/things")
    async def things(request: Request) -> JSONResponse:
        number = int(request.headers["Authorization"].removeprefix("Bearer "))
        if number < world.taken:
            world.refused += 1
            return JSONResponse({}, status_code=401)
        world.bodies.append(await request.json())
        return JSONResponse({"number": number})

    port = free_port()
    world.url = f"http://127.0.0.1:{port}"
    async with serving(app, port):
        yield world


async def test_a_token_that_is_refused_before_its_end_is_replaced_and_the_call_made_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_token, "_ASKED_AGAIN_SECONDS", 0)
    async with service_client(world.settings, world.url) as client:
        for _ in range(3):
            assert (await client.post("/things", json={"n": 1})).json() == {"number": 1}
        # The issuer has other keys now.
        world.taken = 2
        assert (await client.post("/things", json={"n": 2})).json() == {"number": 2}
        assert world.bodies == [{"n": 1}] * 3 + [{"n": 2}]
        assert (world.given, world.refused) == (2, 1)
        # Of several that are refused at once, one asks for another.
        world.taken = 3
        answers = await asyncio.gather(*(client.post("/things", json={}) for _ in range(8)))
        assert {answer.status_code for answer in answers} == {200}
        assert world.given == 3


async def test_a_service_that_takes_no_token_costs_the_issuer_no_call_for_each(
    world: World,
) -> None:
    world.taken = 1_000
    async with service_client(world.settings, world.url) as client:
        answers = [await client.post("/things", json={}) for _ in range(5)]
    assert {answer.status_code for answer in answers} == {401}
    assert world.given == 1
