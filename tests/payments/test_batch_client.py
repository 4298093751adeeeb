"""The client of batches against a provider that asks for less, or that speaks broken HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from services.payments.providers.batches import (
    BatchAnswer,
    BatchAnswerKind,
    BatchName,
    BatchOrder,
    ResultKind,
)
from services.payments.providers.gsma.batch_client import GsmaBatchAdapter
from services.payments.settings import ProviderSettings, WorkerSettings
from shared.ids import new_id
from tests.payments.test_provider_client import (
    BROKEN,
    PERMITTED,
    order,
    read_request,
    reply,
    settings,
)

__all__ = ["settings"]

BUSY = json.dumps({"errorCategory": "serviceUnavailable", "errorCode": "rateLimitError"}).encode()
NAME = BatchName(new_id(), "mekong-batch-00000001", new_id())


@asynccontextmanager
async def saying(written: bytes, settings: WorkerSettings) -> AsyncIterator[GsmaBatchAdapter]:
    """A client of a provider that says this to whatever it is asked."""

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            await read_request(reader)
            writer.write(written)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    client = GsmaBatchAdapter(
        ProviderSettings(
            code="mekong",
            name="Mekong",
            base_url=f"http://127.0.0.1:{port}/mekong",
            currency="KHR",
        ),
        settings,
    )
    try:
        yield client
    finally:
        await client.close()
        server.close()


def a_batch() -> BatchOrder:
    return BatchOrder(batch_id=new_id(), currency="KHR", lines=[order(), order()])


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        (b"\nRetry-After: 7", 7.0),
        (b"\nRetry-After: 0", 0.0),
        (b"\nRetry-After: 99999999999999999999", 900.0),
        (b"\nRetry-After: -7", None),
        (b"\nRetry-After: soon", None),
        (b"\nRetry-After: Sun, 06 Nov 1994 08:49:37 GMT", 0.0),
        (b"", None),
    ],
)
async def test_a_provider_says_for_how_long_it_wants_to_be_left_alone(
    asked: bytes, seconds: float | None, settings: WorkerSettings
) -> None:
    head = b"429 Too Many Requests\nConnection: close\nContent-Length: %d" % len(BUSY)
    async with saying(reply(head + asked, BUSY), settings) as client:
        answer = await client.send_batch(a_batch(), PERMITTED)
    assert (answer.kind, answer.rest_seconds) == (BatchAnswerKind.NOT_TAKEN, seconds)


@pytest.mark.parametrize("written", BROKEN.values(), ids=BROKEN.keys())
async def test_a_broken_reply_about_a_batch_is_no_answer(
    written: bytes, settings: WorkerSettings
) -> None:
    async with saying(written, settings) as client:
        answers: list[BatchAnswer] = [
            await client.send_batch(a_batch(), PERMITTED),
            await client.approve_batch(NAME, PERMITTED),
            await client.ask_batch(NAME),
        ]
        page = await client.read_results(NAME, ResultKind.COMPLETIONS, offset=0, limit=10)
    assert {answer.kind for answer in answers} == {BatchAnswerKind.NO_ANSWER}
    assert page is None
