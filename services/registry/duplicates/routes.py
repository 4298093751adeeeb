"""Suspected duplicates over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from services.registry.areas.schemas import AreaCode
from services.registry.duplicates.schemas import (
    BulkDecisionIn,
    DuplicateOut,
    DuplicateWithDecisionsOut,
    Score,
    UndoIn,
)
from services.registry.duplicates.service import Duplicates
from services.registry.duplicates.states import Ground, Standing
from services.registry.households.persons import PersonalDataDependency
from services.registry.scopes import HouseholdsRead, HouseholdsWrite
from shared.approvals import ApprovalOut
from shared.approvals.routes import TwoPersonSteps
from shared.clock import ClockDependency
from shared.database import Session
from shared.errors import problem_responses
from shared.idempotency import Once
from shared.operations import narrowed
from shared.pagination import PageOf, PageQuery

router = APIRouter(prefix="/duplicates", tags=["duplicates"])


@router.get(
    "",
    summary="List who may be registered twice",
    responses=problem_responses(400, 401, 403, 422),
    openapi_extra=narrowed(),
)
async def list_duplicates(
    caller: HouseholdsRead,
    session: Session,
    personal_data: PersonalDataDependency,
    clock: ClockDependency,
    page: PageQuery,
    standing: Annotated[
        Standing | None,
        Query(
            description="`merge`: those that are to be merged; `merged`: that are one by now; "
            "none: all."
        ),
    ] = None,
    ground: Annotated[Ground | None, Query(description="Only where this speaks for it.")] = None,
    area: Annotated[
        AreaCode | None, Query(description="Where one of the two lives, at any level.")
    ] = None,
    household_id: Annotated[UUID | None, Query(description="Whom it is about.")] = None,
    least_score: Annotated[Score, Query(description="From this score on.")] = 0,
) -> PageOf[DuplicateOut]:
    """Side by side, the highest score first. The persons are shown to callers with
    `households:read-personal`, and it is recorded whose."""
    duplicates = Duplicates(session, personal_data=personal_data, caller=caller, clock=clock)
    return await duplicates.page(
        standing=standing,
        ground=ground,
        area=area,
        household_id=household_id,
        least_score=least_score,
        page=page,
    )


@router.post(
    "/decisions",
    status_code=202,
    response_model=ApprovalOut,
    summary="Propose one decision for many",
    responses=problem_responses(400, 401, 403, 409, 422),
)
async def propose_decisions(
    given: BulkDecisionIn,
    caller: HouseholdsWrite,
    session: Session,
    personal_data: PersonalDataDependency,
    clock: ClockDependency,
    once: Once,
    steps: TwoPersonSteps,
) -> Response:
    """`keep` or `dismiss` for all that wait between two scores and are known now. A second person
    approves it; what somebody decides meanwhile stays as decided. `merge` is decided of each by
    itself."""
    duplicates = Duplicates(session, personal_data=personal_data, caller=caller, clock=clock)
    return await once.reply(given, lambda: duplicates.propose_many(steps, given), status_code=202)


@router.get(
    "/{suspect_id}",
    summary="Read one suspicion",
    responses=problem_responses(401, 403, 404, 422),
    openapi_extra=narrowed(),
)
async def get_duplicate(
    suspect_id: UUID,
    caller: HouseholdsRead,
    session: Session,
    personal_data: PersonalDataDependency,
    clock: ClockDependency,
) -> DuplicateWithDecisionsOut:
    """The two side by side, and what was decided of them so far."""
    duplicates = Duplicates(session, personal_data=personal_data, caller=caller, clock=clock)
    return await duplicates.get(suspect_id)


@router.put(
    "/{suspect_id}/undoing",
    summary="Undo a decision",
    responses=problem_responses(400, 401, 403, 404, 409, 422),
    openapi_extra=narrowed(),
)
async def undo_decision(
    suspect_id: UUID,
    given: UndoIn,
    caller: HouseholdsWrite,
    session: Session,
    personal_data: PersonalDataDependency,
    clock: ClockDependency,
    steps: TwoPersonSteps,
) -> DuplicateWithDecisionsOut:
    """It waits for a decision again, and a merger that waits is closed. What was paid meanwhile
    stays paid. Two that were merged are not taken apart by it: split the household instead."""
    duplicates = Duplicates(session, personal_data=personal_data, caller=caller, clock=clock)
    return await duplicates.undo(steps, suspect_id, reason=given.reason)
