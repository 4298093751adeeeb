"""A provider whose batches go wrong: see batch_faults.py and README.md.

What it remembers beside the book (first tries, maintenance, how often a page was asked for) ends
with the process.
"""

from collections import Counter

from sandbox import lies, messages, wire
from sandbox.answers import Answer, Receive, Scope, failure
from sandbox.batch_book import Batch, BatchBook
from sandbox.batch_desk import BatchDesk, too_many_requests
from sandbox.batch_faults import LOST_ONCE, BatchFault
from sandbox.batch_validation import BatchRequest, Page
from sandbox.book import Book, Payment
from sandbox.clerk import Clerk
from sandbox.clock import now
from sandbox.misbehaviour import AccountState
from sandbox.options import SandboxOptions

_NONSENSE = (
    Answer(200, lies.HTML, content_type=b"text/html; charset=utf-8"),
    Answer(200, lies.DEEP_JSON),
    Answer(201, b"[]"),
    Answer(200, b'{"batchId": ["x"], "batchStatus": {"completed": true}}'),
    Answer(202, b'{"status": 7, "serverCorrelationId": null}'),
    Answer(200, b'{"batchStatus": "under-review", "batchId": "' + b"9" * 10_000 + b'"}'),
    Answer(200, b'[null, 7, {"transactionReference": 7}, []]'),
    Answer(200, b""),
)


class FaultyBatchDesk(BatchDesk):
    """Answers as a desk does, but for the batches that meet a fault."""

    def __init__(
        self, *, options: SandboxOptions, book: Book, batches: BatchBook, clerk: Clerk
    ) -> None:
        super().__init__(options=options, book=book, batches=batches, clerk=clerk)
        self._nature = options.batch_nature
        self._first_tried: dict[str, int] = {}
        self._maintenance_until: dict[str, float] = {}
        self._approvals_lost: set[int] = set()
        self._asked: Counter[int] = Counter()

    async def answer(
        self, scope: Scope, receive: Receive, provider: str, method: str, call: list[str]
    ) -> Answer | None:
        if method != "POST" and self._is_maintained(provider):
            return self._maintenance()
        return await super().answer(scope, receive, provider, method, call)

    def request_state(self, provider: str, identifier: str) -> Answer | None:
        if self._is_maintained(provider):
            return self._maintenance()
        return super().request_state(provider, identifier)

    def response(self, provider: str, correlation_id: str) -> Answer | None:
        if self._is_maintained(provider):
            return self._maintenance()
        return super().response(provider, correlation_id)

    def _receive(self, request: BatchRequest, *, digest: bytes) -> Answer | None:
        kind = self._nature.kind(request.correlation_id)
        first = request.correlation_id not in self._first_tried
        first_tried = self._first_tried.setdefault(request.correlation_id, now())
        if self._is_maintained(request.provider):
            return self._maintenance()
        if kind is BatchFault.LOST_BEFORE and first:
            return None
        if kind is not None and (refusal := self._refusal(request, kind, first, first_tried)):
            return refusal
        answer = super()._receive(request, digest=digest)
        return None if kind in LOST_ONCE and first else answer

    def _refusal(
        self, request: BatchRequest, kind: BatchFault, first: bool, first_tried: int
    ) -> Answer | None:
        """The answer of a provider that does not take a batch, or None."""
        early = self._nature.still(first_tried, now=now())
        match kind:
            case BatchFault.MAINTENANCE if first:
                until = now() + self._nature.seconds * 1_000
                self._maintenance_until[request.provider] = until
                return self._maintenance()
            case BatchFault.TOO_MANY_REQUESTS if early:
                return too_many_requests(self._while_seconds())
            case BatchFault.NO_FUNDS if early:
                return failure(400, "businessRule", "insufficientFunds", "the float is too low")
            case BatchFault.REFUSED_FOR_A_LINE:
                for line in request.lines:
                    state = self._temperament.account(line.account).state
                    if state is not AccountState.OPEN:
                        _, category, code, words = messages.REJECTIONS[state]
                        return failure(400, category, code, f"a line of the batch: {words}")
        return None

    def _knows(self, batch: Batch) -> bool:
        early = self._nature.still(batch.received_at, now=now())
        return not (batch.fault == BatchFault.NOT_KNOWN_AT_FIRST and early)

    def _fault(self, correlation_id: str) -> BatchFault | None:
        return self._nature.kind(correlation_id)

    async def _answer_about(
        self, scope: Scope, receive: Receive, batch: Batch, method: str, rest: list[str]
    ) -> Answer | None:
        if method == "PATCH" and batch.id not in self._approvals_lost:
            if batch.fault == BatchFault.APPROVAL_LOST_BEFORE:
                self._approvals_lost.add(batch.id)
                return None
            if batch.fault == BatchFault.APPROVAL_LOST_AFTER:
                self._approvals_lost.add(batch.id)
                await super()._answer_about(scope, receive, batch, method, rest)
                return None
        answer = await super()._answer_about(scope, receive, batch, method, rest)
        if answer is None or answer.status != 200 or not self._is_spoilt(batch):
            return answer
        if batch.fault == BatchFault.HALF_READ_PAGES and rest:
            transport = scope["state"]["transport"]
            await wire.close_in_body(transport, answer.body, receive, status=answer.status)
            return None
        return answer

    def _told(self, batch: Batch, answer: Answer) -> Answer:
        if batch.fault != BatchFault.NONSENSE or not self._is_spoilt(batch):
            return answer
        self._asked[batch.id] += 1
        return _NONSENSE[self._asked[batch.id] % len(_NONSENSE)]

    def _payments(self, batch: Batch, *, status: str, page: Page) -> list[Payment]:
        if batch.fault != BatchFault.SHUFFLED_PAGES or not self._is_spoilt(batch):
            return super()._payments(batch, status=status, page=page)
        self._asked[batch.id] += 1
        return self._batches.shuffled_results(
            batch, status=status, page=page, shuffle=self._asked[batch.id]
        )

    def _is_spoilt(self, batch: Batch) -> bool:
        """Whether what is done to a batch's answers for a while still is."""
        return self._nature.still(batch.approved_at or batch.received_at, now=now())

    def _is_maintained(self, provider: str) -> bool:
        return now() < self._maintenance_until.get(provider, 0)

    def _maintenance(self) -> Answer:
        closed = failure(503, "serviceUnavailable", "genericError", "under maintenance")
        seconds = str(self._while_seconds()).encode()
        return closed._replace(headers=((b"retry-after", seconds),))

    def _while_seconds(self) -> int:
        return max(1, round(self._nature.seconds))
