"""The provider's calls over HTTP: who may ask, what they asked, what they get."""

import asyncio
import hmac
import sqlite3
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from sandbox import messages
from sandbox.book import Book, Payment
from sandbox.courier import Courier
from sandbox.inspection import book_as_csv, summary
from sandbox.misbehaviour import WITHOUT_REPLY, Misbehaviour
from sandbox.options import SandboxOptions
from sandbox.teller import Receipt, Reception, Teller
from sandbox.validation import Disbursement, InvalidRequest, read_disbursement

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

LARGEST_BODY = 65_536
HEARTBEAT = orjson.dumps({"serviceStatus": "available"})


class Answer(NamedTuple):
    """The status and the body of one answer, with the headers that are not those of all."""

    status: int
    body: bytes
    content_type: bytes = b"application/json"
    headers: tuple[tuple[bytes, bytes], ...] = ()


class Application:
    """A bare ASGI application: a framework's work for each request would slow its client too."""

    def __init__(
        self, *, options: SandboxOptions, book: Book, teller: Teller, courier: Courier
    ) -> None:
        self._storage: Path = options.storage
        self._synchronous = options.synchronous
        self._keys = {provider.code: provider.api_key.encode() for provider in options.providers}
        self._book = book
        self._teller = teller
        self._courier = courier

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        if scope["method"] == "GET" and path == "/book":
            await self._send_book(send)
            return
        try:
            answer = await self._answer(scope, receive, path.split("/")[1:])
        except InvalidRequest as fault:
            answer = Answer(400, messages.invalid(fault, now=now()))
        except sqlite3.Error as error:
            answer = failure(503, "serviceUnavailable", "genericError", f"storage: {error}")
        if answer is None:
            # Without an answer there is nothing to send: the client sees its connection closed.
            scope["state"]["transport"].abort()
            await receive()
            return
        await _reply(send, answer)

    async def _answer(self, scope: Scope, receive: Receive, path: list[str]) -> Answer | None:
        match scope["method"], path:
            case "GET", ["book", "summary"]:
                return Answer(200, orjson.dumps(await asyncio.to_thread(summary, self._storage)))
            case method, [provider, "v1.2", *call] if provider in self._keys:
                if not hmac.compare_digest(_header(scope, b"x-api-key"), self._keys[provider]):
                    return failure(
                        401, "authorisation", "clientAuthorisationError", "X-API-Key is not right"
                    )
                return await self._answer_client(scope, receive, provider, method, call)
        return _nothing_here()

    async def _answer_client(
        self, scope: Scope, receive: Receive, provider: str, method: str, call: list[str]
    ) -> Answer | None:
        match method, call:
            case "POST", ["transactions", "type", "disbursement"]:
                return await self._disburse(scope, receive, provider)
            case "POST", ["transactions", "type", _]:
                raise InvalidRequest(
                    "transactionTypeError", "only disbursements", category="businessRule"
                )
            case "GET", ["requeststates", identifier]:
                number = messages.number_in_server_correlation_id(identifier)
                payment = self._find(provider, number)
                return (
                    not_known() if payment is None else Answer(200, messages.request_state(payment))
                )
            case "GET", ["responses", correlation_id]:
                payment = self._book.find_by_correlation_id(
                    provider=provider, correlation_id=correlation_id.lower()
                )
                return not_known() if payment is None else Answer(200, messages.link(payment))
            case "GET", ["transactions", reference]:
                payment = self._find(provider, messages.number_in_reference(reference))
                if payment is None or payment.booked_at is None:
                    return not_known()
                return Answer(200, messages.transaction(payment))
            case "GET", ["heartbeat"]:
                return Answer(200, HEARTBEAT)
        return _nothing_here()

    def _find(self, provider: str, number: int | None) -> Payment | None:
        payment = None if number is None else self._book.find(number)
        return payment if payment is not None and payment.provider == provider else None

    async def _disburse(self, scope: Scope, receive: Receive, provider: str) -> Answer | None:
        disbursement = read_disbursement(
            await _read_body(receive),
            provider=provider,
            correlation_id=_header(scope, b"x-correlationid").decode("latin-1") or None,
            callback_url=_header(scope, b"x-callback-url").decode("latin-1") or None,
        )
        return await self._take(scope, receive, disbursement)

    async def _take(
        self, scope: Scope, receive: Receive, disbursement: Disbursement
    ) -> Answer | None:
        """Write a disbursement down, and answer it; None: without an answer."""
        receipt = await self._teller.take(disbursement)
        return await self._answer_receipt(receipt)

    async def _answer_receipt(self, receipt: Receipt) -> Answer | None:
        match receipt.reception:
            case Reception.REFUSED:
                return unavailable(receipt.conduct.error_status)
            case Reception.CONFLICTING:
                return failure(
                    400,
                    "businessRule",
                    "duplicateRequest",
                    "this X-CorrelationID was used for another payment",
                )
            case Reception.REPEATED:
                return self._answer_with(payment_of(receipt))
            case Reception.TAKEN:
                return await self._answer_badly(receipt)

    async def _answer_badly(self, receipt: Receipt) -> Answer | None:
        """Answer for the first time, which is when a provider misbehaves."""
        payment, conduct = payment_of(receipt), receipt.conduct
        if conduct.misbehaviour in WITHOUT_REPLY:
            return None
        match conduct.misbehaviour:
            case Misbehaviour.ERROR_AFTER_BOOKING:
                return unavailable(conduct.error_status)
            case Misbehaviour.SLOW_ANSWER:
                await asyncio.sleep(conduct.answer_delay_seconds)
            case Misbehaviour.EARLY_CALLBACK if payment.callback_state == "waiting":
                await self._courier.deliver_early(payment)
        return self._answer_with(payment)

    def _answer_with(self, payment: Payment) -> Answer:
        """The answer that one payment always gets, however often it is asked for."""
        if payment.rejected_at_once:
            return Answer(messages.rejection_status(payment), messages.rejection(payment))
        if self._synchronous and payment.status == "completed":
            return Answer(201, messages.transaction(payment))
        return Answer(202, messages.accepted(payment))

    async def _send_book(self, send: Send) -> None:
        await _start(send, 200, b"text/csv; charset=utf-8; header=present")
        for page in book_as_csv(self._storage):
            await send({"type": "http.response.body", "body": page, "more_body": True})
            await asyncio.sleep(0)
        await send({"type": "http.response.body", "body": b""})


