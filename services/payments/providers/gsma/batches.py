"""Batches of GSMA Mobile Money API 1.2: request bodies, and what replies about them mean.

Pure: no network here. Source: ``/batchtransactions`` and its schemas. The standard's results carry
no amount: what a completion says is that the line was paid, by which reference.
"""

from collections.abc import Iterable
from functools import cache
from typing import Any

import orjson

from services.payments.providers.batches import (
    BatchAnswer,
    BatchAnswerKind,
    LineResult,
    ResultKind,
    ResultsPage,
)
from services.payments.providers.gsma.amounts import amount_text
from services.payments.providers.gsma.messages import (
    OUR_REFERENCE,
    is_not_known,
    linked_resource,
    read_code,
    read_object,
    read_reference,
    read_uuid,
)
from services.payments.providers.lines import Reply
from services.payments.providers.protocol import Order
from shared.money import Money

APPROVAL = orjson.dumps([{"op": "replace", "path": "/batchStatus", "value": "approved"}])
"""The body of ``PATCH /batchtransactions/{batchId}``."""

_DEFINITE_CATEGORIES = frozenset({"businessRule", "validation", "identification"})
_DUPLICATE = "duplicateRequest"
# Codes that are about the payer or the hour, and not about what is in the batch.
_PASSING = frozenset(
    {
        "insufficientFunds",
        "dailyVolumeLimitExceeded",
        "dailyValueLimitExceeded",
        "weeklyVolumeLimitExceeded",
        "weeklyValueLimitExceeded",
        "monthlyVolumeLimitExceeded",
        "monthlyValueLimitExceeded",
    }
)
_ASKED_FOR_LESS = ("serviceUnavailable", "rateLimitError")
# Codes of a refused approval that are about the request for it: the batch may be approved already.
_ABOUT_THE_APPROVAL = frozenset({"incorrectState", "identifierError", "formatError"})
_STATUSES = {
    "created": BatchAnswerKind.CREATED,
    "approved": BatchAnswerKind.UNDER_WAY,
    "completed": BatchAnswerKind.COMPLETED,
}
_LINKED = ("batchtransactions", "requeststates")

NO_ANSWER = BatchAnswer(BatchAnswerKind.NO_ANSWER, reason="unreadable_answer")
NOT_KNOWN = BatchAnswer(BatchAnswerKind.NOT_KNOWN, reason="not_known_to_provider")


def batch(
    lines: Iterable[tuple[Order, str]], *, debit_party: str, description: str, approved: bool
) -> bytes:
    """The body of ``POST /batchtransactions``; ``approved``: to be paid without another word.

    Written piece by piece: only the account and our id are another in each of thousands of lines.
    """
    payer = _text([{"key": "organisationid", "value": debit_party}])
    behind_account = f'}}],"debitParty":{payer},"{OUR_REFERENCE}":"'
    behind_id = f'","descriptionText":{_text(description)}}}'
    before_account = cache(_before_account)
    transactions = ",".join(
        [
            f"{before_account(order.money.amount_minor, order.money.currency)}{_text(account)}"
            f"{behind_account}{order.instruction_id}{behind_id}"
            for order, account in lines
        ]
    )
    status = "approved" if approved else "created"
    return f'{{"batchStatus":"{status}","transactions":[{transactions}]}}'.encode()


def _before_account(amount_minor: int, currency: str) -> str:
    amount = _text(amount_text(Money(amount_minor, currency)))
    return (
        f'{{"amount":{amount},"currency":{_text(currency)},"type":"disbursement",'
        '"creditParty":[{"key":"msisdn","value":'
    )


def _text(content: object) -> str:
    return orjson.dumps(content).decode()


def answer_to_batch(reply: Reply) -> BatchAnswer:
    """What the reply to a batch means."""
    content = read_object(reply.body)
    match reply.status:
        case 202 if content is not None:
            return request_state(content)
        case 200 | 201 if content is not None and "batchStatus" in content:
            return batch_object(content)
        case 400 | 404 if content is not None:
            return _error_object(content) or NO_ANSWER
        case 429 if content is not None and _asks_for_less(content):
            return BatchAnswer(
                BatchAnswerKind.NOT_TAKEN,
                reason=_ASKED_FOR_LESS[1],
                provider_unwell=True,
                rest_seconds=reply.rest_seconds,
            )
        case _:
            return no_answer(reply)


def answer_to_approval(reply: Reply) -> BatchAnswer:
    """What the reply to the approval of a batch means.

    A refusal that is about the request, as of what is approved already, says nothing of the batch,
    which is asked for.
    """
    content = read_object(reply.body)
    match reply.status:
        case 202 if content is not None:
            # The update's own request, and not the one that made the batch.
            return BatchAnswer(BatchAnswerKind.PENDING)
        case 200 if content is not None and "batchStatus" in content:
            return batch_object(content)
        case 204:
            return BatchAnswer(BatchAnswerKind.UNDER_WAY)
        case 400 if content is not None:
            refused = _error_object(content)
            if refused is not None and refused.reason in _ABOUT_THE_APPROVAL:
                return BatchAnswer(BatchAnswerKind.NO_ANSWER, reason=refused.reason)
            return refused or NO_ANSWER
        case _:
            return no_answer(reply)


