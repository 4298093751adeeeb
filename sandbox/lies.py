"""What a hostile provider says of a payment. Pure: the book is not touched by any of it."""

import uuid
from dataclasses import replace
from typing import Any

import orjson

from sandbox import messages
from sandbox.book import Payment
from sandbox.hostility import SAID_OF_THE_TRANSACTION, Hostility, Nature
from sandbox.misbehaviour import AccountState

HTML = b"<!DOCTYPE html><html><body><h1>Welcome</h1><p>Please log in.</p></body></html>"
DEEP_JSON = b'{"transactionStatus": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"

OUR_REFERENCE = "requestingOrganisationTransactionReference"
_NUMBER_TO_COME = "number-to-come"
_LONGEST_REFERENCE = 100_000

_CHANGES: dict[Hostility, dict[str, object]] = {
    Hostility.AMOUNT_WITH_EXPONENT: {"amount": "1e9999999"},
    Hostility.AMOUNT_WITH_LARGE_EXPONENT: {"amount": "1E+999999"},
    Hostility.AMOUNT_OF_FORTY_DIGITS: {"amount": "9" * 40},
    Hostility.REFERENCE_WITH_NUL: {"transactionReference": "mekong\x00-1"},
    Hostility.REFERENCE_WITH_SURROGATE: {"transactionReference": _NUMBER_TO_COME},
    Hostility.REFERENCE_OF_100_KB: {"transactionReference": "9" * _LONGEST_REFERENCE},
    Hostility.UNKNOWN_STATUS: {"transactionStatus": "under-review"},
}


def told(payment: Payment, kind: Hostility | None, nature: Nature, *, now: int) -> Payment:
    """The payment as whoever asks at this instant is told of it."""
    early = nature.still(payment.received_at, now=now)
    match kind:
        case Hostility.FORGETS_PENDING | Hostility.PENDING_FOR_EVER:
            return pending(payment)
        case Hostility.CALLBACK_VERY_LATE if early:
            return pending(payment)
        case Hostility.LATE_SUCCESS_BY_CALLBACK | Hostility.LATE_SUCCESS_BY_INQUIRY if early:
            return rejected(payment)
        case Hostility.COMPLETED_THEN_REJECTED:
            return completed(payment) if early else rejected(payment)
        case Hostility.LATE_SUCCESS_BY_RESPONSE:
            return completed(payment)
    return completed(payment) if kind in SAID_OF_THE_TRANSACTION else payment


def pending(payment: Payment) -> Payment:
    """The payment, as if nothing had been decided."""
    return replace(payment, status="pending", finished_at=None)


def completed(payment: Payment) -> Payment:
    """The payment, as if it had been made."""
    return replace(payment, status="completed", rejection=None)


def rejected(payment: Payment) -> Payment:
    """The payment, as if its account were closed."""
    return replace(payment, status="failed", rejection=AccountState.CLOSED.value)


def transaction(payment: Payment, kind: Hostility | None, *, another_id: str) -> bytes:
    """A transaction object as this kind tells it; ``another_id`` is another payment's."""
    content: dict[str, Any] = orjson.loads(messages.transaction(payment))
    match kind:
        case Hostility.COMPLETED_WITHOUT_REFERENCE:
            content.pop(OUR_REFERENCE, None)
        case Hostility.COMPLETED_WITH_OTHER_REFERENCE:
            content[OUR_REFERENCE] = another_id
        case Hostility.AMOUNT_AS_NUMBER:
            content["amount"] = float(payment.amount)
        case Hostility.AMOUNT_AS_ARRAY:
            content["amount"] = [payment.amount, payment.amount]
        case _:
            content.update(_CHANGES.get(kind, {}) if kind else {})
    # Half of a surrogate pair is no text, so that no encoder writes it.
    return orjson.dumps(content).replace(_NUMBER_TO_COME.encode(), rb"\ud800")


def made_up_id(correlation_id: str) -> str:
    """An id that no client gave, the same for the same payment."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, correlation_id))
