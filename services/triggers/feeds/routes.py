"""Feeds over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from services.triggers.approvals.tables import ApprovalKind
from services.triggers.feeds import service
from services.triggers.feeds.document import FeedDocument
from services.triggers.feeds.schemas import FeedHealth, PullOut
from services.triggers.feeds.service import FEEDS
from services.triggers.scopes import FeedsRead, FeedsWrite
from shared.database import Session
from shared.documents import Code
from shared.documents.routes import document_routes
from shared.errors import problem_responses
from shared.idempotency import Once
from shared.pagination import PageOf, PageQuery

FeedCode = Annotated[Code, Path(examples=["wfp-food-prices"])]


async def _require_public(request: Request, document: FeedDocument) -> None:
    service.require_public(document, request.app.state.settings.environment)


router = document_routes(
    FEEDS,
    ApprovalKind.FEED,
    prefix="/feeds",
    tag="feeds",
    reader=FeedsRead,
    writer=FeedsWrite,
    example_code="wfp-food-prices",
    posted="Proposes a feed's first version: where something is published, in what form, how "
    "often it is looked at, and of which indicators it has figures. Once it is in force it is "
    "pulled, and what it brings is recorded as published, with nobody asked again.",
    versioned="Proposes the whole document anew; earlier versions stay readable. A version with "
    "`enabled` false retires the feed.\n\n"
    "Source and kind of format stay as they are: a change of those is another feed.",
    before=_require_public,
)

pulls = APIRouter(prefix="/feeds/{code}/pulls", tags=["feeds"])


@pulls.get("", summary="List a feed's pulls", responses=problem_responses(400, 401, 403, 404, 422))
async def list_pulls(
    code: FeedCode, _: FeedsRead, session: Session, page: PageQuery
) -> PageOf[PullOut]:
    """Lists each time that the feed was asked for, newest first: what was read, recorded and
    refused, with the reasons."""
    return await service.list_pulls(session, code, page)


@pulls.post(
    "",
    status_code=202,
    response_model=FeedHealth,
    summary="Pull a feed now",
    responses=problem_responses(400, 401, 403, 404, 409, 422),
)
async def pull_now(code: FeedCode, _: FeedsWrite, session: Session, once: Once) -> Response:
    """Has the feed pulled as soon as the worker is free, whenever its turn would be. What came of
    it is the newest of `GET /v1/feeds/{code}/pulls`."""
    return await once.reply(None, lambda: service.pull_now(session, code), status_code=202)
