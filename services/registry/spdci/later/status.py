"""How what was asked stands (``txn/status``): by its transaction, references, correlation."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.households.persons import PersonalData
from services.registry.spdci.exchange import Answered
from services.registry.spdci.later import repository
from services.registry.spdci.later.tables import PartnerRequest, RequestStatus
from services.registry.spdci.later.taking import unseal
from services.registry.spdci.messages.codes import ErrorCode, Status
from services.registry.spdci.messages.envelope import Json, Refused, is_id, transaction_of, written
from shared.ids import new_id

_MAXIMUM_REFERENCES = 100
_TYPES = ("search", "subscribe", "receipt")
_PENDING: Mapping[RequestStatus, Status] = {
    RequestStatus.WAITING: Status.PENDING,
    RequestStatus.DROPPED: Status.REJECTED,
}


def reference_of(message: Mapping[str, Any]) -> str:
    """The ``reference_id`` of a message that asks for a status; raises Refused."""
    asked = message.get("txnstatus_request")
    reference = asked.get("reference_id") if isinstance(asked, dict) else None
    if not is_id(reference):
        raise Refused(400, ErrorCode.BAD, "txnstatus_request has a reference_id of its own.")
    return str(reference)


async def status_of(
    session: AsyncSession,
    personal_data: PersonalData,
    message: Mapping[str, Any],
    *,
    sender_id: str,
) -> Answered:
    """How one request of the partner stands, with its answer where there is one; raises Refused."""
    transaction_id = transaction_of(message)
    reference_of(message)
    asked = message["txnstatus_request"]
    if asked.get("txn_type") not in _TYPES:
        raise Refused(400, ErrorCode.BAD, f"txn_type is one of {', '.join(_TYPES)}.")
    found = [
        (request, delivery)
        for request, delivery in await repository.find_requests(
            session, sender_id, **_by(asked), most=_MAXIMUM_REFERENCES
        )
        if request.action == asked["txn_type"]
    ]
    if not found:
        raise Refused(
            404,
            ErrorCode.NOT_FOUND,
            "Nothing that is answered later was asked under that name, or it is too long ago.",
        )
    request, delivery = found[0]
    if delivery is None:
        told = _not_answered(request)
    else:
        kept = unseal(personal_data, delivery.message_sealed, bound_to=delivery.id.bytes)
        told = kept["message"]
    return Answered(
        {
            "transaction_id": transaction_id,
            "correlation_id": str(new_id()),
            "txnstatus_response": {"txn_type": asked["txn_type"], "txn_status": told},
        },
        total=1,
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
