"""The made-up calls find what is planted."""

import asyncio
from pathlib import Path
from typing import Annotated, Any

import pytest
from fastapi import Body, FastAPI, Query, Response
from pydantic import BaseModel, Field

from deploy.local.ports import free_port
from shared.ids import new_id
from tests.conftest import RunningService
from tests.fuzzing import Stage, faults_in, faults_in_sequences
from tests.server import serving

app = FastAPI()


class Thing(BaseModel):
    size: int


@app.get("/v1/good")
async def good(size: Annotated[int, Query(ge=0)] = 1) -> Thing:
    return Thing(size=size)


@app.get("/v1/broken")
async def broken(size: int = 1) -> Thing:
    return Thing(size=1 // (size >= 0))


@app.get("/v1/undocumented")
async def undocumented(name: str = "") -> Response:
    return Response(b"{}", 418 if "'" in name else 200, media_type="application/json")


@app.get("/v1/untrue", response_model=Thing)
async def untrue(name: str = "") -> Any:
    return Response(b'{"size": "large"}', media_type="application/json")


@app.get("/v1/page", response_model=Thing)
async def page() -> Any:
    return Response(b"<p>", media_type="text/html")


class Named(BaseModel):
    name: str = Field(examples=["rice"])


@app.post("/v1/things")
async def takes_no_nul(thing: Named) -> Thing:
    return Thing(size=1 // ("\0" not in thing.name))


class Kept(BaseModel):
    box_id: str


shelf: dict[str, Thing] = {}


@app.post("/v1/boxes", status_code=201)
async def put(thing: Annotated[Thing, Body(examples=[{"size": 3}])]) -> Kept:
    box_id = str(new_id())
    shelf[box_id] = thing
    return Kept(box_id=box_id)


@app.get("/v1/boxes/{box_id}", responses={404: {"model": Thing}})
async def broken_where_there_is_one(box_id: str) -> Thing:
    return Thing(size=1 // (box_id not in shelf))


@pytest.fixture
async def stage(key_file: Path) -> Any:
    async with serving(app, free_port()) as url:
        yield Stage(RunningService("planted", app, url, key_file), values={})


async def test_what_is_planted_is_found(stage: Stage) -> None:
    faults = await asyncio.to_thread(faults_in, stage, examples=40, derandomize=True)

    # Not planted: FastAPI tells of no 400, and answers it where a body is not UTF-8.
    by_chance = {(f"POST /v1/{name}", "Undocumented status code") for name in ("things", "boxes")}
    assert {(fault.operation, fault.title) for fault in faults} - by_chance == {
        ("GET /v1/broken", "Server error"),
        ("GET /v1/undocumented", "Undocumented status code"),
        ("GET /v1/untrue", "Response violates schema"),
        ("GET /v1/page", "Undocumented Content-Type"),
        ("POST /v1/things", "Server error"),
    }


async def test_what_only_a_sequence_comes_upon_is_found(stage: Stage) -> None:
    faults = await asyncio.to_thread(faults_in_sequences, stage, examples=20, derandomize=True)

    assert ("GET /v1/boxes/{box_id}", "Server error") in {
        (fault.operation, fault.title) for fault in faults
    }
