"""Reading a message and framing an answer: what is common to everything that is sent.

What comes is read leniently in what the schema leaves open, and strictly in what it does not.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from services.registry.spdci.messages.codes import ErrorCode, HeaderFault, Status
from shared.ids import new_id

VERSION = "1.0.0"
MAXIMUM_ID_CHARACTERS = 99
"""Of a transaction_id and a correlation_id, as the schema has it; of other ids as well."""
MAXIMUM_REQUESTS = 100
"""Requests in one message."""
_MAXIMUM_TEXT = 999
_MAXIMUM_AGE_SECONDS = 24 * 3600
_LEEWAY_SECONDS = 300
_LOCALE = re.compile(r"[a-z]{3}")

Json = dict[str, Any]


class Refused(Exception):
    """A message that is not taken at all: said over HTTP, or by an ``ERR``."""

    def __init__(self, status: int, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message[:_MAXIMUM_TEXT]


class HeaderRejected(Exception):
    """A message whose header is at fault: the answer's header says so, and has no message."""

    def __init__(self, code: HeaderFault, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Header:
    """What is read of a header."""

    message_id: str
    action: str
    sender_id: str
    sender_uri: str | None
    receiver_id: str | None
    total_count: int


def envelope_of(body: Any) -> tuple[Json, Json, str | None]:
    """Header, message and signature of what came; raises Refused."""
    if not isinstance(body, dict):
        raise Refused(400, ErrorCode.BAD, "A message is an object with signature, header, message.")
    header, message, signature = body.get("header"), body.get("message"), body.get("signature")
    if not isinstance(header, dict) or not isinstance(message, dict):
        raise Refused(400, ErrorCode.BAD, "A message has a header and a message, each an object.")
    if signature is not None and not isinstance(signature, str):
        raise Refused(401, ErrorCode.SIGNATURE, "signature is a text.")
    if header.get("is_msg_encrypted") or "ciphertext" in message:
        raise Refused(
            400,
            ErrorCode.ENCRYPTION,
            "Encrypted messages are not taken here: TLS protects what is sent. Send it plain, with "
            "is_msg_encrypted false.",
        )
    return header, message, signature


def sender_of(header: Mapping[str, Any]) -> str:
    """Whose message it says to be; raises Refused."""
    sender_id = header.get("sender_id")
    if not is_id(sender_id):
        raise Refused(400, ErrorCode.SENDER_ID, "sender_id is missing, or no id.")
    return str(sender_id)


def read_header(
    header: Mapping[str, Any], *, action: str, now: datetime, counted: bool = True
) -> Header:
    """A header that a message of ``action`` may have; raises Refused, HeaderRejected.

    That of an answer, or of a notice, need not be ``counted``.
    """
    version = header.get("version", VERSION)
    if version != VERSION:
        raise HeaderRejected(HeaderFault.VERSION, f"The version spoken here is {VERSION}.")
    message_id = header.get("message_id")
    if not is_id(message_id):
        raise Refused(
            400,
            ErrorCode.BAD,
            f"message_id is missing, or not a text of 1 to {MAXIMUM_ID_CHARACTERS} characters.",
        )
    sent_at = moment(header.get("message_ts"))
    if sent_at is None:
        raise HeaderRejected(
            HeaderFault.MESSAGE_TS,
            "message_ts is no ISO 8601 time with its zone, such as 2022-12-04T17:20:07+07:00.",
        )
    age_seconds = (now - sent_at).total_seconds()
    if not -_LEEWAY_SECONDS <= age_seconds <= _MAXIMUM_AGE_SECONDS:
        raise HeaderRejected(
            HeaderFault.MESSAGE_TS,
            f"message_ts is not within the last {_MAXIMUM_AGE_SECONDS} seconds by our clock.",
        )
    given = header.get("action")
    if given != action:
        raise HeaderRejected(HeaderFault.ACTION, f"The action of this address is {action}.")
    total = header.get("total_count", None if counted else 1)
    if not counted and total == 0:
        total = 1
    if isinstance(total, bool) or not isinstance(total, int) or total < 1:
        raise HeaderRejected(
            HeaderFault.TOTAL_COUNT, "total_count is the number of requests in the message."
        )
    if total > MAXIMUM_REQUESTS:
        raise HeaderRejected(
            HeaderFault.TOTAL_COUNT_LIMIT,
            f"At most {MAXIMUM_REQUESTS} requests are taken in one message.",
        )
    sender_uri, receiver_id = header.get("sender_uri"), header.get("receiver_id")
    return Header(
        message_id=str(message_id),
        action=action,
        sender_id=sender_of(header),
        sender_uri=sender_uri if isinstance(sender_uri, str) else None,
        receiver_id=receiver_id if isinstance(receiver_id, str) else None,
        total_count=total,
    )


def require_total(header: Header, *totals: int) -> None:
    """Raises HeaderRejected where the header counts other than there is, in any way of counting."""
    if header.total_count not in totals:
        raise HeaderRejected(
            HeaderFault.TOTAL_COUNT,
            f"total_count is {header.total_count}, and the message has {totals[0]} requests.",
        )


def requests_of(message: Mapping[str, Any], name: str, what: str) -> list[Any]:
    """The requests of a message, unread; raises Refused. ``what`` they are is said in words."""
    requests = message.get(name)
    if not isinstance(requests, list) or not 1 <= len(requests) <= MAXIMUM_REQUESTS:
        raise Refused(400, ErrorCode.BAD, f"{name} is a list of 1 to {MAXIMUM_REQUESTS} {what}.")
    return requests


def reference_of(request: Any) -> str | None:
    """The reference of one request, if it has one."""
    reference = request.get("reference_id") if isinstance(request, dict) else None
    return reference if is_id(reference) else None


def transaction_of(message: Mapping[str, Any]) -> str:
    """The ``transaction_id`` of a message; raises Refused."""
    transaction_id = message.get("transaction_id")
    if not is_id(transaction_id):
        raise Refused(
            400,
            ErrorCode.BAD,
            f"transaction_id is missing, or not a text of 1 to {MAXIMUM_ID_CHARACTERS} characters.",
        )
    return str(transaction_id)


def answer_header(
    *,
    action: str,
    status: Status,
    sender_id: str,
    receiver_id: str,
    now: datetime,
    fault: HeaderFault | None = None,
    words: str | None = None,
    total: int = 0,
    completed: int = 0,
    message_id: str | None = None,
) -> Json:
    """The header of an answer (schema ``MsgCallbackHeader``)."""
    header: Json = {
        "version": VERSION,
        "message_id": message_id or str(new_id()),
        "message_ts": written(now),
        "action": action,
        "status": status.value,
        "total_count": total,
        "completed_count": completed,
        "sender_id": sender_id,
        "receiver_id": receiver_id,
        "is_msg_encrypted": False,
    }
    if fault is not None:
        header["status_reason_code"] = fault.value
    if words is not None:
        header["status_reason_message"] = words[:_MAXIMUM_TEXT]
    return header


def written(moment_: datetime) -> str:
    """A moment as the standard writes it."""
    return moment_.astimezone(UTC).isoformat(timespec="milliseconds")


def moment(given: Any) -> datetime | None:
    """A moment that was given with its zone; None where it is none."""
    if not isinstance(given, str) or len(given) > 40:
        return None
    try:
        read = datetime.fromisoformat(given)
        return read.astimezone(UTC) if read.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def locale_of(given: Any) -> str:
    """The language of an answer (ISO 639-3): Khmer where it is asked for, else English."""
    return (
        "khm" if isinstance(given, str) and _LOCALE.fullmatch(given) and given == "khm" else "eng"
    )


def is_id(given: Any) -> bool:
    """Whether it can be an id of the sender's."""
    return (
        isinstance(given, str) and 0 < len(given) <= MAXIMUM_ID_CHARACTERS and given.isprintable()
    )
