"""Against a provider that speaks broken HTTP: an order goes out once, and no answer is no."""

import asyncio
import base64
import gzip
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from uuid import UUID

import pytest

from services.payments.providers.answers import Answer, AnswerKind
from services.payments.providers.gsma.client import GsmaAdapter
from services.payments.providers.lines import MAXIMUM_REPLY_BYTES
from services.payments.providers.protocol import Order
from services.payments.settings import ProviderSettings, WorkerSettings
from shared.contracts.entitlements import ACCOUNT_CONTEXT
from shared.ids import new_id
from shared.money import Money
from shared.personal_data import Cipher

KEY = bytes(range(32))
_TIMEOUT_SECONDS = 0.5
_PAID = b'{"transactionStatus": "completed", "amount": "96000", "currency": "KHR"}'


class Permitted:
    """Whatever is to leave may leave."""

    def refusal(self) -> str | None:
        return None


PERMITTED = Permitted()

Speak = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def order() -> Order:
    household_id = new_id()
    accounts = Cipher({1: KEY}, context=ACCOUNT_CONTEXT)
    return Order(
        instruction_id=new_id(),
        household_id=household_id,
        money=Money(96_000, "KHR"),
        account_sealed=accounts.encrypt(b"+85510000001", bound_to=household_id.bytes),
    )


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """The head of the next request, once its body has come too."""
    head = await reader.readuntil(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            await reader.readexactly(int(line.partition(b":")[2]))
    return head


@asynccontextmanager
async def provider(
    speak: Speak, settings: WorkerSettings, *, concurrency: int = 4
) -> AsyncIterator[GsmaAdapter]:
    """A client of a server on which every connection is spoken to by ``speak``."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            await speak(reader, writer)
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    client = GsmaAdapter(
        ProviderSettings(
            code="mekong",
            name="Mekong",
            base_url=f"http://127.0.0.1:{port}/mekong",
            currency="KHR",
        ),
        settings.model_copy(update={"dispatch_concurrency": concurrency}),
    )
    try:
        yield client
    finally:
        await client.close()
        server.close()


@pytest.fixture
def settings() -> WorkerSettings:
    keys = json.dumps({"1": base64.b64encode(KEY).decode()})
    return WorkerSettings.model_validate(
        {
            "database_url": "postgresql://nobody@nowhere.invalid/none",
            "auth_issuer": "https://issuer.invalid",
            "auth_jwks_url": "https://issuer.invalid/jwks.json",
            "account_keys": keys,
            "webhook_keys": keys,
            "provider_api_keys": {"mekong": "key"},
            "provider_timeout_seconds": _TIMEOUT_SECONDS,
        }
    )


def reply(head: bytes, body: bytes = b"") -> bytes:
    return b"HTTP/1.1 " + head.replace(b"\n", b"\r\n") + b"\r\n\r\n" + body


BROKEN = {
    "nothing": b"",
    "no HTTP": b"\x00\x01\x02 this is no HTTP\r\n\r\n",
    "half a head": b"HTTP/1.1 201 Crea",
    "a body cut short": reply(b"201 Created\nContent-Length: 500", _PAID),
    "a chunk without a length": reply(b"201 Created\nTransfer-Encoding: chunked", b"zz\r\n\r\n"),
    "a chunk cut short": reply(b"201 Created\nTransfer-Encoding: chunked", b"ff\r\n{"),
    "no gzip": reply(b"201 Created\nContent-Encoding: gzip\nContent-Length: 5", b"plain"),
    "gzip cut short": reply(
        b"201 Created\nContent-Encoding: gzip\nContent-Length: 20", gzip.compress(_PAID)[:20]
    ),
    "a head without an end": b"HTTP/1.1 201 Created\r\n" + b"x: y\r\n" * 20_000,
    "a giant header": reply(b"201 Created\nX-Long: " + b"x" * 100_000, _PAID),
    "two lengths": reply(b"201 Created\nContent-Length: 1\nContent-Length: 2", b"{}"),
    "a length below zero": reply(b"201 Created\nContent-Length: -1", _PAID),
    "a status that is none": b"HTTP/1.1 999999 What\r\n\r\n",
    "a body that is not JSON": reply(b"201 Created\nContent-Length: 3", b"\xff\xfe\x00"),
    "a page": reply(b"200 OK\nContent-Type: text/html\nContent-Length: 6", b"<html>"),
}


@pytest.mark.parametrize("written", BROKEN.values(), ids=BROKEN.keys())
async def test_a_broken_reply_is_no_answer(written: bytes, settings: WorkerSettings) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(written)
        await writer.drain()

    async with provider(speak, settings) as client:
        sent = await client.send(order(), PERMITTED)
        asked = await client.inquire(new_id(), new_id())

    assert sent.kind is AnswerKind.NO_ANSWER
    assert asked.kind is AnswerKind.NO_ANSWER


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_an_order_is_never_sent_on_to_another_place(
    status: int, settings: WorkerSettings
) -> None:
    heads = []

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await read_request(reader)
            heads.append(head.split(b" ")[1])
            writer.write(reply(b"%d Moved\nLocation: /elsewhere\nContent-Length: 0" % status))

    async with provider(speak, settings) as client:
        answer = await client.send(order(), PERMITTED)

    assert answer == Answer(AnswerKind.NO_ANSWER, reason=f"http_{status}")
    assert heads == [b"/mekong/transactions/type/disbursement"]


async def test_a_drip_of_bytes_does_not_outlast_the_timeout(settings: WorkerSettings) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(reply(b"201 Created\nContent-Length: 1000"))
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(_TIMEOUT_SECONDS / 10)

    async with provider(speak, settings) as client:
        began = time.monotonic()
        answer = await client.send(order(), PERMITTED)
        took_seconds = time.monotonic() - began

    assert answer == Answer(AnswerKind.NO_ANSWER, reason="timeout", provider_unwell=True)
    assert _TIMEOUT_SECONDS <= took_seconds < _TIMEOUT_SECONDS * 20


async def test_an_inquiry_has_one_deadline_for_all_that_it_asks(settings: WorkerSettings) -> None:
    asked: list[bytes] = []
    pending = b'{"link": "/requeststates/53616e67-6b72-8f68-8000-00000000002a"}'

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            asked.append(await read_request(reader))
            await asyncio.sleep(_TIMEOUT_SECONDS * 0.7)
            writer.write(reply(b"200 OK\nContent-Length: %d" % len(pending), pending))

    async with provider(speak, settings) as client:
        began = time.monotonic()
        answer = await client.inquire(new_id(), None)
        took_seconds = time.monotonic() - began

    assert answer == Answer(AnswerKind.NO_ANSWER, reason="timeout", provider_unwell=True)
    assert len(asked) == 2
    assert took_seconds < _TIMEOUT_SECONDS * 20


async def test_a_connection_that_timed_out_or_was_cancelled_is_not_used_again(
    settings: WorkerSettings,
) -> None:
    """A late answer on it would be taken for the answer to another order."""
    connections: list[list[bytes]] = []
    closed = 0

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal closed
        requests: list[bytes] = []
        connections.append(requests)
        late = len(connections) <= 2
        try:
            while True:
                requests.append(await read_request(reader))
                if not late:
                    writer.write(reply(b"201 Created\nContent-Length: %d" % len(_PAID), _PAID))
        finally:
            closed += 1

    async with provider(speak, settings) as client:
        timed_out = await client.send(order(), PERMITTED)
        cut_off = asyncio.create_task(client.send(order(), PERMITTED))
        await asyncio.sleep(_TIMEOUT_SECONDS / 2)
        cut_off.cancel()
        await asyncio.gather(cut_off, return_exceptions=True)
        answers = [await client.send(order(), PERMITTED) for _ in range(3)]
        # Both were closed, and the others share one that is kept.
        assert closed == 2

    assert timed_out.reason == "timeout"
    assert {answer.kind for answer in answers} == {AnswerKind.SETTLED}
    assert [len(requests) for requests in connections] == [1, 1, 3]


@pytest.mark.parametrize("length_is_told", [True, False])
async def test_an_answer_that_is_too_long_is_not_read(
    length_is_told: bool, settings: WorkerSettings
) -> None:
    written = 0

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        await read_request(reader)
        length = b"Content-Length: 1000000000" if length_is_told else b"X-Endless: yes"
        writer.write(reply(b"201 Created\n" + length, _PAID))
        while True:
            writer.write(b" " * 65_536)
            await writer.drain()
            written += 65_536

    async with provider(speak, settings) as client:
        began = time.monotonic()
        answer = await client.send(order(), PERMITTED)
        took_seconds = time.monotonic() - began

    assert answer == Answer(AnswerKind.NO_ANSWER, reason="answer_too_long")
    assert took_seconds < _TIMEOUT_SECONDS
    assert written < 20 * MAXIMUM_REPLY_BYTES


async def test_what_may_not_leave_does_not(settings: WorkerSettings) -> None:
    """The permit is asked when a line is free, and not before somebody waits for one."""
    received: list[bytes] = []
    refusing = False

    class Until:
        def refusal(self) -> str | None:
            return "not_sent_in_time" if refusing else None

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal refusing
        while True:
            received.append(await read_request(reader))
            refusing = True
            writer.write(reply(b"201 Created\nContent-Length: %d" % len(_PAID), _PAID))

    async with provider(speak, settings, concurrency=1) as client:
        answers = await asyncio.gather(*(client.send(order(), Until()) for _ in range(3)))

    assert len(received) == 1
    assert [answer.kind for answer in answers] == [AnswerKind.SETTLED] + [AnswerKind.NOT_SENT] * 2


async def test_an_order_goes_out_once_where_the_connection_ends_without_a_reply(
    settings: WorkerSettings,
) -> None:
    received: list[bytes] = []

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for number in range(2):
            received.append(await read_request(reader))
            if number == 0:
                writer.write(reply(b"201 Created\nContent-Length: %d" % len(_PAID), _PAID))

    async with provider(speak, settings) as client:
        # The second goes out on the connection that was kept, which then ends.
        answers = [await client.send(order(), PERMITTED) for _ in range(2)]

    assert [answer.kind for answer in answers] == [AnswerKind.SETTLED, AnswerKind.NO_ANSWER]
    assert len(received) == 2


async def test_no_more_connections_than_allowed_and_waiting_for_one_is_no_timeout(
    settings: WorkerSettings,
) -> None:
    open_now = most = 0

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal open_now, most
        open_now += 1
        most = max(most, open_now)
        try:
            while True:
                await read_request(reader)
                await asyncio.sleep(_TIMEOUT_SECONDS / 3)
                writer.write(reply(b"201 Created\nContent-Length: %d" % len(_PAID), _PAID))
        finally:
            open_now -= 1

    async with provider(speak, settings, concurrency=2) as client:
        # Nine in each line: the last waits longer than a request may take.
        answers = await asyncio.gather(*(client.send(order(), PERMITTED) for _ in range(18)))

    assert {answer.kind for answer in answers} == {AnswerKind.SETTLED}
    assert most == 2


async def test_cancelled_requests_leave_no_connection_behind(settings: WorkerSettings) -> None:
    answering = asyncio.Event()

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await read_request(reader)
            await answering.wait()
            writer.write(reply(b"201 Created\nContent-Length: %d" % len(_PAID), _PAID))

    async with provider(speak, settings, concurrency=2) as client:
        for pause_seconds in (0, 0, 0.001, 0.01, 0.05):
            sending = [asyncio.create_task(client.send(order(), PERMITTED)) for _ in range(6)]
            await asyncio.sleep(pause_seconds)
            for task in sending:
                task.cancel()
            await asyncio.gather(*sending, return_exceptions=True)
        answering.set()
        answers = await asyncio.gather(*(client.send(order(), PERMITTED) for _ in range(6)))

    assert {answer.kind for answer in answers} == {AnswerKind.SETTLED}


async def test_cookies_and_identifiers_of_the_provider_are_not_taken_at_their_word(
    settings: WorkerSettings,
) -> None:
    heads: list[bytes] = []

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            heads.append(await read_request(reader))
            completed = b'{"status": "completed", "objectReference": "../../a/b?c#d"}'
            writer.write(
                reply(
                    b"200 OK\nSet-Cookie: session=1; Path=/\nContent-Length: %d" % len(completed),
                    completed,
                )
            )

    async with provider(speak, settings) as client:
        await client.inquire(UUID(int=1), UUID(int=2))

    assert [head.split(b" ")[1] for head in heads] == [
        b"/mekong/requeststates/00000000-0000-0000-0000-000000000002",
        b"/mekong/transactions/..%2F..%2Fa%2Fb%3Fc%23d",
    ]
    assert not any(b"cookie" in head.lower() for head in heads)
