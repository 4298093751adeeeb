"""Batches of GSMA Mobile Money API 1.2: request bodies, and what replies about them mean.

Pure: no network here. Source: ``/batchtransactions`` and its schemas. The standard's results carry
no amount: what a completion says is that the line was paid, by which reference.
"""

from collections.abc import Iterable
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
from services.payments.providers.protocol import Order

APPROVAL = orjson.dumps([{"op": "replace", "path": "/batchStatus", "value": "approved"}])
"""The body of ``PATCH /batchtransactions/{batchId}``."""

_DEFINITE_CATEGORIES = frozenset({"businessRule", "validation", "identification"})
_DUPLICATE = "duplicateRequest"
# Codes that are about the payer or the hour, and not about what is in the batch.
_PASSING = frozenset(
    {
        "insufficientFunds",
        "serviceUnavailable",
        "underMaintenance",
        "maxConcurrentLimitReached",
        "tooManyRequests",
    }
)
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
    """The body of ``POST /batchtransactions``; ``approved``: to be paid without another word."""
    payer = [{"key": "organisationid", "value": debit_party}]
    return orjson.dumps(
        {
            "batchStatus": "approved" if approved else "created",
            "transactions": [
                {
                    "amount": amount_text(order.money),
                    "currency": order.money.currency,
                    "type": "disbursement",
                    "creditParty": [{"key": "msisdn", "value": account}],
                    "debitParty": payer,
                    OUR_REFERENCE: str(order.instruction_id),
                    "descriptionText": description,
                }
                for order, account in lines
            ],
        }
    )


def answer_to_batch(status: int, body: bytes) -> BatchAnswer:
    """What the reply to a batch, or to the approval of one, means."""
    content = read_object(body)
    match status:
        case 202 if content is not None:
            return request_state(content)
        case 200 | 201 if content is not None and "batchStatus" in content:
            return batch_object(content)
        case 204:
            return BatchAnswer(BatchAnswerKind.UNDER_WAY)
        case 400 | 404 if content is not None:
            return _error_object(content) or NO_ANSWER
        case _:
            return no_answer(status)


def answer_about_batch(status: int, body: bytes) -> BatchAnswer:
    """What the reply to a question about a batch means."""
    content = read_object(body)
    if is_not_known(status, content):
        return NOT_KNOWN
    if status != 200:
        return no_answer(status)
    return NO_ANSWER if content is None else batch_object(content)


def no_answer(status: int) -> BatchAnswer:
    """A status that tells nothing about the batch."""
    return BatchAnswer(
        BatchAnswerKind.NO_ANSWER, reason=f"http_{status}", provider_unwell=status in (429, 503)
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
    return LineResult(
        ResultKind.COMPLETIONS,
        our_reference=read_uuid(row.get(OUR_REFERENCE)),
        transaction_reference=read_reference(row.get("transactionReference")),
    )


def _rejection(row: dict[str, Any]) -> LineResult:
    reason = _rejection_code(row.get("rejectionReason"))
    return LineResult(
        ResultKind.REJECTIONS,
        our_reference=read_uuid(row.get(OUR_REFERENCE)),
        reason=reason or "rejected_without_reason",
        was_paid_before=reason == _DUPLICATE,
    )


def _rejection_code(reason: Any) -> str | None:
    """The code of a rejection, which some providers follow up with words: ``code: words``."""
    return read_code(reason.partition(":")[0].strip()) if isinstance(reason, str) else None


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
