"""What the provider is sent, and what it says: pure, so that it can be tried with any bytes.

A payment is an object with ``id`` (ours), ``state``, ``amount_minor``, ``currency``, ``reference``
(theirs) and, of one that is refused, ``reason``. Each function returns what is meant, or that it
cannot be read; none raises.
"""

from typing import Any
from uuid import UUID

import orjson

from services.payments.providers.answers import Answer, AnswerKind
from services.payments.providers.gsma.messages import read_code, read_object, read_uuid
from services.payments.providers.protocol import Order, Told
from shared.money import MAXIMUM_AMOUNT_MINOR

UNREADABLE = Answer(AnswerKind.NO_ANSWER, reason="unreadable_answer")
_BUSY = 429
_CLOSED = 503
_LONGEST_REFERENCE = 256


def payment(order: Order, account: str) -> bytes:
    """The body of ``POST /payments``: the same whenever it is sent again."""
    return orjson.dumps(
        {
            "id": str(order.instruction_id),
            "amount_minor": order.money.amount_minor,
            "currency": order.money.currency,
            "account": account,
        }
    )


def answer_to(status: int, body: bytes) -> Answer:
    """What a reply means. What is not certain is no answer: the payment may have been made."""
    content = read_object(body)
    match status:
        case 200 | 201 | 202 | 422 if content is not None:
            return answer_of(content)
        case 404 if content is not None and content.get("state") == "unknown":
            return Answer(AnswerKind.NOT_KNOWN, reason="not_known_to_provider")
        case _:
            return Answer(
                AnswerKind.NO_ANSWER,
                reason=f"http_{status}",
                provider_unwell=status in (_BUSY, _CLOSED),
            )


def answer_of(content: dict[str, Any]) -> Answer:
    """What a payment object says."""
    ours = read_uuid(content.get("id"))
    match content.get("state"):
        case "paid" if ours is not None:
            return Answer(
                AnswerKind.SETTLED,
                # An amount that cannot be read differs from ours: held, and looked at.
                amount_minor=_amount(content.get("amount_minor")),
                currency=_text(content.get("currency")),
                our_reference=ours,
                transaction_reference=_text(content.get("reference")),
            )
        case "taken" if ours is not None:
            return Answer(AnswerKind.PENDING)
        case "refused" if ours is not None:
            reason = read_code(content.get("reason")) or "refused_without_reason"
            if reason == "duplicate":
                # It came before, and may have been paid then.
                return Answer(AnswerKind.NO_ANSWER, reason=reason)
            return Answer(AnswerKind.REJECTED, reason=reason)
        case _:
            return UNREADABLE


def read_callback(body: bytes) -> Told | None:
    """Of which payment a callback speaks, and what it says; None: of none."""
    content = read_object(body)
    ours = read_uuid(content.get("id")) if content else None
    return Told(ours, answer_of(content)) if content and ours is not None else None


def path_of(instruction_id: UUID) -> str:
    """Where a payment is asked about, by our own id: it is known before any answer came."""
    return f"/payments/{instruction_id}"


def _amount(value: Any) -> int:
    readable = type(value) is int and 0 < value <= MAXIMUM_AMOUNT_MINOR
    return value if readable else -1


def _text(value: Any) -> str | None:
    readable = isinstance(value, str) and 0 < len(value) <= _LONGEST_REFERENCE
    return value if readable and value.isprintable() else None
