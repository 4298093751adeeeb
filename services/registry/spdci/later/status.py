"""How what was asked stands (``txn/status``): by its transaction, references, correlation."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from services.registry.spdci.later import repository
from services.registry.spdci.later.sealing import as_agreed_now, unseal_delivery
from services.registry.spdci.later.tables import PartnerRequest, RequestStatus
from services.registry.spdci.messages.codes import ErrorCode, Status
from services.registry.spdci.messages.envelope import Json, Refused, is_id, transaction_of, written
from services.registry.spdci.messages.exchange import Answered, Question

_MAXIMUM_REFERENCES = 100
_PENDING: Mapping[RequestStatus, Status] = {
    RequestStatus.WAITING: Status.PENDING,
    RequestStatus.DROPPED: Status.REJECTED,
    # Where there is no message in it, it was rejected.
    RequestStatus.ANSWERED: Status.REJECTED,
}


def reference_of(message: Mapping[str, Any], *, types: Sequence[str]) -> str:
    """The ``reference_id`` of a message that asks for a status; raises Refused, also where what it
    asks by is at fault: whoever is answered later is told so at once."""
    given = message.get("txnstatus_request")
    asked = given if isinstance(given, dict) else {}
    reference = asked.get("reference_id")
    if not is_id(reference):
        raise Refused(400, ErrorCode.BAD, "txnstatus_request has a reference_id of its own.")
    if asked.get("txn_type") not in types:
        raise Refused(400, ErrorCode.BAD, f"txn_type is one of {', '.join(types)}.")
    _by(asked)
    return str(reference)


async def answer(question: Question, *, register: str, types: Sequence[str]) -> Answered:
    """How one request of the partner stands, with its answer where there is one; raises Refused.

    ``types`` are those of requests that may be asked about.
    """
    message = question.message
    transaction_id = transaction_of(message)
    reference_of(message, types=types)
    asked = message["txnstatus_request"]
    found = [
        (request, delivery)
        for request, delivery in await repository.find_requests(
            question.session, question.sender_id, **_by(asked), most=_MAXIMUM_REFERENCES
        )
        if request.register == register and request.action == asked["txn_type"]
    ]
    if not found:
        raise Refused(
            404,
            ErrorCode.NOT_FOUND,
            "Nothing that is answered later was asked under that name, or it is too long ago.",
        )
    request, delivery = found[0]
    agreed: Collection[UUID] = ()
    if delivery is None:
        told = _not_answered(request)
    else:
        kept = unseal_delivery(
            question.personal_data, delivery.message_sealed, bound_to=delivery.id.bytes
        )
        kept = await as_agreed_now(question.session, kept, question.sharing)
        agreed = kept.agreed
        told = (
            _not_answered(request) if kept.message is None else _as_a_search(kept.message, request)
        )
    return Answered(
        {
            "transaction_id": transaction_id,
            "correlation_id": str(question.correlation_id),
            "txnstatus_response": {"txn_type": asked["txn_type"], "txn_status": told},
        },
        total=1,
        agreed=agreed,
    )


def _by(asked: Mapping[str, Any]) -> dict[str, Any]:
    value = asked.get("attribute_value")
    match asked.get("attribute_type"):
        case "transaction_id" if is_id(value):
            return {"transaction_id": value}
        case "correlation_id" if isinstance(value, str):
            try:
                return {"correlation_id": UUID(value)}
            except ValueError:
                raise Refused(400, ErrorCode.BAD, "A correlation_id of ours is a UUID.") from None
        case "reference_id_list" if isinstance(value, list):
            if 1 <= len(value) <= _MAXIMUM_REFERENCES and all(map(is_id, value)):
                return {"reference_ids": value}
    raise Refused(
        400,
        ErrorCode.BAD,
        "attribute_type is transaction_id, reference_id_list or correlation_id, and "
        "attribute_value what it says.",
    )


def _as_a_search(answer: Json, request: PartnerRequest) -> Json:
    """An answer in the form of a search's: the schema of a status has no other."""
    if "search_response" in answer:
        return answer
    told = answer.get("subscribe_response")
    if told is None:
        told = [
            {"reference_id": code, **{name: answer[name] for name in ("timestamp", "status")}}
            for code in request.reference_ids
        ]
    return {
        "transaction_id": request.transaction_id,
        "correlation_id": str(request.id),
        # Codes of what was wrong with a subscription are none of a search.
        "search_response": [
            {name: value for name, value in each.items() if name != "status_reason_code"}
            for each in told
        ],
    }


def _not_answered(request: PartnerRequest) -> Json:
    status = _PENDING[request.status]
    at = written(request.answered_at or request.received_at)
    return {
        "transaction_id": request.transaction_id,
        "correlation_id": str(request.id),
        "search_response": [
            {"reference_id": reference, "timestamp": at, "status": status}
            for reference in request.reference_ids
        ],
    }
