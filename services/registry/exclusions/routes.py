"""Keeping households out, over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from services.registry.exclusions import service
from services.registry.exclusions.schemas import ExclusionIn, ExclusionOut, ReadmissionIn
from services.registry.scopes import (
    HouseholdsRead,
    RoundsRelease,
)
from shared.approvals.proposing import PROPOSES, Proposing
from shared.clock import ClockDependency
from shared.database import Session
from shared.documents import Code
from shared.errors import problem_responses
from shared.idempotency import Once
from shared.operations import narrowed
from shared.pagination import PageOf, PageQuery

router = APIRouter()


@router.post(
    "/activations/{activation_id}/households/{household_id}/exclusion",
    tags=["activations"],
    status_code=201,
    response_model=ExclusionOut,
    summary="Keep a household out",
    responses=problem_responses(400, 401, 403, 404, 409, 422),
    openapi_extra=narrowed(),
)
async def exclude(
    activation_id: UUID,
    household_id: UUID,
    given: ExclusionIn,
    caller: RoundsRelease,
    session: Session,
    clock: ClockDependency,
    once: Once,
) -> Response:
    """Of what is not worked out yet it gets nothing. Less is paid by it, so one person may; to
    admit the household again takes two."""
    return await once.reply(
        given,
        lambda: service.exclude(
            session, activation_id, household_id, given, caller=caller, clock=clock
        ),
    )


@router.get(
    "/exclusions",
    tags=["activations"],
    summary="List exclusions",
    responses=problem_responses(400, 401, 403, 422),
    openapi_extra=narrowed(),
)
async def list_exclusions(
    caller: HouseholdsRead,
    session: Session,
    page: PageQuery,
    scheme: Annotated[Code | None, Query(examples=["flood-2022"])] = None,
    standing: Annotated[bool, Query(description="Only those that have not ended.")] = True,
) -> PageOf[ExclusionOut]:
    """Households that officers keep out, with who and why."""
    return await service.list_exclusions(
        session, scheme=scheme, standing=standing, bound=caller.areas, page=page
    )


@router.get(
    "/exclusions/{exclusion_id}",
    tags=["activations"],
    summary="Read an exclusion",
    responses=problem_responses(401, 403, 404, 422),
    openapi_extra=narrowed(),
)
async def get_exclusion(
    exclusion_id: UUID, caller: HouseholdsRead, session: Session
) -> ExclusionOut:
    """Who keeps a household out and why, and who admitted it again."""
    return await service.get_exclusion(session, exclusion_id, bound=caller.areas)


@router.post(
    "/exclusions/{exclusion_id}/readmission",
    tags=["activations"],
    summary="Propose to admit a household again",
    **PROPOSES,
    openapi_extra=narrowed(),
)
async def readmit(
    exclusion_id: UUID,
    given: ReadmissionIn,
    caller: RoundsRelease,
    proposing: Proposing,
) -> Response:
    """Once a second person approves, the rounds that it was left out of are owed, and a repair
    announces them."""
    return await proposing.propose(
        service.propose_readmission, exclusion_id, given=given, caller=caller
    )
