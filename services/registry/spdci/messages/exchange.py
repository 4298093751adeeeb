"""How a message is received and answered: what every operation of the standard has in common.

What is refused before a message is read, or because it is nobody's, is an HTTP error (schema
``HttpErrorResponse``). What is wrong with a header is said in the header of the answer, and what is
wrong with one request of a message in the answer to that request.
"""

import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from http import HTTPStatus
from typing import Any
from uuid import UUID

import orjson
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import Request
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.households.persons import PersonalData
from services.registry.partners import signing
from services.registry.partners.tables import Partner
from services.registry.scopes import READ_PERSONAL
from services.registry.settings import ApiSettings
from services.registry.sharing.service import sharing_with
from services.registry.sharing.statements import Sharing
from services.registry.spdci.messages import senders
from services.registry.spdci.messages.codes import Ack, ErrorCode, Status
from services.registry.spdci.messages.envelope import (
    Header,
    HeaderRejected,
    Json,
    Refused,
    answer_header,
    envelope_of,
    read_header,
    sender_of,
    written,
)
from shared.admission import Admission
from shared.audit import recorded, showed
from shared.auth import Caller
from shared.errors import Problem, told
from shared.ids import new_id
from shared.json_bodies import read_unambiguous

log = structlog.get_logger()

MEDIA_TYPE = "application/json"

