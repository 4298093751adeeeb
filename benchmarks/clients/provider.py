"""A lean provider of batches, in a process of its own: it keeps its own memory of what it paid.

    python -m benchmarks.clients.provider PORT

Reads one JSON object from its input, ``{"secrets": {code: webhook secret}}``, says ``ready``, and
serves until its input ends. It speaks GSMA Mobile Money API 1.2 as a real provider does: a batch is
created, approved, paid, called back about, and its results are read by the page. But it reads no
more of a batch than its references and amounts, and keeps nothing on a disk: else it would be
slower than what is measured.

``PUT /held`` lets it pay nothing of what is approved until ``DELETE /held``, and
``GET /summary`` says what it paid, and how many lines it was asked to pay a second time.
"""

import asyncio
import json
import re
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import parse_qs
from uuid import uuid4

import aiohttp
import httptools
import orjson
import uvloop
from standardwebhooks import Webhook

HOST = "127.0.0.1"
_REFERENCE = re.compile(rb'"requestingOrganisationTransactionReference":"([0-9a-f-]{36})"')
_AMOUNT = re.compile(rb'"amount":"([0-9]+)"')
_PARTIES = (
    b'"creditParty":[{"key":"msisdn","value":"+85500000000"}],'
    b'"debitParty":[{"key":"organisationid","value":"nspc"}],'
)
_NOTHING_HERE = (404, {"errorCategory": "identification", "errorCode": "identifierError"})
_BATCHES = "batchtransactions"


@dataclass(slots=True)
class _Batch:
    name: str
    correlation_id: str
    callback_url: str
    references: list[bytes]
    first_number: int
    status: str = "created"

    def told(self) -> dict[str, object]:
        return {
            "batchId": self.name,
            "batchStatus": self.status,
            "completedCount": len(self.references) if self.status == "completed" else 0,
        }


@dataclass(slots=True)
class _Provider:
    """One provider's memory."""

    code: str
    signer: Webhook
    batches: dict[str, _Batch] = field(default_factory=dict)
    by_correlation_id: dict[str, _Batch] = field(default_factory=dict)
    paid: set[bytes] = field(default_factory=set)
    twice: int = 0
    lines: int = 0
    minor: int = 0


class _Desk:
    """Answers all that is asked of all providers."""

    def __init__(self, secrets: dict[str, str], client: aiohttp.ClientSession) -> None:
        self._providers = {code: _Provider(code, Webhook(given)) for code, given in secrets.items()}
        self._client = client
        self._held: list[tuple[_Provider, _Batch]] | None = None
        self._errands: set[asyncio.Task[None]] = set()

    def answer(
        self, method: str, url: bytes, headers: dict[bytes, bytes], body: bytes
    ) -> tuple[int, object]:
        """The status, and a body as an object or as bytes of JSON."""
        path, _, query = url.decode("latin-1").partition("?")
        match method, path.split("/")[1:]:
            case "GET", ["summary"]:
                return 200, self._summary()
            case "PUT", ["held"]:
                self._held = []
                return 200, {}
            case "DELETE", ["held"]:
                held, self._held = self._held or [], None
                for provider, batch in held:
                    self._complete(provider, batch)
                return 200, {}
            case _, [code, _, *call] if code in self._providers:
                return self._answer_of(self._providers[code], method, call, query, headers, body)
        return _NOTHING_HERE

    def _answer_of(
        self,
        provider: _Provider,
        method: str,
        call: list[str],
        query: str,
        headers: dict[bytes, bytes],
        body: bytes,
    ) -> tuple[int, object]:
        match method, call:
            case "POST", [str(kind)] if kind == _BATCHES:
                return self._take(provider, headers, body)
            case "GET", ["responses", correlation_id]:
                known = provider.by_correlation_id.get(correlation_id)
                return (200, {"link": f"/{_BATCHES}/{known.name}"}) if known else _NOTHING_HERE
            case _, [str(kind), name, *rest] if kind == _BATCHES and name in provider.batches:
                batch = provider.batches[name]
                if method == "PATCH":
                    return self._approve(provider, batch)
                return (200, _page(batch, rest[0], query)) if rest else (200, batch.told())
        return _NOTHING_HERE

    def _take(
        self, provider: _Provider, headers: dict[bytes, bytes], body: bytes
    ) -> tuple[int, object]:
        correlation_id = headers[b"x-correlationid"].decode()
        batch = provider.by_correlation_id.get(correlation_id)
        if batch is None:
            references = _REFERENCE.findall(body)
            provider.minor += sum(map(int, _AMOUNT.findall(body)))
            batch = _Batch(
                name=f"{provider.code}-{len(provider.batches) + 1}",
                correlation_id=correlation_id,
                callback_url=headers[b"x-callback-url"].decode(),
                references=references,
                first_number=provider.lines,
            )
            provider.lines += len(references)
            provider.batches[batch.name] = provider.by_correlation_id[correlation_id] = batch
        return 201, batch.told()

    def _approve(self, provider: _Provider, batch: _Batch) -> tuple[int, object]:
        if batch.status == "created":
            batch.status = "approved"
            if self._held is None:
                self._complete(provider, batch)
            else:
                self._held.append((provider, batch))
        return 204, b""

    def _complete(self, provider: _Provider, batch: _Batch) -> None:
        """Pay all of its lines, and call back."""
        before = len(provider.paid)
        provider.paid.update(batch.references)
        provider.twice += before + len(batch.references) - len(provider.paid)
        batch.status = "completed"
        errand = asyncio.create_task(self._call_back(provider, batch))
        self._errands.add(errand)
        errand.add_done_callback(self._errands.discard)

    async def _call_back(self, provider: _Provider, batch: _Batch) -> None:
        body = orjson.dumps(batch.told())
        message_id, at = f"msg_{uuid4().hex}", datetime.now(UTC)
        headers = {
            "content-type": "application/json",
            "x-correlationid": batch.correlation_id,
            "webhook-id": message_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": provider.signer.sign(message_id, at, body.decode()),
        }
        async with self._client.put(batch.callback_url, data=body, headers=headers) as response:
            await response.read()

    def _summary(self) -> dict[str, int]:
        known = self._providers.values()
        return {
            "batches": sum(len(provider.batches) for provider in known),
            "paid": sum(len(provider.paid) for provider in known),
            "twice": sum(provider.twice for provider in known),
            "minor": sum(provider.minor for provider in known),
        }


