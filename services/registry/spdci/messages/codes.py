"""The standard's words: what a message is about, how it stands, and what is wrong with it."""

from enum import StrEnum


class Status(StrEnum):
    """How a request stands."""

    RECEIVED = "rcvd"
    PENDING = "pdng"
    SUCCEEDED = "succ"
    REJECTED = "rjct"


class Ack(StrEnum):
    """What is said at once of a request that is answered later."""

    TAKEN = "ACK"
    NOTHING_FOLLOWS = "NACK"
    FAULTY = "ERR"


class ErrorCode(StrEnum):
    """What is wrong with a message as a whole (schema ``Error``)."""

    BAD = "err.request.bad"
    UNAUTHORIZED = "err.request.unauthorized"
    FORBIDDEN = "err.request.forbidden"
    NOT_FOUND = "err.request.not_found"
    TIMEOUT = "err.request.timeout"
    VERSION = "err.version.not_supported"
    TOO_MANY = "err.request.too_many_requests"
    SENDER_ID = "err.sender_id.invalid"
    SENDER_URI = "err.sender_uri.invalid"
    RECEIVER_ID = "err.receiver_id.invalid"
    SIGNATURE_MISSING = "err.signature.missing"
    SIGNATURE = "err.signature.invalid"
    ENCRYPTION = "err.encryption.invalid"
    UNAVAILABLE = "err.service.unavailable"


class HeaderFault(StrEnum):
    """What is wrong with a header (schema ``MsgHeaderStatusReasonCode``)."""

    VERSION = "rjct.version.invalid"
    MESSAGE_ID = "rjct.message_id.duplicate"
    MESSAGE_TS = "rjct.message_ts.invalid"
    ACTION = "rjct.action.invalid"
    ACTION_NOT_SUPPORTED = "rjct.action.not_supported"
    TOTAL_COUNT = "rjct.total_count.invalid"
    TOTAL_COUNT_LIMIT = "rjct.total_count.limit_exceeded"
    TOO_MANY_ERRORS = "rjct.errors.too_many"


class SearchFault(StrEnum):
    """What is wrong with one search (schema ``SearchStatusReasonCode``)."""

    REFERENCE_ID = "rjct.reference_id.invalid"
    REFERENCE_ID_TWICE = "rjct.reference_id.duplicate"
    TIMESTAMP = "rjct.timestamp.invalid"
    CRITERIA = "rjct.search_criteria.invalid"
    FILTER = "rjct.filter.invalid"
    SORT = "rjct.sort.invalid"
    PAGINATION = "rjct.pagination.invalid"
    TOO_MANY_FOUND = "rjct.search.too_many_records_found"


class SubscribeFault(StrEnum):
    """What is wrong with one subscription (schema ``SubscribeStatusReasonCode``)."""

    REFERENCE_ID = "rjct.reference_id.invalid"
    REFERENCE_ID_TWICE = "rjct.reference_id.duplicate"
    TIMESTAMP = "rjct.timestamp.invalid"
    NOTIFY_TYPES = "rjct.notify_types.invalid"
    NOTIFY_DETAILS = "rjct.notify_details.invalid"
    PERSON_ID = "rjct.person_id.invalid"
    ALREADY_SUBSCRIBED = "rjct.event.already_subscribed"


class UnsubscribeFault(StrEnum):
    """What is wrong with the end of a subscription (schema ``UnSubscribeStatusReasonCode``)."""

    REFERENCE_ID = "rjct.reference_id.invalid"
    REFERENCE_ID_TWICE = "rjct.reference_id.duplicate"
    TIMESTAMP = "rjct.timestamp.invalid"
    SUBSCRIPTION_CODE = "rjct.subscription_code.invalid"
    REQUESTER = "rjct.requester.invalid"
    ALREADY_UNSUBSCRIBED = "rjct.event.already_unsubscribed"
