"""The bodies that the provider sends, as GSMA Mobile Money API 1.2 describes them."""

from datetime import UTC, datetime

import orjson

from sandbox.book import Payment
from sandbox.misbehaviour import AccountState
from sandbox.validation import InvalidRequest

# A payment's number in the book is all that an address needs, so references carry it and nothing
# has to be looked up by text. Version 8 is the UUID that applications fill as they like (RFC 9562).
SERVER_CORRELATION_PREFIX = "53616e67-6b72-8f68-8000-"

REJECTIONS = {
    AccountState.UNKNOWN: (404, "identification", "identifierError", "no such account"),
    AccountState.CLOSED: (400, "businessRule", "incorrectState", "the account is closed"),
}


def instant(milliseconds: int) -> str:
    """Milliseconds since 1970 as an RFC 3339 date-time in UTC."""
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def transaction_reference(payment: Payment) -> str:
    return reference_of(payment.provider, payment.id)


def reference_of(provider: str, number: int) -> str:
    """The transaction reference of a payment by its number in the book."""
    return f"{provider}-{number:010d}"


def server_correlation_id(payment: Payment) -> str:
    return f"{SERVER_CORRELATION_PREFIX}{payment.id:012x}"


def number_in_reference(reference: str) -> int | None:
    """The payment's number in a transaction reference, or None if we never gave such a one."""
    digits = reference.rpartition("-")[2]
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) == 10 else None


def number_in_server_correlation_id(identifier: str) -> int | None:
    """The payment's number in a server correlation id, or None if we never gave such a one."""
    if not identifier.lower().startswith(SERVER_CORRELATION_PREFIX):
        return None
    try:
        return int(identifier[len(SERVER_CORRELATION_PREFIX) :], 16)
    except ValueError:
        return None


def request_state(payment: Payment) -> bytes:
    """A requestStateObject with the disbursement's status as it is now."""
    state: dict[str, object] = {
        "serverCorrelationId": server_correlation_id(payment),
        "status": payment.status,
        "notificationMethod": "polling" if payment.callback_url is None else "callback",
    }
    if payment.status == "completed":
        state["objectReference"] = transaction_reference(payment)
    elif payment.status == "failed":
        state["error"] = _rejection(payment)
    return orjson.dumps(state)


def accepted(payment: Payment) -> bytes:
    """The requestStateObject of the 202: always pending, so that a repeat gets the same bytes."""
    state = {
        "serverCorrelationId": server_correlation_id(payment),
        "status": "pending",
        "notificationMethod": "polling" if payment.callback_url is None else "callback",
    }
    return orjson.dumps(state)


def transaction(payment: Payment) -> bytes:
    """A transaction object."""
    body: dict[str, object] = {
        "transactionReference": transaction_reference(payment),
        "transactionStatus": payment.status,
        "type": "disbursement",
        "amount": payment.amount,
        "currency": payment.currency,
        "creditParty": orjson.Fragment(payment.credit_party),
        "debitParty": orjson.Fragment(payment.debit_party),
        "creationDate": instant(payment.received_at),
        "modificationDate": instant(payment.finished_at or payment.received_at),
    }
    if payment.requesting_reference is not None:
        body["requestingOrganisationTransactionReference"] = payment.requesting_reference
    if payment.description is not None:
        body["descriptionText"] = payment.description
    return orjson.dumps(body)


def rejection(payment: Payment) -> bytes:
    """The error object for a disbursement to an account that cannot be paid."""
    return orjson.dumps(_rejection(payment))


def rejection_status(payment: Payment) -> int:
    """404 for an account that is not known, 400 for one that is closed."""
    return _why(payment)[0]


def outcome(payment: Payment) -> bytes:
    """The body of a callback: a transaction object, or an error object for a rejection."""
    return transaction(payment) if payment.rejection is None else rejection(payment)


def link(payment: Payment) -> bytes:
    """Where the result of a request is: its transaction once there is one, else its state."""
    if payment.status == "completed":
        return orjson.dumps({"link": f"/transactions/{transaction_reference(payment)}"})
    return orjson.dumps({"link": f"/requeststates/{server_correlation_id(payment)}"})


def error(category: str, code: str, description: str, *, now: int) -> bytes:
    """An error object."""
    return orjson.dumps(_error(category, code, description, at=now))


def invalid(fault: InvalidRequest, *, now: int) -> bytes:
    """The error object for a request refused for what it says."""
    return error(fault.category, fault.code, fault.description, now=now)


def _rejection(payment: Payment) -> dict[str, object]:
    _, category, code, description = _why(payment)
    body = _error(category, code, description, at=payment.finished_at or payment.received_at)
    if payment.requesting_reference:
        body["errorParameters"] = [
            {
                "key": "requestingOrganisationTransactionReference",
                "value": payment.requesting_reference,
            }
        ]
    return body


def _why(payment: Payment) -> tuple[int, str, str, str]:
    if payment.rejection is None:
        raise ValueError(f"{transaction_reference(payment)} was not rejected")
    return REJECTIONS[AccountState(payment.rejection)]


def _error(category: str, code: str, description: str, *, at: int) -> dict[str, object]:
    return {
        "errorCategory": category,
        "errorCode": code,
        "errorDescription": description,
        "errorDateTime": instant(at),
    }
