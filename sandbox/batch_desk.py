"""The provider's calls about batches: taken, approved, asked about, their results by the page."""

import hashlib

import orjson

from sandbox import batch_messages, messages
from sandbox.answers import (
    Answer,
    Receive,
    Scope,
    failure,
    header,
    not_known,
    nothing_here,
    read_body,
)
from sandbox.batch_book import PAID_BEFORE, Batch, BatchBook
from sandbox.batch_validation import (
    LARGEST_BATCH_BODY,
    BatchRequest,
    Page,
    read_approval,
    read_batch,
    read_page,
)
from sandbox.book import Book, Payment
from sandbox.clerk import Clerk
from sandbox.clock import now
from sandbox.options import SandboxOptions
from sandbox.validation import InvalidRequest, check_callback_url, read_correlation_id

RETRY_AFTER_SECONDS = 1
_RESULTS = {"completions": "completed", "rejections": "failed"}


class BatchDesk:
    """Answers what is asked of batches."""

    def __init__(
        self, *, options: SandboxOptions, book: Book, batches: BatchBook, clerk: Clerk
    ) -> None:
        self._book = book
        self._batches = batches
        self._clerk = clerk
        self._temperament = options.temperament
        self._most_open = options.most_open_batches

    async def answer(
        self, scope: Scope, receive: Receive, provider: str, method: str, call: list[str]
    ) -> Answer | None:
        """What a call under `/batchtransactions` gets; None: no answer."""
        match method, call:
            case "POST", []:
                return await self._take(scope, receive, provider)
            case _, [identifier, *rest]:
                batch = self._find(provider, identifier)
                if batch is None:
                    return not_known()
                return await self._answer_about(scope, receive, batch, method, rest)
        return nothing_here()

    def request_state(self, provider: str, identifier: str) -> Answer | None:
        """What became of a request by the id that we gave it; None: it was no batch."""
        number = batch_messages.number_in_server_correlation_id(identifier)
        batch = self._of_number(provider, number)
        if batch is None or not self._knows(batch):
            return None
        return self._told(batch, Answer(200, batch_messages.request_state(batch)))

    def response(self, provider: str, correlation_id: str) -> Answer | None:
        """What became of a request by the id that the client gave it; None: it was no batch."""
        batch = self._batches.find_by_correlation_id(
            provider=provider, correlation_id=correlation_id
        )
        if batch is None or not self._knows(batch):
            return None
        return self._told(batch, Answer(200, batch_messages.link(batch)))

    def _knows(self, batch: Batch) -> bool:
        """Whether a batch of the book is spoken of."""
        return True

    def _fault(self, correlation_id: str) -> str | None:
        """The name of how a batch is treated, where it is not treated well."""
        return None

    def _told(self, batch: Batch, answer: Answer) -> Answer:
        """What is said about a batch, as it leaves."""
        return answer

    async def _answer_about(
        self, scope: Scope, receive: Receive, batch: Batch, method: str, rest: list[str]
    ) -> Answer | None:
        """What a call about a batch gets; None: no answer, or it is on the wire already."""
        match method, rest:
            case "PATCH", []:
                return await self._approve(scope, receive, batch)
            case "GET", []:
                body = batch_messages.batch_transaction(batch, self._batches.counts(batch))
                return self._told(batch, Answer(200, body))
            case "GET", [("completions" | "rejections") as kind]:
                return self._told(batch, self._results(scope, batch, kind))
        return nothing_here()

    async def _take(self, scope: Scope, receive: Receive, provider: str) -> Answer | None:
        body = await read_body(receive, largest=LARGEST_BATCH_BODY)
        request = read_batch(
            body,
            provider=provider,
            correlation_id=header(scope, b"x-correlationid").decode("latin-1") or None,
            callback_url=header(scope, b"x-callback-url").decode("latin-1") or None,
        )
        return self._receive(request, digest=hashlib.sha256(body).digest())

    def _receive(self, request: BatchRequest, *, digest: bytes) -> Answer | None:
        """Write a batch down, and answer it; None: without an answer."""
        with self._book.transaction():
            known = self._batches.find_by_correlation_id(
                provider=request.provider, correlation_id=request.correlation_id
            )
            if known is not None and not self._knows(known):
                self._batches.forget(known)
            elif known is not None:
                if known.digest != digest:
                    return _used_otherwise()
                self._batches.count_request(known)
                return self._told(known, Answer(202, batch_messages.accepted(known)))
            if self._is_used(request.provider, request.correlation_id):
                return _used_otherwise()
            if self._batches.count_open(request.provider) >= self._most_open:
                return too_many_requests()
            conduct = self._temperament.conduct(request.correlation_id)
            received_at = now()
            batch = self._batches.add(
                request,
                digest=digest,
                fault=self._fault(request.correlation_id),
                now=received_at,
                due_at=received_at + conduct.completion_delay_ms,
            )
        return self._told(batch, Answer(202, batch_messages.accepted(batch)))

    async def _approve(self, scope: Scope, receive: Receive, named: Batch) -> Answer:
        provider = named.provider
        read_approval(await read_body(receive))
        given = header(scope, b"x-correlationid").decode("latin-1") or None
        approval_id = None if given is None else read_correlation_id(given)
        check_callback_url(header(scope, b"x-callback-url").decode("latin-1") or None)
        with self._book.transaction():
            batch = self._batches.find(named.id) or named
            if approval_id is not None:
                if batch.approval_id == approval_id:
                    return Answer(204, b"")
                if self._is_used(provider, approval_id) or self._batches.find_by_correlation_id(
                    provider=provider, correlation_id=approval_id
                ):
                    return _used_otherwise()
            if batch.status != "created":
                raise InvalidRequest(
                    "incorrectState", f"the batch is {batch.status}", category="businessRule"
                )
            self._clerk.approve(batch, approval_id=approval_id, now=now())
        return Answer(204, b"")

    def _results(self, scope: Scope, batch: Batch, kind: str) -> Answer:
        page = read_page(scope["query_string"])
        status = _RESULTS[kind]
        payments = self._payments(batch, status=status, page=page)
        available = self._batches.counts(batch).get(status, 0)
        return self._page(payments, page, kind=kind, available=available)

    def _payments(self, batch: Batch, *, status: str, page: Page) -> list[Payment]:
        """A page of the lines that ended so."""
        return self._batches.results(batch, status=status, page=page)

    def _page(self, payments: list[Payment], page: Page, *, kind: str, available: int) -> Answer:
        rows = [
            batch_messages.completion(payment)
            if kind == "completions"
            else batch_messages.rejection(payment, paid_as=self._paid_as(payment))
            for payment in payments
        ]
        headers = (
            (b"x-records-available-count", str(max(0, available - page.offset)).encode()),
            (b"x-records-returned-count", str(len(rows)).encode()),
        )
        return Answer(200, orjson.dumps(rows), headers=headers)

    def _paid_as(self, payment: Payment) -> str | None:
        """How a line that was paid before was paid."""
        if payment.rejection != PAID_BEFORE or payment.requesting_reference is None:
            return None
        number = self._batches.paid_before(
            provider=payment.provider, reference=payment.requesting_reference
        )
        return None if number is None else messages.reference_of(payment.provider, number)

    def _find(self, provider: str, identifier: str) -> Batch | None:
        batch = self._of_number(provider, batch_messages.number_in_batch_id(identifier))
        if batch is None or batch_messages.batch_id(batch) != identifier:
            return None
        # What was received is no batch yet, and has no name that anybody was told.
        return batch if batch.status != "received" and self._knows(batch) else None

    def _of_number(self, provider: str, number: int | None) -> Batch | None:
        batch = None if number is None else self._batches.find(number)
        return batch if batch is not None and batch.provider == provider else None

    def _is_used(self, provider: str, correlation_id: str) -> bool:
        """Whether an id was that of another request than the making of a batch."""
        payment = self._book.find_by_correlation_id(
            provider=provider, correlation_id=correlation_id
        )
        approved = self._batches.find_by_approval_id(provider=provider, approval_id=correlation_id)
        return payment is not None or approved is not None


def too_many_requests(seconds: int = RETRY_AFTER_SECONDS) -> Answer:
    """The answer of a provider that is asked for less."""
    refused = failure(429, "serviceUnavailable", "rateLimitError", "too many requests")
    return refused._replace(headers=((b"retry-after", str(seconds).encode()),))


def _used_otherwise() -> Answer:
    return failure(
        400, "businessRule", "duplicateRequest", "this X-CorrelationID was used otherwise"
    )
