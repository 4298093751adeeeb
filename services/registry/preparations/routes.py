"""Preparations over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from services.registry.preparations import service
from services.registry.preparations.schemas import PreparationOut
from services.registry.scopes import EnrolmentsRead
from shared.database import Session
from shared.documents import Code
from shared.errors import problem_responses
from shared.pagination import PageOf, PageQuery

router = APIRouter(prefix="/preparations", tags=["activations"])


@router.get("", summary="List preparations", responses=problem_responses(400, 401, 403, 422))
async def list_preparations(
    _: EnrolmentsRead,
    session: Session,
    page: PageQuery,
    trigger: Annotated[Code | None, Query(examples=["mekong-stage"])] = None,
    only_ready: Annotated[bool, Query(description="Only of triggers that are ready now.")] = False,
) -> PageOf[PreparationOut]:
    """Whom the schemes of triggers that became ready would pay, and whose accounts are missing.

    The latest first. Nobody is enrolled by it; payments reserves the money until the trigger
    stands down.
    """
    return await service.list_page(session, trigger=trigger, only_ready=only_ready, page=page)


@router.get(
    "/{readiness_id}",
    summary="Get a preparation",
    responses=problem_responses(401, 403, 404, 422),
)
async def get_preparation(
    readiness_id: UUID, _: EnrolmentsRead, session: Session
) -> PreparationOut:
    """What was counted for one span of readiness."""
    return await service.get(session, readiness_id)
