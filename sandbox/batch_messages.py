"""The bodies about batches that the provider sends, as GSMA Mobile Money API 1.2 describes them."""

from collections.abc import Mapping

import orjson

from sandbox import messages
from sandbox.batch_book import Batch
from sandbox.batch_validation import OUR_REFERENCE
from sandbox.book import Payment
from sandbox.misbehaviour import AccountState

SERVER_CORRELATION_PREFIX = "53616e67-6b72-8f68-8001-"
UPDATED = orjson.dumps({"result": "success"})
LONGEST_REASON = 256

_MARK = "-batch-"
_DIGITS = 8


def batch_id(batch: Batch) -> str:
    return f"{batch.provider}{_MARK}{batch.id:0{_DIGITS}d}"


def number_in_batch_id(identifier: str) -> int | None:
    """The batch's number in a batch id, or None if we never gave such a one."""
    _, mark, digits = identifier.rpartition(_MARK)
    right = mark and digits.isascii() and digits.isdecimal() and len(digits) == _DIGITS
    return int(digits) if right else None


def server_correlation_id(batch: Batch) -> str:
    return f"{SERVER_CORRELATION_PREFIX}{batch.id:012x}"


def number_in_server_correlation_id(identifier: str) -> int | None:
    """The batch's number in a server correlation id, or None if we never gave such a one."""
    if not identifier.lower().startswith(SERVER_CORRELATION_PREFIX):
        return None
    try:
        return int(identifier[len(SERVER_CORRELATION_PREFIX) :], 16)
    except ValueError:
        return None


def accepted(batch: Batch) -> bytes:
    """The requestStateObject of the 202: always pending, so that a repeat gets the same bytes."""
    return orjson.dumps(_state(batch, "pending"))


def request_state(batch: Batch) -> bytes:
    """A requestStateObject as the request stands now: completed once there is a batch."""
    if batch.status == "received":
        return orjson.dumps(_state(batch, "pending"))
    return orjson.dumps({**_state(batch, "completed"), "objectReference": batch_id(batch)})


def link(batch: Batch) -> bytes:
    """Where the result of a request is: the batch once there is one, else the request's state."""
    if batch.status == "received":
        return orjson.dumps({"link": f"/requeststates/{server_correlation_id(batch)}"})
    return orjson.dumps({"link": f"/batchtransactions/{batch_id(batch)}"})


def batch_transaction(batch: Batch, counts: Mapping[str, int]) -> bytes:
    """A batchTransaction object; ``counts`` are of its lines by their status in the book.

    The standard wants both dates always. Before it is approved, or completed, each is the date of
    the step before.
    """
    approved_at = batch.approved_at or batch.received_at
    changed_at = batch.completed_at or approved_at
    body = {
        "batchId": batch_id(batch),
        "batchStatus": batch.status,
        "approvalDate": messages.instant(approved_at),
        "completionDate": messages.instant(changed_at),
        "processingFlag": batch.status == "approved",
        "completedCount": counts.get("completed", 0),
        "rejectionCount": counts.get("failed", 0),
        "parsingSuccessCount": batch.line_count,
        "creationDate": messages.instant(batch.received_at),
        "modificationDate": messages.instant(changed_at),
    }
    if batch.title is not None:
        body["batchTitle"] = batch.title
    return orjson.dumps(body)


def completion(payment: Payment) -> dict[str, object]:
    """A batchTransactionCompletion object, which tells no amount."""
    reference = messages.transaction_reference(payment)
    return {
        "transactionReference": reference,
        **_common(payment),
        "completionDate": messages.instant(payment.finished_at or payment.received_at),
        "link": f"/transactions/{reference}",
    }


def rejection(payment: Payment, *, paid_as: str | None) -> dict[str, object]:
    """A batchTransactionRejection object; ``paid_as`` is how the line was paid before, if it was.

    Its reason is a code, and words behind it.
    """
    body: dict[str, object] = {
        **_common(payment),
        "rejectionReason": reason(payment)[:LONGEST_REASON],
        "rejectionDate": messages.instant(payment.finished_at or payment.received_at),
    }
    if paid_as is not None:
        body["transactionReference"] = paid_as
    return body


def reason(payment: Payment) -> str:
    """Why a line was rejected, as ``code: words``."""
    rejected = payment.rejection or ""
    if rejected in set(AccountState):
        _, _, code, words = messages.REJECTIONS[AccountState(rejected)]
        return f"{code}: {words}"
    return rejected


def _state(batch: Batch, status: str) -> dict[str, object]:
    return {
        "serverCorrelationId": server_correlation_id(batch),
        "status": status,
        "notificationMethod": "polling" if batch.callback_url is None else "callback",
    }


def _common(payment: Payment) -> dict[str, object]:
    body: dict[str, object] = {
        "creditParty": orjson.Fragment(payment.credit_party),
        "debitParty": orjson.Fragment(payment.debit_party),
    }
    if payment.requesting_reference is not None:
        body[OUR_REFERENCE] = payment.requesting_reference
    return body
