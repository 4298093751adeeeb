"""Subscribing and unsubscribing: each request of a message by itself, each with its answer."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import rfc8785

from services.registry.spdci.later.sealing import seal
from services.registry.spdci.messages import envelope
from services.registry.spdci.messages.codes import (
    ErrorCode,
    Status,
    SubscribeFault,
    UnsubscribeFault,
)
from services.registry.spdci.messages.envelope import (
    MAXIMUM_REQUESTS,
    Json,
    Refused,
    is_id,
    locale_of,
    moment,
    reference_of,
    transaction_of,
    written,
)
from services.registry.spdci.messages.exchange import Answered, Question
from services.registry.spdci.searches.criteria import Entity, Rejected, read_query
from services.registry.spdci.searches.service import REGISTRY_TYPE
from services.registry.spdci.subscriptions import repository
from shared.ids import new_id

MAXIMUM_STANDING = 200
"""Subscriptions of one partner: each is looked at for everything that happens."""

REGISTERED = "REGISTER"
NEW_MEMBER = "NewHouseHoldMember"
CHANGED = "HouseholdChanged"
"""A word of ours: the standard's schema has none, so notices of it bear no ``reg_event_type``."""
_EVENT_TYPES = {each.upper(): each for each in (REGISTERED, NEW_MEMBER, CHANGED)}
_AT_ONCE = ("", "immediately", "immediate")