async def _read_body(receive: Receive) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body"):
        message = await receive()
        body += message.get("body", b"")
        if len(body) > LARGEST_BODY:
            break
    if len(body) > LARGEST_BODY:
        raise InvalidRequest("lengthError", f"the body is larger than {LARGEST_BODY} bytes")
    return body


async def _reply(send: Send, answer: Answer) -> None:
    length = (b"content-length", str(len(answer.body)).encode())
    await _start(send, answer.status, answer.content_type, length, *answer.headers)
    await send({"type": "http.response.body", "body": answer.body})


async def _start(send: Send, status: int, content_type: bytes, *more: tuple[bytes, bytes]) -> None:
    headers = [(b"content-type", content_type), (b"x-date", _date()), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})


def _header(scope: Scope, name: bytes) -> bytes:
    for header, value in scope["headers"]:
        if header == name:
            return bytes(value)
    return b""


def payment_of(receipt: Receipt) -> Payment:
    assert receipt.payment is not None
    return receipt.payment


def not_known() -> Answer:
    return failure(404, "identification", "identifierError", "not known here")


def _nothing_here() -> Answer:
    # A mistyped address must not look like a rejected payment, hence neither "identification"
    # nor "validation".
    return failure(404, "internal", "genericError", "there is no such address here")


def unavailable(status: int) -> Answer:
    category = "internal" if status == 500 else "serviceUnavailable"
    return failure(status, category, "genericError", "something went wrong here; ask again later")


def failure(status: int, category: str, code: str, description: str) -> Answer:
    return Answer(status, messages.error(category, code, description, now=now()))


def _date() -> bytes:
    return messages.instant(now()).encode()


def now() -> int:
    return time.time_ns() // 1_000_000
