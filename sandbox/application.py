"""The provider's calls over HTTP: who may ask, what they asked, what they get."""

import asyncio
import hmac
import sqlite3
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import orjson

from sandbox import accounts, messages
from sandbox.answers import (
    Answer,
    Receive,
    Scope,
    Send,
    busy,
    failure,
    header,
    not_known,
    nothing_here,
    read_body,
    unavailable,
)
from sandbox.batch_desk import BatchDesk
from sandbox.book import Book, Payment
from sandbox.camt import as_camt
from sandbox.clock import now
from sandbox.courier import Courier
from sandbox.inspection import book_as_csv, summary
from sandbox.misbehaviour import WITHOUT_REPLY, Misbehaviour
from sandbox.options import SandboxOptions
from sandbox.statements import ZONE, as_csv, read_account
from sandbox.teller import Receipt, Reception, Teller
from sandbox.traffic import Traffic
from sandbox.treasury import Recorded, Treasury
from sandbox.validation import Disbursement, InvalidRequest, read_disbursement

NO_CONTENT = 204
HEARTBEAT = orjson.dumps({"serviceStatus": "available"})


class Stream(NamedTuple):
    """A body that is made as it is sent."""

    content_type: bytes
    pages: Iterator[bytes]


class Application:
    """A bare ASGI application: a framework's work for each request would slow its client too."""

    def __init__(
        self,
        *,
        options: SandboxOptions,
        book: Book,
        teller: Teller,
        courier: Courier,
        desk: BatchDesk,
        treasury: Treasury,
    ) -> None:
        self._storage: Path = options.storage
        self._synchronous = options.synchronous
        self._temperament = options.temperament
        self._account_lies = options.account_lies
        self._keys = {provider.code: provider.api_key.encode() for provider in options.providers}
        self._traffic = Traffic(
            answer_delay_ms=options.answer_delay_ms,
            rest_after=options.rest_after,
            rest_seconds=options.rest_seconds,
        )
        self._book = book
        self._teller = teller
        self._courier = courier
        self._desk = desk
        self._treasury = treasury

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        answer: Answer | Stream | None
        try:
            answer = self._stream(scope, path.split("/")[1:])
            if answer is None:
                answer = await self._answer(scope, receive, path.split("/")[1:])
        except InvalidRequest as fault:
            answer = Answer(400, messages.invalid(fault, now=now()))
        except sqlite3.Error as error:
            answer = failure(503, "serviceUnavailable", "genericError", f"storage: {error}")
        if isinstance(answer, Stream):
            # What breaks off in the middle breaks the connection: there is no other answer then.
            await _send_stream(send, answer)
            return
        if answer is None:
            # Without an answer there is nothing to send: the client sees its connection closed.
            scope["state"]["transport"].abort()
            await receive()
            return
        await _reply(send, answer)

    def _stream(self, scope: Scope, path: list[str]) -> Stream | None:
        """What is asked for, where it is too long for one body."""
        match path if scope["method"] == "GET" else []:
            case ["book"]:
                return Stream(
                    b"text/csv; charset=utf-8; header=present", book_as_csv(self._storage)
                )
            case ["traffic"]:
                return Stream(b"text/csv; charset=utf-8; header=present", self._traffic.as_csv())
            case [provider, "statements", name] if self._admits(scope, provider):
                account = read_account(provider, name, scope["query_string"])
                if name.endswith(".csv"):
                    pages = as_csv(self._storage, account)
                    return Stream(b"text/csv; charset=utf-8; header=present", pages)
                pages = as_camt(
                    self._storage, account, now=datetime.fromtimestamp(now() / 1_000, ZONE)
                )
                return Stream(b"application/xml", pages)
        return None

    def _admits(self, scope: Scope, provider: str) -> bool:
        """Whether a call of a provider's client has its key."""
        key = self._keys.get(provider)
        return key is not None and hmac.compare_digest(header(scope, b"x-api-key"), key)

    async def _answer(self, scope: Scope, receive: Receive, path: list[str]) -> Answer | None:
        match scope["method"], path:
            case "GET", ["book", "summary"]:
                return Answer(200, orjson.dumps(await asyncio.to_thread(summary, self._storage)))
            case "POST", ["book", "floats"]:
                body = await read_body(receive)
                providers = frozenset(self._keys)
                return _recorded(self._treasury.record_float(body, providers=providers, now=now()))
            case "POST", ["book", "charges"]:
                body = await read_body(receive)
                providers = frozenset(self._keys)
                return _recorded(self._treasury.record_charge(body, providers=providers, now=now()))
            case "POST", ["book", "returns"]:
                body = await read_body(receive)
                return _recorded(self._treasury.record_return(body, now=now()))
            case method, [provider, ("v1.2" | "statements") as part, *call] if (
                provider in self._keys
            ):
                if not self._admits(scope, provider):
                    return failure(
                        401, "authorisation", "clientAuthorisationError", "X-API-Key is not right"
                    )
                if part == "statements":
                    return nothing_here()
                async with self._traffic.call(provider) as rest_seconds:
                    if rest_seconds is not None:
                        return busy(rest_seconds)
                    return await self._answer_client(scope, receive, provider, method, call)
        return nothing_here()

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
                if payment := self._find(provider, number):
                    return Answer(200, messages.request_state(payment))
                return self._desk.request_state(provider, identifier) or not_known()
            case "GET", ["responses", correlation_id]:
                payment = self._book.find_by_correlation_id(
                    provider=provider, correlation_id=correlation_id.lower()
                )
                if payment is not None:
                    return Answer(200, messages.link(payment))
                return self._desk.response(provider, correlation_id.lower()) or not_known()
            case "GET", ["transactions", reference]:
                payment = self._find(provider, messages.number_in_reference(reference))
                if payment is None or payment.booked_at is None:
                    return not_known()
                return Answer(200, messages.transaction(payment))
            case _, ["batchtransactions", *rest]:
                return await self._desk.answer(scope, receive, provider, method, rest)
            case "GET", ["accounts", kind, identifier, ("status" | "accountname") as asked_for]:
                truth = accounts.about(
                    self._temperament,
                    identifier_type=kind,
                    identifier=identifier,
                    asked_for=asked_for,
                )
                return await self._account_lies.told(
                    scope, receive, truth, account=identifier, asked_for=asked_for
                )
            case "GET", ["heartbeat"]:
                return Answer(200, HEARTBEAT)
        return nothing_here()

    def _find(self, provider: str, number: int | None) -> Payment | None:
        payment = None if number is None else self._book.find(number)
        return payment if payment is not None and payment.provider == provider else None

    async def _disburse(self, scope: Scope, receive: Receive, provider: str) -> Answer | None:
        disbursement = read_disbursement(
            await read_body(receive),
            provider=provider,
            correlation_id=header(scope, b"x-correlationid").decode("latin-1") or None,
            callback_url=header(scope, b"x-callback-url").decode("latin-1") or None,
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


async def _send_stream(send: Send, stream: Stream) -> None:
    page = await asyncio.to_thread(next, stream.pages, None)
    await _start(send, 200, stream.content_type)
    while page is not None:
        await send({"type": "http.response.body", "body": page, "more_body": True})
        page = await asyncio.to_thread(next, stream.pages, None)
    await send({"type": "http.response.body", "body": b""})


def _recorded(recorded: Recorded) -> Answer:
    return Answer(201 if recorded.is_new else 200, orjson.dumps(recorded.content))


async def _reply(send: Send, answer: Answer) -> None:
    headers = list(answer.headers)
    if answer.status != NO_CONTENT:
        headers.append((b"content-length", str(len(answer.body)).encode()))
    await _start(send, answer.status, answer.content_type, *headers)
    await send({"type": "http.response.body", "body": answer.body})


async def _start(send: Send, status: int, content_type: bytes, *more: tuple[bytes, bytes]) -> None:
    headers = [(b"content-type", content_type), (b"x-date", _date()), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})


def payment_of(receipt: Receipt) -> Payment:
    assert receipt.payment is not None
    return receipt.payment


def _date() -> bytes:
    return messages.instant(now()).encode()
