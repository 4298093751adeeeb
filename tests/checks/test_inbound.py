"""What a caller can send is of types that refuse what is not meant."""

from pathlib import Path
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, FastAPI
from pydantic import BaseModel, ConfigDict, Field

from tests.checks.inbound import faults_of
from tests.checks.openapi_examples import SERVICES, application, environment


@pytest.mark.parametrize("service", SERVICES)
def test_nothing_that_a_caller_can_send_is_taken_unseen(
    service: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)

    assert faults_of(application(service)) == []


class Inner(BaseModel):
    counts: dict[str, int]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    code: Annotated[str, Field(pattern=r"^\w+$", max_length=9)]
    size: int
    inner: Inner
    whatever: Any


def test_it_is_found_wherever_it_stands() -> None:
    router = APIRouter(prefix="/v1")

    @router.post("/things/{thing}")
    async def post(thing: str, body: Body, page: int = 0) -> None: ...

    app = FastAPI()
    app.include_router(router)
    places = {
        fault.split(":")[0].removeprefix("POST /v1/things/{thing} ") for fault in faults_of(app)
    }

    assert places == {
        "thing",
        "page",
        "body.name",
        "body.code",
        "body.size",
        "body.inner",
        "body.inner.counts",
        "body.inner.counts[]",
        "body.whatever",
    }