_CODES: Mapping[int, ErrorCode] = {
    401: ErrorCode.UNAUTHORIZED,
    403: ErrorCode.FORBIDDEN,
    404: ErrorCode.NOT_FOUND,
    408: ErrorCode.TIMEOUT,
    429: ErrorCode.TOO_MANY,
    500: ErrorCode.UNAVAILABLE,
    503: ErrorCode.UNAVAILABLE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A message that is answered, at once or later: for whom, and by what their token allows."""

    message: Json
    correlation_id: UUID
    sender_id: str
    scopes: Collection[str]
    subject: str
    client: str | None
    request_id: UUID
    callback_url: str | None
    """Where the partner is answered, if an address was agreed on."""
    sharing: Sharing
    """For what persons are shown to the partner, as its agreement is now."""
    session: AsyncSession
    personal_data: PersonalData
    now: datetime
    today: date
    """By the domain's clock: the day whose counts of members are told."""

    @property
    def shows_persons(self) -> bool:
        return READ_PERSONAL in self.scopes


@dataclass(frozen=True, slots=True)
class Taken:
    """A message that is a known partner's, and whole."""

    header: Header
    message: Json
    partner: Partner
    caller: Caller
    request_id: UUID
    settings: ApiSettings
    session: AsyncSession
    personal_data: PersonalData
    now: datetime
    today: date

    @property
    def question(self) -> Question:
        """What is to be answered at once."""
        return Question(
            message=self.message,
            correlation_id=new_id(),
            sender_id=self.partner.sender_id,
            scopes=self.caller.scopes,
            subject=self.caller.subject,
            client=self.caller.client,
            request_id=self.request_id,
            callback_url=self.partner.callback_url,
            sharing=sharing_with(self.partner.purpose, self.settings),
            session=self.session,
            personal_data=self.personal_data,
            now=self.now,
            today=self.today,
        )


@dataclass(frozen=True, slots=True)
class Answered:
    """What is said to a message: its status, how many requests it had, and the message."""

    message: Json | None
    """None: it is said in the header alone why there is no answer."""
    total: int
    status: Status = Status.SUCCEEDED
    words: str | None = None
    """Why it is rejected."""
    agreed: Collection[UUID] = ()
    """Households of which more is told than of any, as they agree to it."""


Work = Callable[[Taken], Awaitable[Answered]]


async def exchange(
    request: Request,
    *,
    scope: str,
    action: str,
    answer_action: str,
    work: Work,
    counted: bool = True,
    bound: bool = False,
) -> Response:
    """Receive a message of ``action`` and answer it at once.

    ``counted``: its header has to say how many requests it has. ``bound``: ``work`` keeps to the
    areas that a caller may be bound to. Else they are refused.
    """
    settings: ApiSettings = request.app.state.settings
    now = datetime.now(UTC)
    receiver_id = ""
    try:
        _, headers = await _admit(request, scope, bound=bound)
        header, message, signature = envelope_of(await _body_of(request))
        receiver_id = sender_of(header)
        async with recorded(request) as session:
            taken = await _taken(
                request,
                session,
                header,
                message,
                signature,
                action=action,
                now=now,
                counted=counted,
            )
            answered = await work(taken)
        answer = answer_header(
            action=answer_action,
            status=answered.status,
            sender_id=settings.spdci_sender_id,
            receiver_id=receiver_id,
            now=now,
            total=answered.total,
            completed=answered.total,
        )
        return signed_reply(settings, answer, answered.message, headers=headers)
    except HeaderRejected as fault:
        answer = answer_header(
            action=answer_action,
            status=Status.REJECTED,
            sender_id=settings.spdci_sender_id,
            receiver_id=receiver_id,
            now=now,
            fault=fault.code,
            words=fault.message,
        )
        return signed_reply(settings, answer, None)
    except Exception as error:
        return http_error(error)


async def acknowledge(
    request: Request,
    *,
    scope: str,
    action: str,
    work: Callable[[Taken], Awaitable[Json]],
    called_back: bool = False,
) -> Response:
    """Receive a message of ``action`` that is answered later; ``work`` keeps it, and says so.

    What is wrong with it is an ``ERR`` (schema ``Response``), with nothing kept. We are
    ``called_back`` again with the same message until we took it: ``work`` keeps it once.
    """
    now = datetime.now(UTC)
    try:
        _, headers = await _admit(request, scope)
        header, message, signature = envelope_of(await _body_of(request))
        async with recorded(request) as session:
            taken = await _taken(
                request,
                session,
                header,
                message,
                signature,
                action=action,
                now=now,
                counted=not called_back,
                once=not called_back,
            )
            acknowledged = await work(taken)
        return Response(
            orjson.dumps({"message": acknowledged}), media_type=MEDIA_TYPE, headers=headers
        )
    except HeaderRejected as fault:
        return _faulty(ErrorCode.BAD, f"{fault.code}: {fault.message}", now=now)
    except Refused as fault:
        if fault.status != HTTPStatus.BAD_REQUEST:
            return http_error(fault)
        return _faulty(fault.code, fault.message, now=now)
    except Exception as error:
        return http_error(error)


def _faulty(code: ErrorCode, words: str, *, now: datetime) -> Response:
    return Response(
        orjson.dumps(
            {
                "message": {
                    "ack_status": Ack.FAULTY.value,
                    "timestamp": written(now),
                    "correlation_id": str(new_id()),
                    "error": {"code": code.value, "message": words},
                }
            }
        ),
        media_type=MEDIA_TYPE,
    )


async def _taken(
    request: Request,
    session: AsyncSession,
    header: Json,
    message: Json,
    signature: str | None,
    *,
    action: str,
    now: datetime,
    counted: bool = True,
    once: bool = True,
) -> Taken:
    """A message whose sender is known and whose header is whole; raises Refused, HeaderRejected."""
    settings: ApiSettings = request.app.state.settings
    caller: Caller = request.state.caller
    partner = await senders.require_sender(
        session,
        header,
        message,
        signature,
        caller=caller,
        receiver_id=settings.spdci_sender_id,
        unsigned=settings.spdci_unsigned,
    )
    read = read_header(header, action=action, now=now, counted=counted)
    if once:
        await senders.take_once(session, partner, read.message_id, now=now)
    personal_data: PersonalData = request.app.state.personal_data
    return Taken(
        header=read,
        message=message,
        partner=partner,
        caller=caller,
        request_id=request.state.request_id,
        settings=settings,
        session=session,
        personal_data=personal_data.telling(
            lambda household_id: showed(session, f"households/{household_id}")
        ),
        now=now,
        today=request.app.state.clock.today(),
    )


async def _admit(
    request: Request, scope: str, *, bound: bool = False
) -> tuple[Caller, dict[str, str]]:
    admission: Admission = request.app.state.admission
    standing = await admission.admit(
        request.scope, dict(request.scope["headers"]), scopes=[scope], bound=bound
    )
    told_of = {name.decode(): value.decode() for name, value in standing.headers}
    return request.state.caller, told_of


async def _body_of(request: Request) -> Any:
    try:
        return read_unambiguous(await request.body())
    except (ValueError, RecursionError):
        raise Refused(400, ErrorCode.BAD, "The body is no JSON in UTF-8.") from None


def signed_reply(
    settings: ApiSettings,
    header: Json,
    message: Json | None,
    *,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """An answer, signed where we have a key."""
    return Response(
        framed(settings, header, message), media_type=MEDIA_TYPE, headers=dict(headers or {})
    )


def framed(settings: ApiSettings, header: Json, message: Json | None) -> bytes:
    """A message of ours as it is sent: signed where we have a key."""
    # As whoever reads it has it: what is signed is made of plain values.
    parts: Json = orjson.loads(
        orjson.dumps(
            {"header": header} if message is None else {"header": header, "message": message}
        )
    )
    key = signing_key(settings)
    if key is not None:
        parts["signature"] = key.sign(parts["header"], parts.get("message"), now=time.time())
    return orjson.dumps(parts)


def signing_key(settings: ApiSettings) -> signing.Key | None:
    """The key that signs what is sent, if there is one."""
    if settings.spdci_signing_key is None:
        return None
    private = Ed25519PrivateKey.from_private_bytes(settings.spdci_signing_key.get_secret_value())
    return signing.Key(settings.spdci_sender_id, signing.thumbprint(private.public_key()), private)


def public_keys(settings: ApiSettings) -> list[dict[str, str]]:
    """What verifies our signatures, also while a key is changed (schema ``JWKSResponse``)."""
    return [
        signing.jwk(Ed25519PrivateKey.from_private_bytes(key.get_secret_value()).public_key())
        for key in (settings.spdci_signing_key, settings.spdci_signing_key_other)
        if key is not None
    ]


def http_error(error: Exception) -> Response:
    """What is said over HTTP of a message that is not taken."""
    headers: Mapping[str, str] = {}
    if isinstance(error, Refused):
        status, code, message = error.status, error.code, error.message
    elif isinstance(error, Problem):
        status, message = error.status, error.detail
        code, headers = _CODES.get(status, ErrorCode.BAD), error.headers or {}
    else:
        log.error("spdci_failed", error=told(error))
        status, code = 500, ErrorCode.UNAVAILABLE
        message = "Something broke on our side, and nothing was done. Send it again later."
    return Response(
        orjson.dumps({"errors": [{"code": code.value, "message": message}]}),
        status_code=status,
        media_type=MEDIA_TYPE,
        headers=dict(headers),
    )
