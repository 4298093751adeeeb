"""Alerts over HTTP: an Atom feed, and an alert of the Common Alerting Protocol for each."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response

from services.triggers.alerts import service
from services.triggers.scopes import ActivationsRead
from services.triggers.settings import ApiSettings
from shared.approvals.routes import TwoPersonSteps
from shared.clock import ClockDependency
from shared.database import Session
from shared.errors import problem_responses
from shared.freshness import NOT_MODIFIED, REVALIDATED, KnownTag, is_known, tag_of
from shared.pagination import PageQuery
from shared.values import Whole

router = APIRouter(prefix="/alerts", tags=["alerts"])

ATOM = "application/atom+xml"
CAP = "application/cap+xml"

AlertId = Annotated[
    UUID,
    Path(description="The activation's id.", examples=["0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10"]),
]
Number = Annotated[int, Whole(least=1, most=1_000_000), Path(examples=[1])]


def _answers(media_type: str) -> dict[int | str, dict[str, Any]]:
    content = {media_type: {"schema": {"type": "string"}}}
    return {200: {"description": "The document.", "content": content}, **NOT_MODIFIED}


@router.get(
    "",
    summary="Follow activations as alerts",
    response_class=Response,
    responses={**_answers(ATOM), **problem_responses(400, 401, 403, 422)},
)
async def read_feed(
    _: ActivationsRead,
    request: Request,
    session: Session,
    page: PageQuery,
    known: KnownTag = None,
) -> Response:
    """An Atom feed of the activations that were opened, what was told of last first.

    It gives notice of a cash programme and is no official warning, which every entry says. Send
    `If-None-Match`, and follow the links `next` for older ones (RFC 5005).
    """
    settings: ApiSettings = request.app.state.settings
    content = await service.feed_page(session, page, settings=settings)
    return _answer(content, ATOM, known)


@router.get(
    "/{activation_id}",
    summary="Read an activation as an alert",
    response_class=Response,
    responses={**_answers(CAP), **problem_responses(401, 403, 404, 422)},
)
async def read_alert(
    activation_id: AlertId,
    _: ActivationsRead,
    request: Request,
    session: Session,
    clock: ClockDependency,
    steps: TwoPersonSteps,
    known: KnownTag = None,
) -> Response:
    """The latest message about an activation in CAP 1.2, in English and Khmer.

    It is an `Alert` when it opens, an `Update` when its areas change and a `Cancel` when it is
    cancelled, with references to the messages before; `Exercise` where the clock can be set.
    """
    settings: ApiSettings = request.app.state.settings
    content = await service.message(
        session, steps, activation_id, number=None, settings=settings, clock=clock
    )
    return _answer(content, CAP, known)


@router.get(
    "/{activation_id}/messages/{number}",
    summary="Read one message about an activation",
    response_class=Response,
    responses={**_answers(CAP), **problem_responses(401, 403, 404, 422)},
)
async def read_message(
    activation_id: AlertId,
    number: Number,
    _: ActivationsRead,
    request: Request,
    session: Session,
    clock: ClockDependency,
    steps: TwoPersonSteps,
    known: KnownTag = None,
) -> Response:
    """A message as it was told, 1 being the first: what a later one refers to."""
    settings: ApiSettings = request.app.state.settings
    content = await service.message(
        session, steps, activation_id, number=number, settings=settings, clock=clock
    )
    return _answer(content, CAP, known)


def _answer(content: bytes, media_type: str, known: str | None) -> Response:
    tag = tag_of(content)
    headers = {"ETag": tag, "Cache-Control": REVALIDATED}
    if is_known(tag, known):
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=media_type, headers=headers)
