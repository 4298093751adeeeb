"""Activations over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response

from services.triggers.activations import service
from services.triggers.activations.schemas import (
    ActivationDetail,
    ActivationOut,
    CorrectionIn,
    DecisionIn,
    DeclarationIn,
)
from services.triggers.activations.states import State
from services.triggers.checks.service import ChecksDependency
from services.triggers.scopes import ActivationsApprove, ActivationsRead, ActivationsWrite
from shared.clock import ClockDependency
from shared.database import Database, Session
from shared.documents import Code
from shared.errors import problem_responses
from shared.idempotency import Once
from shared.pagination import PageOf, PageQuery

router = APIRouter(prefix="/activations", tags=["activations"])

ActivationId = Annotated[UUID, Path(examples=["0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10"])]


@router.post(
    "",
    status_code=201,
    response_model=ActivationDetail,
    summary="Declare an activation",
    responses=problem_responses(400, 401, 403, 409, 422),
)
async def declare_activation(
    body: DeclarationIn,
    caller: ActivationsWrite,
    request: Request,
    session: Session,
    clock: ClockDependency,
    once: Once,
    checks: ChecksDependency,
) -> Response:
    """Proposes an activation of a trigger's scheme in some areas, with the official's reason.

    It opens, and pays, when a second person approves it. The registry is asked whether anybody
    could be enrolled by it.
    """
    database: Database = request.app.state.database
    await service.require_activating(body, database=database, checks=checks)
    return await once.reply(
        body,
        lambda: service.declare(session, body, caller=caller, clock=clock),
    )


@router.get("", summary="List activations", responses=problem_responses(400, 401, 403, 422))
async def list_activations(
    _: ActivationsRead,
    session: Session,
    page: PageQuery,
    trigger: Annotated[Code | None, Query(examples=["flood-reported-impact"])] = None,
    state: State | None = None,
) -> PageOf[ActivationOut]:
    """Lists activations, newest first."""
    return await service.list_page(session, trigger=trigger, state=state, page=page)


@router.get(
    "/{activation_id}",
    summary="Read an activation",
    responses=problem_responses(401, 403, 404, 422),
)
async def read_activation(
    activation_id: ActivationId, _: ActivationsRead, request: Request, checks: ChecksDependency
) -> ActivationDetail:
    """Reads an activation with its areas, with who moved it, when and why, and whether anybody
    is enrolled for it: the registry is asked."""
    database: Database = request.app.state.database
    return await service.read(activation_id, database=database, checks=checks)


@router.post(
    "/{activation_id}/approve",
    summary="Approve a proposed activation",
    responses=problem_responses(401, 403, 404, 409, 422),
)
async def approve_activation(
    activation_id: ActivationId,
    body: DecisionIn,
    caller: ActivationsApprove,
    session: Session,
    clock: ClockDependency,
) -> ActivationDetail:
    """Opens a proposed activation, which enrols and pays; whoever proposed it cannot approve it."""
    return await service.approve(session, activation_id, body, caller=caller, clock=clock)


@router.post(
    "/{activation_id}/decline",
    summary="Decline a proposed activation",
    responses=problem_responses(401, 403, 404, 409, 422),
)
async def decline_activation(
    activation_id: ActivationId,
    body: DecisionIn,
    caller: ActivationsApprove,
    session: Session,
    clock: ClockDependency,
) -> ActivationDetail:
    """Turns a proposed activation down; nothing is paid, and later evidence may propose again."""
    return await service.decline(session, activation_id, body, caller=caller, clock=clock)


@router.post(
    "/{activation_id}/correction",
    summary="Correct the areas of an open activation",
    responses=problem_responses(401, 403, 404, 409, 422),
)
async def correct_activation(
    activation_id: ActivationId,
    body: CorrectionIn,
    caller: ActivationsApprove,
    session: Session,
    clock: ClockDependency,
    checks: ChecksDependency,
) -> ActivationDetail:
    """Enrols and pays in the right areas instead of wrong ones; whoever proposed it cannot.

    An area in which households are enrolled stays: what has not been sent is stopped by cancelling.
    """
    await checks.require_areas(body.areas_added, at="/body/areas_added")
    enrolling_nobody = await checks.that_enrol_nobody(body.areas_refused)
    return await service.correct(
        session,
        activation_id,
        body,
        enrolling_nobody=enrolling_nobody,
        caller=caller,
        clock=clock,
    )


@router.post(
    "/{activation_id}/close",
    summary="Close an activation",
    responses=problem_responses(401, 403, 404, 409, 422),
)
async def close_activation(
    activation_id: ActivationId,
    body: DecisionIn,
    caller: ActivationsApprove,
    session: Session,
    clock: ClockDependency,
) -> ActivationDetail:
    """Ends its widening by later reports; whoever is enrolled is paid, in every round."""
    return await service.close(session, activation_id, body, caller=caller, clock=clock)


@router.post(
    "/{activation_id}/cancellation",
    summary="Cancel an activation",
    responses=problem_responses(401, 403, 404, 409, 422),
)
async def cancel_activation(
    activation_id: ActivationId,
    body: DecisionIn,
    caller: ActivationsApprove,
    session: Session,
    clock: ClockDependency,
) -> ActivationDetail:
    """Stops whatever of it has not been sent, in every round; what has been sent is paid.

    How much that is, payments says: `GET /v1/activations/{id}` there.
    """
    return await service.cancel(session, activation_id, body, caller=caller, clock=clock)
