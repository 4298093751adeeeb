"""Why households are in or out, over HTTP."""

from uuid import UUID

from fastapi import APIRouter

from services.registry.decisions import service
from services.registry.decisions.schemas import DecisionOut, DecisionsOut
from services.registry.scopes import HouseholdsRead
from shared.clock import ClockDependency
from shared.database import Session
from shared.errors import problem_responses
from shared.operations import narrowed
from shared.pagination import PageQuery

router = APIRouter(tags=["entitlements"])


@router.get(
    "/households/{household_id}/decisions",
    summary="Say why a household is in or out",
    responses=problem_responses(400, 401, 403, 404, 422),
    openapi_extra=narrowed(),
)
async def list_decisions(
    household_id: UUID,
    caller: HouseholdsRead,
    session: Session,
    page: PageQuery,
    clock: ClockDependency,
) -> DecisionsOut:
    """Of every scheme in force by what is known now, and of each activation by what was known when
    it was enrolled, or is known now where it is not: in English and Khmer, clause by clause.

    What is asked about persons' health is shown to callers with `households:read-personal`.
    """
    return await service.of_household(session, household_id, page=page, caller=caller, clock=clock)


@router.get(
    "/activations/{activation_id}/households/{household_id}/decision",
    summary="Say why a household is in or out of an activation",
    responses=problem_responses(401, 403, 404, 422),
    openapi_extra=narrowed(),
)
async def get_decision(
    activation_id: UUID,
    household_id: UUID,
    caller: HouseholdsRead,
    session: Session,
    clock: ClockDependency,
) -> DecisionOut:
    """The same of one activation, whether it reached the household or not."""
    return await service.of_activation(
        session, activation_id, household_id, caller=caller, clock=clock
    )