def _page(batch: _Batch, kind: str, query: str) -> bytes:
    """A page of completions; nothing is ever rejected."""
    if kind != "completions" or batch.status != "completed":
        return b"[]"
    given = parse_qs(query)
    offset, limit = int(given["offset"][0]), int(given["limit"][0])
    code, _, _ = batch.name.rpartition("-")
    first = batch.first_number + offset
    rows = (
        b'{"transactionReference":"%b-%09d",%b"requestingOrganisationTransactionReference":"%b",'
        b'"completionDate":"2026-01-01T00:00:00.000Z","link":"/transactions/%b-%09d"}'
        % (name, number, _PARTIES, reference, name, number)
        for name in (code.encode(),)
        for number, reference in enumerate(batch.references[offset : offset + limit], start=first)
    )
    return b"[" + b",".join(rows) + b"]"


class _Connection(asyncio.Protocol):
    """HTTP/1.1 with requests one after the other."""

    def __init__(self, desk: _Desk) -> None:
        self._desk = desk
        self._parser = httptools.HttpRequestParser(self)
        self._url = b""
        self._headers: dict[bytes, bytes] = {}
        self._body: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.WriteTransport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_begin(self) -> None:
        self._url, self._headers, self._body = b"", {}, []

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.lower()] = value

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        method = self._parser.get_method().decode()
        status, told = self._desk.answer(method, self._url, self._headers, b"".join(self._body))
        body = told if isinstance(told, bytes) else orjson.dumps(told)
        head = f"HTTP/1.1 {status} -\r\ncontent-type: application/json\r\n"
        if status != 204:
            head += f"content-length: {len(body)}\r\n"
        self._transport.write(f"{head}\r\n".encode() + body)


async def _serve(port: int, secrets: dict[str, str]) -> None:
    loop = asyncio.get_running_loop()
    async with aiohttp.ClientSession() as client:
        desk = _Desk(secrets, client)
        server = await loop.create_server(lambda: _Connection(desk), HOST, port)
        print("ready", flush=True)
        with suppress(EOFError):
            await asyncio.to_thread(sys.stdin.read)
        server.close()


def main() -> None:
    given = json.loads(sys.stdin.readline())
    uvloop.run(_serve(int(sys.argv[1]), given["secrets"]))


if __name__ == "__main__":
    main()
