"""One provider that takes batches by GSMA Mobile Money API 1.2, over HTTP."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from http import HTTPStatus
from typing import Any, TypeAlias
from urllib.parse import quote
from uuid import UUID

from services.payments.providers.answers import Answer
from services.payments.providers.batches import (
    BatchAnswer,
    BatchAnswerKind,
    BatchName,
    BatchOrder,
    ResultKind,
    ResultsPage,
)
from services.payments.providers.gsma import batches, messages
from services.payments.providers.gsma.callbacks import read_batch_callback
from services.payments.providers.gsma.client import DESCRIPTION, GsmaAdapter, date_header
from services.payments.providers.lines import Line, NoReply, NotPermitted, Reply
from services.payments.providers.protocol import (
    Capability,
    Order,
    Permit,
    Told,
    ToldOfBatch,
)
from services.payments.settings import ProviderSettings, WorkerSettings
from shared.ids import id_of

_Asking: TypeAlias = Callable[[], Awaitable[BatchAnswer]]

_BATCHES = "/batchtransactions"
_PAGE_BYTES = 16 * 1024 * 1024
"""No page of results is longer. What is, is not read."""


class GsmaBatchAdapter(GsmaAdapter):
    """Disbursements many at a time: taken, approved, and their results read by the page."""

    capabilities = frozenset({Capability.BATCH})

    def __init__(self, provider: ProviderSettings, settings: WorkerSettings) -> None:
        super().__init__(provider, settings)
        self._two_steps = provider.batch_two_steps

    async def send_batch(self, order: BatchOrder, permit: Permit) -> BatchAnswer:
        """Ask the provider to take a batch, under its own id, however often."""
        # Thousands of accounts are opened and written out: nothing else may wait for it.
        body, left_out = await asyncio.to_thread(self._body, order)
        if body is None:
            return BatchAnswer(
                BatchAnswerKind.NOT_SENT, reason="no_account_readable", left_out=left_out
            )
        try:
            async with self._lines.line() as line:
                reply = await line.post(
                    self._base_url + _BATCHES,
                    body=body,
                    headers={
                        **self._headers(order.batch_id),
                        "X-Callback-URL": self._callback_url,
                    },
                    permit=permit,
                )
        except (NoReply, NotPermitted) as silence:
            return replace(_silence(silence.answer()), left_out=left_out)
        return replace(batches.answer_to_batch(reply), left_out=left_out)

    async def approve_batch(self, name: BatchName, permit: Permit) -> BatchAnswer:
        """Ask the provider to pay a batch that it has."""
        if name.provider_batch_id is None:
            return batches.NO_ANSWER
        try:
            async with self._lines.line() as line:
                reply = await line.patch(
                    self._batch_url(name.provider_batch_id),
                    body=batches.APPROVAL,
                    # What comes of it is told by the batch's own callback.
                    headers=self._headers(approval_id(name.batch_id)),
                    permit=permit,
                )
        except (NoReply, NotPermitted) as silence:
            return _silence(silence.answer())
        return batches.answer_to_approval(reply)

    async def ask_batch(self, name: BatchName) -> BatchAnswer:
        """Ask what became of a batch: by its name, by the request that made it, by our id."""
        try:
            async with self._lines.line() as line:
                for ask in self._ways_to_ask(line, name):
                    answer = await ask()
                    if answer.kind is not BatchAnswerKind.NOT_KNOWN:
                        return answer
                return batches.NOT_KNOWN
        except (NoReply, NotPermitted) as silence:
            return _silence(silence.answer())

    async def read_results(
        self, name: BatchName, kind: ResultKind, *, offset: int, limit: int
    ) -> ResultsPage | None:
        """A page of results in the provider's order."""
        if name.provider_batch_id is None:
            return None
        url = f"{self._batch_url(name.provider_batch_id)}/{kind}?offset={offset}&limit={limit}"
        try:
            async with self._lines.line() as line:
                reply = await line.get(
                    url, headers={"X-Date": date_header()}, maximum_bytes=_PAGE_BYTES
                )
        except (NoReply, NotPermitted):
            return None
        return await asyncio.to_thread(
            batches.results_page, kind, reply.status, reply.body, limit=limit
        )

    async def ask_transaction(self, transaction_reference: str) -> Answer:
        """Ask what became of a payment, by the reference that the provider gave it."""
        try:
            async with self._lines.line() as line:
                return await self._transaction(line, transaction_reference)
        except (NoReply, NotPermitted) as silence:
            return silence.answer()

    def read_callback(self, body: bytes) -> Told | ToldOfBatch | None:
        return read_batch_callback(body)

    def _ways_to_ask(self, line: Line, name: BatchName) -> list[_Asking]:
        ways: list[_Asking] = []
        if (known := name.provider_batch_id) is not None:
            ways.append(lambda: self._batch(line, known))
        if (correlation := name.server_correlation_id) is not None:
            ways.append(lambda: self._request_of_batch(line, str(correlation)))
        ways.append(lambda: self._response_about_batch(line, name.batch_id))
        return ways

    async def _batch(self, line: Line, provider_batch_id: str) -> BatchAnswer:
        reply = await self._get(line, f"{_BATCHES}/{quote(provider_batch_id, safe='')}")
        return batches.answer_about_batch(reply)

    async def _request_of_batch(self, line: Line, server_correlation_id: str) -> BatchAnswer:
        reply = await self._get(line, f"/requeststates/{quote(server_correlation_id, safe='')}")
        content = _content(reply)
        if isinstance(content, BatchAnswer):
            return content
        answer = batches.request_state(content)
        if answer.kind is BatchAnswerKind.PENDING and answer.provider_batch_id is not None:
            return await self._batch(line, answer.provider_batch_id)
        return answer

    async def _response_about_batch(self, line: Line, batch_id: UUID) -> BatchAnswer:
        reply = await self._get(line, f"/responses/{batch_id}")
        content = _content(reply)
        if isinstance(content, BatchAnswer):
            return content
        match batches.linked(content):
            case ("batchtransactions", provider_batch_id):
                return await self._batch(line, provider_batch_id)
            case ("requeststates", server_correlation_id):
                return await self._request_of_batch(line, server_correlation_id)
            case _:
                return batches.NO_ANSWER

    def _body(self, order: BatchOrder) -> tuple[bytes | None, dict[UUID, Answer]]:
        opened: list[tuple[Order, str]] = []
        left_out: dict[UUID, Answer] = {}
        for line in order.lines:
            account = self._accounts.open(line)
            if isinstance(account, Answer):
                left_out[line.instruction_id] = account
            else:
                opened.append((line, account))
        if not opened:
            return None, left_out
        body = batches.batch(
            opened,
            debit_party=self._debit_party,
            description=DESCRIPTION,
            approved=not self._two_steps,
        )
        return body, left_out

    def _headers(self, request_id: UUID) -> dict[str, str]:
        return {
            "Content-Type": "application/json",
            "X-Date": date_header(),
            "X-CorrelationID": str(request_id),
        }

    def _batch_url(self, provider_batch_id: str) -> str:
        return f"{self._base_url}{_BATCHES}/{quote(provider_batch_id, safe='')}"


def approval_id(batch_id: UUID) -> UUID:
    """The correlation id of a batch's approval: a request of its own, the same however often."""
    return id_of("batch-approval", batch_id)


def _silence(answer: Answer) -> BatchAnswer:
    """What no reply, or no request, about a payment means for a batch: the same."""
    return BatchAnswer(
        BatchAnswerKind(answer.kind.value),
        reason=answer.reason,
        provider_unwell=answer.provider_unwell,
    )


def _content(reply: Reply) -> dict[str, Any] | BatchAnswer:
    """A reply's object, or what it means that there is none."""
    content = messages.read_object(reply.body)
    if messages.is_not_known(reply.status, content):
        return batches.NOT_KNOWN
    if reply.status != HTTPStatus.OK:
        return batches.no_answer(reply)
    return batches.NO_ANSWER if content is None else content
