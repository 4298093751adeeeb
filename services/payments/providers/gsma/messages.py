"""Request bodies, and what the objects in replies mean.

Pure: no network here. Only a well-formed error object in the categories businessRule, validation
or identification, on a 400 or 404, is a definite rejection. A timeout, a 5xx, a 401, a 429,
duplicateRequest, or anything that cannot be read is no answer: the payment may have been made.
"""

import re
from collections.abc import Collection
from typing import Any
from urllib.parse import unquote
from uuid import UUID

import orjson
from asyncpg.pgproto.pgproto import UUID as StoredUUID

from services.payments.providers.answers import Answer, AnswerKind
from services.payments.providers.gsma.amounts import amount_text, read_money
from shared.money import Money

OUR_REFERENCE = "requestingOrganisationTransactionReference"

_DEFINITE_CATEGORIES = frozenset({"businessRule", "validation", "identification"})
_DUPLICATE = "duplicateRequest"

# transactionStatus is free text in the standard; these words are the ones in use. Any other
# says nothing certain.
_PAID_STATUSES = frozenset({"completed"})
_PENDING_STATUSES = frozenset({"pending"})
_UNPAID_STATUSES = frozenset({"rejected", "failed", "declined", "cancelled"})

# Letters only: a code that could spell an account number is not taken over.
_CODE = re.compile(r"[A-Za-z_-]{1,64}")
_RESOURCE_ID = re.compile(r"[A-Za-z0-9_.~-]{1,128}")
_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_MAXIMUM_REFERENCE_CHARACTERS = 256
_MAXIMUM_LINK_CHARACTERS = 2_048
_TOO_MANY_REQUESTS = 429
_SERVICE_UNAVAILABLE = 503

NO_ANSWER = Answer(AnswerKind.NO_ANSWER, reason="unreadable_answer")


def disbursement(
    *, instruction_id: UUID, money: Money, account: str, debit_party: str, description: str
) -> bytes:
    """The body of ``POST /transactions/type/disbursement``."""
    reference = str(instruction_id)
    return orjson.dumps(
        {
            "amount": amount_text(money),
            "currency": money.currency,
            "creditParty": [{"key": "msisdn", "value": account}],
            "debitParty": [{"key": "organisationid", "value": debit_party}],
            OUR_REFERENCE: reference,
            "descriptionText": description,
        }
    )


def read_object(body: bytes) -> dict[str, Any] | None:
    """A JSON object, or None.

    The parser refuses what is nested deeply, numbers beyond a double, and text that is no Unicode.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


def answer_to_disbursement(status: int, body: bytes) -> Answer:
    """What the reply to a sent disbursement means."""
    content = read_object(body)
    match status:
        case 201 if content is not None:
            return transaction(content)
        case 202 if content is not None:
            return request_state(content)
        case 400 | 404 if content is not None:
            return error_object(content) or NO_ANSWER
        case _:
            return no_answer(status)


def no_answer(status: int) -> Answer:
    """A status that tells nothing about the payment."""
    unwell = status in (_TOO_MANY_REQUESTS, _SERVICE_UNAVAILABLE)
    return Answer(AnswerKind.NO_ANSWER, reason=f"http_{status}", provider_unwell=unwell)


def error_object(content: dict[str, Any]) -> Answer | None:
    """A definite rejection, or None where the error says nothing definite."""
    category, code = content.get("errorCategory"), read_code(content.get("errorCode"))
    definite = isinstance(category, str) and category in _DEFINITE_CATEGORIES
    if definite and code is not None and code != _DUPLICATE:
        return Answer(AnswerKind.REJECTED, reason=code)
    return None


def request_state(content: dict[str, Any]) -> Answer:
    """What a requestState object means. ``completed`` alone has yet to show what was paid."""
    correlation = read_uuid(content.get("serverCorrelationId"))
    match content.get("status"):
        case "pending" if correlation is not None:
            return Answer(AnswerKind.PENDING, server_correlation_id=correlation)
        case "completed" if correlation is not None:
            reason = "completed_without_transaction"
            return Answer(AnswerKind.PENDING, reason=reason, server_correlation_id=correlation)
        case "failed":
            # The standard's word for the end of an asynchronous request, whatever the category.
            error = content.get("error")
            code = read_code(error.get("errorCode")) if isinstance(error, dict) else None
            if code == _DUPLICATE:
                return NO_ANSWER
            return Answer(
                AnswerKind.REJECTED,
                reason=code or "failed_without_reason",
                server_correlation_id=correlation,
            )
        case "pending" | "completed":
            return NO_ANSWER
        case status:
            return Answer(AnswerKind.NO_ANSWER, reason=f"request_{_word(status)}")


def completed_reference(content: dict[str, Any]) -> str | None:
    """The transaction's reference, where a requestState object says that it is completed."""
    if content.get("status") == "completed":
        return read_reference(content.get("objectReference"))
    return None


def transaction(content: dict[str, Any]) -> Answer:
    """What a transaction object means. A status that is not in use here is kept as a code."""
    told_reference = read_reference(content.get("transactionReference"))
    word = _word(content.get("transactionStatus"))
    if word in _PAID_STATUSES:
        money = read_money(content.get("amount"), content.get("currency"))
        return Answer(
            AnswerKind.SETTLED,
            # An amount that cannot be read differs from ours: held, and looked at.
            amount_minor=money.amount_minor if money else -1,
            currency=money.currency if money else None,
            our_reference=read_uuid(content.get(OUR_REFERENCE)),
            transaction_reference=told_reference,
        )
    if word in _UNPAID_STATUSES:
        return Answer(
            AnswerKind.REJECTED,
            reason=f"transaction_{word}",
            transaction_reference=told_reference,
        )
    return Answer(
        AnswerKind.PENDING,
        reason=None if word in _PENDING_STATUSES else f"transaction_{word}",
        transaction_reference=told_reference,
    )


def linked_resource(
    content: dict[str, Any], *, among: Collection[str] = ("transactions", "requeststates")
) -> tuple[str, str] | None:
    """Which of these resources a response object's link leads to, and its id; or None."""
    link = content.get("link")
    if not isinstance(link, str) or len(link) > _MAXIMUM_LINK_CHARACTERS:
        return None
    parts = link.split("?")[0].rstrip("/").split("/")
    if len(parts) < 2 or parts[-2] not in among:
        return None
    resource_id = unquote(parts[-1])
    return (parts[-2], resource_id) if _RESOURCE_ID.fullmatch(resource_id) else None


def is_not_known(status: int, content: dict[str, Any] | None) -> bool:
    """Whether the provider says that it knows no such request."""
    return (
        status == 404 and content is not None and content.get("errorCategory") == "identification"
    )


def read_code(value: Any) -> str | None:
    """A code, or None where it is none."""
    return value if isinstance(value, str) and _CODE.fullmatch(value) else None


def read_uuid(value: Any) -> UUID | None:
    """An identifier, or None where it is none."""
    # The driver's own UUID, as it reads them from the database: made in a quarter of the time.
    return StoredUUID(value) if isinstance(value, str) and _UUID.fullmatch(value) else None


def read_reference(value: Any) -> str | None:
    """A provider's name for a payment; None where it could be neither stored nor asked for."""
    if not isinstance(value, str) or not 0 < len(value) <= _MAXIMUM_REFERENCE_CHARACTERS:
        return None
    return value if value.isprintable() else None


def _word(status: Any) -> str:
    """A status in small letters, as far as it is a code."""
    code = read_code(status)
    return code.lower() if code else "in_no_readable_state"