def answer_about_batch(reply: Reply) -> BatchAnswer:
    """What the reply to a question about a batch means."""
    content = read_object(reply.body)
    if is_not_known(reply.status, content):
        return NOT_KNOWN
    if reply.status != 200:
        return no_answer(reply)
    return NO_ANSWER if content is None else batch_object(content)


def no_answer(reply: Reply) -> BatchAnswer:
    """A status that tells nothing about the batch."""
    return BatchAnswer(
        BatchAnswerKind.NO_ANSWER,
        reason=f"http_{reply.status}",
        provider_unwell=reply.status in (429, 503),
        rest_seconds=reply.rest_seconds,
    )


def request_state(content: dict[str, Any]) -> BatchAnswer:
    """What a requestState object means; ``completed`` alone has yet to show the batch."""
    correlation = read_uuid(content.get("serverCorrelationId"))
    match content.get("status"):
        case "pending" | "completed":
            return BatchAnswer(
                BatchAnswerKind.PENDING,
                server_correlation_id=correlation,
                provider_batch_id=read_reference(content.get("objectReference")),
            )
        case "failed":
            error = content.get("error")
            code = read_code(error.get("errorCode")) if isinstance(error, dict) else None
            if code == _DUPLICATE:
                return NO_ANSWER
            return BatchAnswer(
                BatchAnswerKind.REFUSED,
                reason=code or "failed_without_reason",
                passes=code in _PASSING,
                server_correlation_id=correlation,
            )
    return NO_ANSWER


def batch_object(content: dict[str, Any]) -> BatchAnswer:
    """What a batchTransaction object means. A status that is not in the standard says nothing."""
    status = content.get("batchStatus")
    kind = _STATUSES.get(status) if isinstance(status, str) else None
    name = read_reference(content.get("batchId"))
    if kind is None or name is None:
        return NO_ANSWER
    return BatchAnswer(kind, provider_batch_id=name)


def linked(content: dict[str, Any]) -> tuple[str, str] | None:
    """``("batchtransactions" | "requeststates", id)`` from a response object's link, or None."""
    return linked_resource(content, among=_LINKED)


def results_page(kind: ResultKind, status: int, body: bytes, *, limit: int) -> ResultsPage | None:
    """A page of completions or rejections; None: it cannot be read whole, and says nothing."""
    if status != 200:
        return None
    try:
        rows = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(rows, list) or len(rows) > limit:
        return None
    read = _completion if kind is ResultKind.COMPLETIONS else _rejection
    return ResultsPage(
        results=[read(row) for row in rows if isinstance(row, dict)],
        count=len(rows),
    )


def _completion(row: dict[str, Any]) -> LineResult:
    # By position: it is made for each of a country's payments.
    return LineResult(
        ResultKind.COMPLETIONS,
        read_uuid(row.get(OUR_REFERENCE)),
        read_reference(row.get("transactionReference")),
    )


def _rejection(row: dict[str, Any]) -> LineResult:
    """A rejected line. Its reason is a code, and perhaps words behind it, which are left out."""
    told = row.get("rejectionReason")
    reason = read_code(told.partition(":")[0].strip()) if isinstance(told, str) else None
    return LineResult(
        ResultKind.REJECTIONS,
        our_reference=read_uuid(row.get(OUR_REFERENCE)),
        # As what it came then, where it came before.
        transaction_reference=(
            read_reference(row.get("transactionReference")) if reason == _DUPLICATE else None
        ),
        reason=reason or "rejected_without_reason",
        # The line came before, and was paid then for all that anybody knows here.
        is_decided=reason != _DUPLICATE,
    )


def _asks_for_less(content: dict[str, Any]) -> bool:
    return (content.get("errorCategory"), content.get("errorCode")) == _ASKED_FOR_LESS


def _error_object(content: dict[str, Any]) -> BatchAnswer | None:
    category, code = content.get("errorCategory"), read_code(content.get("errorCode"))
    if not isinstance(category, str) or code is None or code == _DUPLICATE:
        return None
    if category not in _DEFINITE_CATEGORIES:
        return None
    return BatchAnswer(BatchAnswerKind.REFUSED, reason=code, passes=code in _PASSING)


def told_of_batch(content: dict[str, Any]) -> str | None:
    """Which batch a callback speaks of, by the provider's name for it; None: of none."""
    return read_reference(content.get("batchId")) if "batchStatus" in content else None
