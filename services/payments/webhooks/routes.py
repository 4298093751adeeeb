"""Callbacks from providers, and a look at those that were received."""

import time
from collections.abc import Callable, Coroutine
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.routing import APIRoute
from sqlalchemy import text

from services.payments.scopes import WebhooksRead
from services.payments.webhooks.intake import NotStored, WebhookIntake
from services.payments.webhooks.schemas import CALLBACK_EXAMPLE, Webhook
from services.payments.webhooks.secrets import WebhookSecrets
from services.payments.webhooks.tables import WebhookStatus
from shared.database import Session
from shared.errors import (
    NotFound,
    TooLarge,
    Unauthenticated,
    Unavailable,
    problem_responses,
)
from shared.pagination import PageOf, PageQuery, decode_cursor, page_of
from shared.signatures import BadSignature, verify


class _BareRoute(APIRoute):
    """Hands the request to the endpoint as it is.

    Callbacks come by the hundred thousand, and FastAPI's reading of parameters and writing of
    answers costs more than to verify, seal and store one. What it would read is declared below.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler: Callable[[Request], Coroutine[Any, Any, Response]] = self.endpoint
        return handler


router = APIRouter(tags=["webhooks"])
callbacks = APIRouter(tags=["webhooks"], route_class=_BareRoute)

_LIST = """
    SELECT webhook.id, provider.code AS provider, webhook.webhook_id,
        webhook.status::text AS status, webhook.instruction_id, webhook.reason,
        webhook.received_at, webhook.worked_at
    FROM payments.webhook
    JOIN payments.provider ON provider.number = webhook.provider_number
    WHERE webhook.id > :after {condition}
    ORDER BY webhook.id
    LIMIT :limit
"""


_PARAMETERS = (
    ("provider_code", "path", "The provider's code."),
    ("webhook-id", "header", "The message's id, the same on every repeat."),
    ("webhook-timestamp", "header", "When it was sent, in Unix seconds."),
    ("webhook-signature", "header", "`v1,` and the HMAC-SHA256 of id, timestamp and body."),
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
    `webhook-id` again is answered 204 and changes nothing.
    """
    provider_code = request.path_params["provider_code"]
    state = request.app.state
    secrets: WebhookSecrets | None = state.webhook_secrets.get(provider_code)
    if secrets is None:
        raise NotFound(f"There is no provider {provider_code} here. GET /providers lists them.")
    body = await _read(request, state.settings.webhook_maximum_bytes)
    try:
        webhook_id = verify(secrets.secrets, headers=request.headers, body=body, now=time.time())
    except BadSignature as error:
        raise Unauthenticated(str(error)) from None
    intake: WebhookIntake = state.webhook_intake
    try:
        await intake.store(
            provider_number=secrets.provider_number,
            webhook_id=webhook_id,
            body_sealed=state.webhook_cipher.encrypt(body, bound_to=webhook_id.encode()),
        )
    except NotStored:
        raise Unavailable("The callback was not stored. Send it again with its id.") from None
    return Response(status_code=204)


@router.get(
    "/webhooks",
    summary="List callbacks",
    responses=problem_responses(400, 401, 403, 422),
)
async def list_webhooks(
    caller: WebhooksRead,
    session: Session,
    page: PageQuery,
    status: Annotated[WebhookStatus | None, Query(description="Only those in this state.")] = None,
) -> PageOf[Webhook]:
    """Callbacks in the order of their arrival, without their bodies: unmatched, malformed, all."""
    after = decode_cursor(page.cursor, UUID)[0] if page.cursor else UUID(int=0)
    # The state stands in the statement, so that the partial indexes on it can be used.
    condition = f"AND webhook.status = '{status.value}'" if status else ""
    rows = await session.execute(
        text(_LIST.format(condition=condition)), {"after": after, "limit": page.limit + 1}
    )
    webhooks = [Webhook.model_validate(row._asdict()) for row in rows]
    return page_of(webhooks, page=page, key=lambda webhook: (webhook.id,))
