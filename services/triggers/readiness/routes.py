"""Readiness over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query

from services.triggers.readiness import service
from services.triggers.readiness.schemas import ReadinessOut
from services.triggers.scopes import TriggersRead
from shared.database import Session
from shared.documents import Code
from shared.errors import problem_responses
from shared.pagination import PageOf, PageQuery

router = APIRouter(prefix="/readiness", tags=["readiness"])


@router.get(
    "",
    summary="List when triggers were ready",
    responses=problem_responses(400, 401, 403, 422),
)
async def list_readiness(
    _: TriggersRead,
    session: Session,
    page: PageQuery,
    trigger: Annotated[Code | None, Query(examples=["rice-price-spike"])] = None,
    only_ready: Annotated[bool, Query(description="Only the triggers that are ready now.")] = False,
) -> PageOf[ReadinessOut]:
    """Lists spans in which a trigger reached readiness or more, the latest first.

    Readiness prepares and pays nothing. `trigger-readied` and `trigger-stood-down` in the event
    feed tell of it; a trigger stands down by itself once it is judged to be below.
    """
    return await service.list_page(session, trigger=trigger, only_ready=only_ready, page=page)
