"""The lean provider answers as a real one does, and its memory tells what it was to pay twice."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import httpx
import pytest

from benchmarks.provider import BatchProvider
from deploy.local.environment import PROVIDERS
from deploy.local.ports import free_port
from services.payments.providers.batches import BatchAnswerKind, ResultKind
from services.payments.providers.gsma import batches
from services.payments.providers.gsma.callbacks import read_batch_callback
from services.payments.providers.lines import Reply
from services.payments.providers.protocol import Order, ToldOfBatch
from shared.ids import new_id
from shared.money import Money
from shared.signatures import verify

PROVIDER = next(iter(PROVIDERS))
SECRET = f"whsec_{base64.b64encode(bytes(32)).decode()}"


class _Client:
    """Speaks to the provider, and hears what it calls back."""

    def __init__(
        self, http: httpx.AsyncClient, callback_url: str, heard: "asyncio.Queue[bytes]"
    ) -> None:
        self._http = http
        self._callback_url = callback_url
        self.heard = heard

    async def send(self, batch_id: UUID, lines: list[UUID]) -> httpx.Response:
        body = batches.batch(
            [
                (
                    Order(
                        instruction_id=line,
                        household_id=line,
                        money=Money(40_000, "KHR"),
                        account_sealed=b"",
                    ),
                    "+85512345678",
                )
                for line in lines
            ],
            debit_party="nspc",
            description="Cash",
            approved=False,
        )
        headers = {"X-CorrelationID": str(batch_id), "X-Callback-URL": self._callback_url}
        return await self._http.post("/batchtransactions", content=body, headers=headers)

    async def paid(self, batch_id: UUID, lines: list[UUID]) -> str:
        """Send and approve a batch; the provider's name for it, once it has called back."""
        answer = batches.answer_to_batch(_reply(await self.send(batch_id, lines)))
        assert answer.kind is BatchAnswerKind.CREATED
        name = answer.provider_batch_id
        assert name is not None
        approved = await self._http.patch(f"/batchtransactions/{name}", content=batches.APPROVAL)
        assert batches.answer_to_approval(_reply(approved)).kind is BatchAnswerKind.UNDER_WAY
        async with asyncio.timeout(20):
            assert read_batch_callback(await self.heard.get()) == ToldOfBatch(name)
        return name

    async def results(self, name: str, *, offset: int, limit: int) -> list[UUID | None]:
        kind = ResultKind.COMPLETIONS
        given = {"offset": offset, "limit": limit}
        reply = await self._http.get(f"/batchtransactions/{name}/{kind}", params=given)
        page = batches.results_page(kind, reply.status_code, reply.content, limit=limit)
        assert page is not None
        return [result.our_reference for result in page.results]


def _reply(response: httpx.Response) -> Reply:
    return Reply(response.status_code, response.content)


@pytest.fixture
async def provider() -> AsyncIterator[BatchProvider]:
    process = BatchProvider(free_port())
    process.start(dict.fromkeys(PROVIDERS, SECRET))
    yield process
    process.stop()


@asynccontextmanager
async def _client(provider: BatchProvider) -> AsyncIterator[_Client]:
    heard: asyncio.Queue[bytes] = asyncio.Queue()

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in head[1:] if line)
        }
        body = await reader.readexactly(int(headers["content-length"]))
        verify([SECRET], headers=headers, body=body, now=int(headers["webhook-timestamp"]))
        await heard.put(body)
        writer.write(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n")
        writer.close()

    port = free_port()
    async with await asyncio.start_server(hear, "127.0.0.1", port):
        url = json.loads(provider.settings)[0]["base_url"]
        async with httpx.AsyncClient(base_url=url) as http:
            yield _Client(http, f"http://127.0.0.1:{port}/", heard)


async def test_each_line_of_an_approved_batch_is_paid_once_and_told(
    provider: BatchProvider,
) -> None:
    lines = [new_id() for _ in range(30)]
    async with _client(provider) as client:
        batch_id = new_id()
        await client.send(batch_id, lines)
        name = await client.paid(batch_id, lines)
        pages = [await client.results(name, offset=at, limit=20) for at in (0, 20, 40)]

    assert pages == [lines[:20], lines[20:], []]
    assert provider.summary() == {"batches": 1, "paid": 30, "twice": 0, "minor": 30 * 40_000}


async def test_a_line_of_two_batches_is_to_be_paid_twice(provider: BatchProvider) -> None:
    lines = [new_id() for _ in range(3)]
    async with _client(provider) as client:
        await client.paid(new_id(), lines)
        await client.paid(new_id(), [*lines[:1], new_id()])

    assert (provider.summary()["paid"], provider.summary()["twice"]) == (4, 1)


async def test_nothing_is_paid_while_it_is_held(provider: BatchProvider) -> None:
    provider.hold()
    async with _client(provider) as client:
        paying = asyncio.create_task(client.paid(new_id(), [new_id()]))
        await asyncio.sleep(0.2)
        held = provider.summary()["paid"]
        provider.let_go()
        await paying

    assert (held, provider.summary()["paid"]) == (0, 1)
