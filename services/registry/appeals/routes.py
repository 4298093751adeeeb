"""Appeals over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from services.registry.appeals import service
from services.registry.appeals.schemas import (
    AppealDecisionIn,
    AppealIn,
    AppealOut,
    AppealStatus,
    NoteIn,
)
from services.registry.scopes import (
    AppealsWrite,
    HouseholdsRead,
    RegistryApprove,
)
from shared.clock import ClockDependency
from shared.database import Session
from shared.errors import problem_responses
from shared.idempotency import Once
from shared.operations import narrowed
from shared.pagination import PageOf, PageQuery

router = APIRouter()


@router.post(
    "/appeals",
    tags=["appeals"],
    status_code=201,
    response_model=AppealOut,
    summary="Open an appeal for a household",
    responses=problem_responses(400, 401, 403, 404, 409, 422),
    openapi_extra=narrowed(),
)
async def open_appeal(
    given: AppealIn,
    caller: AppealsWrite,
    session: Session,
    clock: ClockDependency,
    once: Once,
    request: Request,
) -> Response:
    """What a household wants decided anew about an activation. Another person decides it, by a day
    that follows from `REGISTRY_APPEAL_DAYS`."""
    days = request.app.state.settings.appeal_days
    return await once.reply(
        given, lambda: service.open_appeal(session, given, days=days, caller=caller, clock=clock)
    )


@router.get(
    "/appeals",
    tags=["appeals"],
    summary="List appeals",
    responses=problem_responses(400, 401, 403, 422),
    openapi_extra=narrowed(),
)
async def list_appeals(
    caller: HouseholdsRead,
    session: Session,
    page: PageQuery,
    clock: ClockDependency,
    status: Annotated[
        AppealStatus | None,
        Query(description="`open`: all that wait; `overdue`: those of them past their day."),
    ] = None,
    household_id: Annotated[UUID | None, Query(description="Only those of this one.")] = None,
) -> PageOf[AppealOut]:
    """By the day on which they are due."""
    return await service.list_appeals(
        session,
        status=status,
        household_id=household_id,
        bound=caller.areas,
        page=page,
        clock=clock,
    )


@router.get(
    "/appeals/{appeal_id}",
    tags=["appeals"],
    summary="Read an appeal",
    responses=problem_responses(401, 403, 404, 422),
    openapi_extra=narrowed(),
)
async def get_appeal(
    appeal_id: UUID, caller: HouseholdsRead, session: Session, clock: ClockDependency
) -> AppealOut:
    """What was asked, what was said about it, and what was decided, in both languages."""
    return await service.get_appeal(session, appeal_id, bound=caller.areas, clock=clock)


@router.post(
    "/appeals/{appeal_id}/notes",
    tags=["appeals"],
    status_code=201,
    response_model=AppealOut,
    summary="Add to an appeal",
    responses=problem_responses(400, 401, 403, 404, 409, 422),
    openapi_extra=narrowed(),
)
async def add_note(
    appeal_id: UUID,
    given: NoteIn,
    caller: AppealsWrite,
    session: Session,
    clock: ClockDependency,
    once: Once,
) -> Response:
    """What was found since, for whoever decides."""
    return await once.reply(
        given, lambda: service.add_note(session, appeal_id, given, caller=caller, clock=clock)
    )


@router.post(
    "/appeals/{appeal_id}/decision",
    tags=["appeals"],
    status_code=201,
    response_model=AppealOut,
    summary="Decide an appeal",
    responses=problem_responses(400, 401, 403, 404, 409, 422),
    openapi_extra=narrowed(),
)
async def decide_appeal(
    appeal_id: UUID,
    given: AppealDecisionIn,
    caller: RegistryApprove,
    session: Session,
    clock: ClockDependency,
    once: Once,
    request: Request,
) -> Response:
    """By another person than the one who opened it. Upheld, what the household wants is done: it
    is enrolled, or admitted again."""
    return await once.reply(
        given,
        lambda: service.decide_appeal(
            session,
            appeal_id,
            given,
            households_per_chunk=request.app.state.settings.households_per_chunk,
            caller=caller,
            clock=clock,
        ),
    )