class _Faulty(Exception):
    """A subscription that does not come about."""

    def __init__(self, code: SubscribeFault, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def requests_of(message: Mapping[str, Any]) -> list[Any]:
    """The subscriptions that a message asks for, unread; raises Refused."""
    return envelope.requests_of(message, "subscribe_request", "subscriptions")


def references_of(message: Mapping[str, Any]) -> list[str]:
    """The references of a message's subscriptions, as far as they have one; raises Refused."""
    return [reference for each in requests_of(message) if (reference := reference_of(each))]


def codes_of(message: Mapping[str, Any]) -> list[str]:
    """The codes that a message ends; raises Refused."""
    codes = message.get("subscription_codes")
    if (
        not isinstance(codes, list)
        or not 1 <= len(codes) <= MAXIMUM_REQUESTS
        or not all(map(is_id, codes))
    ):
        raise Refused(
            400,
            ErrorCode.BAD,
            f"subscription_codes is a list of 1 to {MAXIMUM_REQUESTS} codes, as on-subscribe "
            "told them.",
        )
    return codes


async def subscribe(question: Question) -> Answered:
    """The answer to each subscription of a message (schema ``SubscribeResponse``)."""
    message = question.message
    requests = requests_of(message)
    ids = Counter(reference_of(each) for each in requests)
    standing = await repository.count_standing(question.session, question.sender_id)
    answers = []
    for each in requests:
        at = written(datetime.now(UTC))
        answer: Json = {"reference_id": reference_of(each) or "", "timestamp": at}
        try:
            kept = await _subscribed(question, each, ids, standing)
            standing += 1
            answer |= {"status": Status.SUCCEEDED, "subscriptions": [kept | {"timestamp": at}]}
        except _Faulty as fault:
            answer |= {
                "status": Status.REJECTED,
                "status_reason_code": fault.code,
                "status_reason_message": fault.message,
            }
        answers.append(
            answer | {"locale": locale_of(each.get("locale") if isinstance(each, dict) else None)}
        )
    rejected = all(answer["status"] == Status.REJECTED for answer in answers)
    return Answered(
        {
            "transaction_id": transaction_of(message),
            "correlation_id": str(question.correlation_id),
            "subscribe_response": answers,
        },
        total=len(requests),
        status=Status.REJECTED if rejected else Status.SUCCEEDED,
    )


async def _subscribed(
    question: Question, given: Any, ids: Counter[str | None], standing: int
) -> Json:
    reference = reference_of(given)
    if reference is None:
        raise _Faulty(SubscribeFault.REFERENCE_ID, "reference_id is a text of 1 to 99 characters.")
    if ids[reference] > 1:
        raise _Faulty(
            SubscribeFault.REFERENCE_ID_TWICE,
            "Two subscriptions of the message have this reference_id.",
        )
    if moment(given.get("timestamp")) is None:
        raise _Faulty(SubscribeFault.TIMESTAMP, "timestamp is an ISO 8601 time with its zone.")
    criteria = given.get("subscribe_criteria")
    if not isinstance(criteria, Mapping):
        raise _Faulty(SubscribeFault.NOTIFY_DETAILS, "subscribe_criteria is an object.")
    event_type = _event_type(criteria.get("reg_event_type"))
    entity = _record_type(criteria.get("notify_record_type"), event_type)
    shows_persons = question.shows_persons
    if entity is Entity.MEMBER and not shows_persons:
        raise _Faulty(
            SubscribeFault.NOTIFY_DETAILS,
            "Members are told of to tokens with households:read-personal alone. Ask for Group.",
        )
    begins_at, ends_at = _period(criteria.get("frequency"))
    filter_type, filter_ = criteria.get("filter_type", "predicate"), criteria.get("filter")
    if filter_type == "graphql":
        raise _Faulty(
            SubscribeFault.NOTIFY_DETAILS,
            "graphql is not spoken here: say it as expression, predicate or idtype-value.",
        )
    try:
        read_query(filter_type, filter_, entity=entity, shows_persons=shows_persons)
        canonical = rfc8785.dumps({"filter_type": filter_type, "filter": filter_}).decode()
    except Rejected as fault:
        raise _Faulty(SubscribeFault.NOTIFY_DETAILS, f"filter: {fault.message}") from None
    except (rfc8785.CanonicalizationError, RecursionError):
        raise _Faulty(SubscribeFault.NOTIFY_DETAILS, "filter: it holds no such number.") from None
    if standing >= MAXIMUM_STANDING:
        raise _Faulty(
            SubscribeFault.NOTIFY_DETAILS,
            f"{MAXIMUM_STANDING} subscriptions stand already: unsubscribe from some.",
        )
    code = new_id()
    added = await repository.add(
        question.session,
        id=code,
        sender_id=question.sender_id,
        event_type=event_type,
        record_type=entity.value,
        filter_sealed=seal(
            question.personal_data,
            {"filter_type": filter_type, "filter": filter_},
            bound_to=code.bytes,
        ),
        filter_index=question.personal_data.index.content_index(
            [event_type, entity.value, canonical]
        ),
        callback_url=question.callback_url,
        begins_at=begins_at,
        ends_at=ends_at,
        scopes=question.scopes,
        subject=question.subject,
        client=question.client,
        request_id=question.request_id,
        subscribed_at=datetime.now(UTC),
    )
    if not added:
        raise _Faulty(
            SubscribeFault.ALREADY_SUBSCRIBED,
            "There is a subscription to just this already: unsubscribe from it first.",
        )
    return {
        "version": "1.0.0",
        "code": str(code),
        "status": "subscribe",
        "reg_type": REGISTRY_TYPE,
        "reg_event_type": event_type,
        "notify_record_type": entity.value,
    }


async def unsubscribe(question: Question) -> Answered:
    """The answer to a message that ends subscriptions (schema ``UnSubscribeResponse``)."""
    session, message = question.session, question.message
    given = codes_of(message)
    known = await repository.of_partner(session, question.sender_id, _uuids(given))
    answer: Json = {
        "transaction_id": transaction_of(message),
        "correlation_id": str(question.correlation_id),
        "timestamp": written(datetime.now(UTC)),
    }
    standing = [each.id for each in known if each.ended_at is None]
    if moment(message.get("timestamp")) is None:
        answer |= _not_ended(
            UnsubscribeFault.TIMESTAMP, "timestamp is an ISO 8601 time with its zone."
        )
    elif not known:
        answer |= _not_ended(
            UnsubscribeFault.SUBSCRIPTION_CODE, "None of the codes is of a subscription of yours."
        )
    elif not standing:
        answer |= _not_ended(
            UnsubscribeFault.ALREADY_UNSUBSCRIBED, "These subscriptions have ended already."
        )
    else:
        await repository.end(session, standing)
        answer |= {"status": Status.SUCCEEDED}
    if answer["status"] == Status.SUCCEEDED:
        answer["subscription_status"] = [
            {"code": str(each.id), "status": "unsubscribe"} for each in known
        ]
    return Answered(answer, total=1, status=answer["status"])


def _not_ended(code: UnsubscribeFault, words: str) -> Json:
    return {
        "status": Status.REJECTED,
        "status_reason_code": code,
        "status_reason_message": words,
    }


def _uuids(given: Sequence[str]) -> list[UUID]:
    read = []
    for code in given:
        try:
            read.append(UUID(code))
        except ValueError:
            continue
    return read


def _event_type(given: Any) -> str:
    plain = given.rpartition(":")[2].upper() if isinstance(given, str) else None
    if plain not in _EVENT_TYPES:
        raise _Faulty(
            SubscribeFault.NOTIFY_TYPES,
            f"reg_event_type is one of {', '.join(_EVENT_TYPES.values())}.",
        )
    return _EVENT_TYPES[plain]


def _record_type(given: Any, event_type: str) -> Entity:
    plain = given.rpartition(":")[2] if isinstance(given, str) else None
    if plain == Entity.GROUP:
        return Entity.GROUP
    if plain == Entity.MEMBER and event_type == NEW_MEMBER:
        return Entity.MEMBER
    raise _Faulty(
        SubscribeFault.NOTIFY_DETAILS,
        f"notify_record_type is Group, and for {NEW_MEMBER} also Member.",
    )


def _period(given: Any) -> tuple[datetime | None, datetime | None]:
    """From when to when it is told: whatever happens is told at once."""
    if given is None:
        return None, None
    if not isinstance(given, Mapping):
        raise _Faulty(SubscribeFault.NOTIFY_DETAILS, "frequency is an object.")
    if given.get("frequency", "") not in _AT_ONCE:
        raise _Faulty(
            SubscribeFault.NOTIFY_DETAILS,
            "Notices are sent at once, as things happen, and not by a cron expression: leave "
            'frequency out, or let its frequency be "immediately".',
        )
    begins_at, ends_at = moment(given.get("start_time")), moment(given.get("end_time"))
    if begins_at is None or ends_at is None or not begins_at < ends_at:
        raise _Faulty(
            SubscribeFault.NOTIFY_DETAILS,
            "start_time and end_time of frequency are ISO 8601 times, the one before the other.",
        )
    return begins_at, ends_at
