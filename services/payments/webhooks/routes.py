"""Callbacks from providers, and a look at those that were received."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.routing import APIRoute

from services.payments.listing import page_of_rows
from services.payments.providers.schemas import ProviderCode
from services.payments.scopes import CallbacksRead, WebhooksRead
from services.payments.webhooks import repository
from services.payments.webhooks.receiving import Receiving
from services.payments.webhooks.schemas import CALLBACK_EXAMPLE, TestedOut, WebhookOut
from services.payments.webhooks.states import WebhookStatus
from services.payments.webhooks.testing import tested
from shared.auth import Caller
from shared.database import Session
from shared.errors import Forbidden, TooLarge, problem_responses
from shared.pagination import PageOf, PageQuery


class _BareRoute(APIRoute):
    """Hands the request to the endpoint as it is.

    Callbacks come by the hundred thousand, and FastAPI's reading of parameters and writing of
    answers costs more than to verify, seal and store one. What it would read is declared below.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler: Callable[[Request], Coroutine[Any, Any, Response]] = self.endpoint
        return handler


PROVIDER_SUBJECT = "provider:"
"""Of a token that is a provider's own: then its code."""

router = APIRouter(tags=["webhooks"])
callbacks = APIRouter(tags=["webhooks"], route_class=_BareRoute)

_PARAMETERS = (
    ("provider_code", "path", "The provider's code."),
    ("webhook-id", "header", "The message's id, the same on every repeat."),
    ("webhook-timestamp", "header", "When it was sent, in Unix seconds."),
    ("webhook-signature", "header", "`v1,` and the HMAC-SHA256 of id, timestamp and body."),
)


_HEADER_PARAMETERS = [
    {
        "name": name,
        "in": place,
        "required": False,
        "schema": {"type": "string"},
        "description": description,
    }
    for name, place, description in _PARAMETERS
    if place == "header"
]


def require_own(caller: Caller, provider_code: str) -> None:
    """Raises Forbidden where the caller is not that provider."""
    if caller.subject != f"{PROVIDER_SUBJECT}{provider_code}":
        raise Forbidden(
            f"Callbacks of {provider_code} are shown to a token with the subject "
            f"'{PROVIDER_SUBJECT}{provider_code}' alone. Others read GET /v1/webhooks."
        )


async def _read(request: Request, maximum_bytes: int) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > maximum_bytes:
            raise TooLarge(f"A callback has {maximum_bytes} bytes at most.")
    return bytes(body)


@callbacks.put(
    "/providers/{provider_code}/callbacks",
    status_code=204,
    response_class=Response,
    summary="Receive a callback from a provider",
    responses=problem_responses(401, 404, 413, 422, 503),
    openapi_extra={
        "security": [],
        "parameters": [
            {
                "name": name,
                "in": place,
                "required": True,
                "schema": {"type": "string"},
                "description": description,
            }
            for name, place, description in _PARAMETERS
        ],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": {"type": "object"}, "example": CALLBACK_EXAMPLE}
            },
        },
    },
)
async def receive_callback(request: Request) -> Response:
    """Takes the final state of a payment (GSMA callback), signed by Standard Webhooks 1.0.

    The raw body is stored before the answer leaves and applied shortly after. The same
    `webhook-id` again is answered 204 and changes nothing; with another body it is an alarm, and
    the payment is asked about.
    """
    receiving: Receiving = request.app.state.receiving
    sender = receiving.sender(request.path_params["provider_code"])
    body = await _read(request, request.app.state.settings.webhook_maximum_bytes)
    await receiving.take(sender, request.headers, body)
    return Response(status_code=204)


@router.post(
    "/providers/{provider_code}/test-callbacks",
    summary="Try a callback",
    responses=problem_responses(401, 403, 404, 413, 422),
    openapi_extra={
        "parameters": _HEADER_PARAMETERS,
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": {"type": "object"}, "example": CALLBACK_EXAMPLE}
            },
        },
    },
)
async def try_callback(
    provider_code: ProviderCode, caller: CallbacksRead, session: Session, request: Request
) -> TestedOut:
    """For a provider's engineer: says whether the signature holds, how the callback is read, and
    what would become of it. Nothing is stored, and nothing follows."""
    require_own(caller, provider_code)
    receiving: Receiving = request.app.state.receiving
    sender = receiving.sender(provider_code)
    body = await _read(request, request.app.state.settings.webhook_maximum_bytes)
    return await tested(session, receiving.look_at(sender, request.headers, body), sender=sender)


@router.get(
    "/providers/{provider_code}/callbacks",
    summary="List a provider's own callbacks",
    responses=problem_responses(400, 401, 403, 422),
)
async def list_own_callbacks(
    provider_code: ProviderCode,
    caller: CallbacksRead,
    session: Session,
    page: PageQuery,
    status: Annotated[WebhookStatus | None, Query(description="Only those in this state.")] = None,
) -> PageOf[WebhookOut]:
    """For a provider's engineer: what came of its callbacks, in the order of their arrival. Its
    token is its program's own, with the subject `provider:` and the provider's code."""
    require_own(caller, provider_code)
    rows = await repository.list_webhooks(
        session,
        after=page.after(UUID),
        limit=page.fetch_limit,
        status=status,
        provider=provider_code,
    )
    return page_of_rows(page, rows, WebhookOut, key=lambda row: (row.id,))


@router.get(
    "/webhooks",
    summary="List callbacks",
    responses=problem_responses(400, 401, 403, 422),
)
async def list_webhooks(
    _: WebhooksRead,
    session: Session,
    page: PageQuery,
    status: Annotated[WebhookStatus | None, Query(description="Only those in this state.")] = None,
    only_differing: Annotated[
        bool, Query(description="Only those whose id came again with another body.")
    ] = False,
) -> PageOf[WebhookOut]:
    """Callbacks in the order of their arrival, without their bodies: unmatched, malformed, all."""
    rows = await repository.list_webhooks(
        session,
        after=page.after(UUID),
        limit=page.fetch_limit,
        status=status,
        only_differing=only_differing,
    )
    return page_of_rows(page, rows, WebhookOut, key=lambda row: (row.id,))
