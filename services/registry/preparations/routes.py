"""Preparations over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from services.registry.preparations import service
from services.registry.preparations.schemas import PreparationOut
from services.registry.scopes import EnrolmentsRead, EntitlementsRead
from shared.clock import ClockDependency
from shared.contracts.accounts import MOST_ACCOUNTS, PreparedPage
from shared.database import Session
from shared.documents import Code
from shared.errors import problem_responses
from shared.operations import narrowed
from shared.pagination import PageOf, PageQuery
from shared.values import Whole

router = APIRouter(prefix="/preparations", tags=["activations"])


@router.get(
    "",
    summary="List preparations",
    responses=problem_responses(400, 401, 403, 422),
    openapi_extra=narrowed(),
)
async def list_preparations(
    caller: EnrolmentsRead,
    session: Session,
    page: PageQuery,
    trigger: Annotated[Code | None, Query(examples=["mekong-stage"])] = None,
    only_ready: Annotated[bool, Query(description="Only of triggers that are ready now.")] = False,
) -> PageOf[PreparationOut]:
    """Whom the schemes of triggers that became ready would pay, and whose accounts are missing.

    The latest first. Nobody is enrolled by it; payments reserves the money until the trigger
    stands down.
    """
    return await service.list_page(
        session, trigger=trigger, only_ready=only_ready, bound=caller.areas, page=page
    )


@router.get(
    "/{readiness_id}",
    summary="Get a preparation",
    responses=problem_responses(401, 403, 404, 422),
    openapi_extra=narrowed(),
)
async def get_preparation(
    readiness_id: UUID, caller: EnrolmentsRead, session: Session, clock: ClockDependency
) -> PreparationOut:
    """What was counted for one span of readiness; for whoever is bound to areas, what they come to
    now."""
    return await service.get(session, readiness_id, bound=caller.areas, clock=clock)


@router.get(
    "/{readiness_id}/accounts",
    summary="List accounts that a ready trigger would have paid",
    responses=problem_responses(401, 403, 404, 409, 422),
)
async def list_accounts(
    readiness_id: UUID,
    _: EntitlementsRead,
    session: Session,
    clock: ClockDependency,
    provider: Annotated[
        list[Annotated[str, Field(pattern="^[a-z0-9-]{1,32}$", max_length=32)]],
        Query(min_length=1, max_length=50, description="Only those at these providers."),
    ],
    after: Annotated[
        UUID | None, Query(description="Behind this household: `next_after` of the page before.")
    ] = None,
    limit: Annotated[int, Whole(least=1, most=MOST_ACCOUNTS), Query()] = MOST_ACCOUNTS,
) -> PreparedPage:
    """For payments, which has them checked before the shock. Accounts are sealed: only payments'
    provider adapter opens one, when it asks."""
    return await service.list_accounts(
        session,
        readiness_id,
        providers=provider,
        after=after,
        limit=limit,
        today=clock.today(),
    )
