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
from services.triggers.scopes import ActivationsRead, ActivationsWrite
from shared.approvals import ApprovalOut
from shared.approvals.routes import TwoPersonSteps
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
    status_code=202,
    response_model=ApprovalOut,
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
    steps: TwoPersonSteps,
) -> Response:
    """Proposes an activation of a trigger's scheme in some areas, with the official's reason.

    It opens, and pays, once a second person approves the proposal that is answered:
    `POST /v1/approvals/{approval_id}/approval`. The registry is asked whether anybody could be
    enrolled by it, and how much that would pay.
    """
    database: Database = request.app.state.database
    estimate = await service.require_activating(body, database=database, checks=checks)
    return await once.reply(
        body,
        lambda: service.declare(
            session, steps, body, estimate=estimate, caller=caller, clock=clock
        ),
        status_code=202,
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
    "/{activation_id}/correction",
    status_code=202,
    response_model=ApprovalOut,
    summary="Propose to correct the areas of an open activation",
    responses=problem_responses(400, 401, 403, 404, 409, 422),
)
async def correct_activation(
    activation_id: ActivationId,
    body: CorrectionIn,
    caller: ActivationsWrite,
    request: Request,
    session: Session,
    clock: ClockDependency,
    once: Once,
    checks: ChecksDependency,
    steps: TwoPersonSteps,
) -> Response:
    """Enrols and pays in the right areas instead of wrong ones, once a second person approves.

    An area in which households are enrolled stays: what has not been sent is stopped by cancelling.
    """
    database: Database = request.app.state.database
    looked_up = await service.look_up(activation_id, body, database=database, checks=checks)
    return await once.reply(
        body,
        lambda: service.propose_correction(
            session,
            steps,
            activation_id,
            body,
            looked_up=looked_up,
            caller=caller,
            clock=clock,
        ),
        status_code=202,
    )


@router.post(
    "/{activation_id}/close",
    summary="Close an activation",
    responses=problem_responses(401, 403, 404, 409, 422),
)
async def close_activation(
    activation_id: ActivationId,
    body: DecisionIn,
    caller: ActivationsWrite,
    session: Session,
    clock: ClockDependency,
) -> ActivationDetail:
    """Ends its widening by later reports; whoever is enrolled is paid, in every round.

    One person does that alone, for it moves no money: it only ever lets less be paid.
    """
    return await service.close(session, activation_id, body, caller=caller, clock=clock)


@router.post(
    "/{activation_id}/cancellation",
    status_code=202,
    response_model=ApprovalOut,
    summary="Propose to cancel an activation",
    responses=problem_responses(400, 401, 403, 404, 409, 422),
)
async def cancel_activation(
    activation_id: ActivationId,
    body: DecisionIn,
    caller: ActivationsWrite,
    session: Session,
    clock: ClockDependency,
    once: Once,
    steps: TwoPersonSteps,
) -> Response:
    """Stops whatever of it has not been sent, in every round, once a second person approves.

    What has been sent is paid; how much that is, payments says: `GET /v1/activations/{id}` there.
    """
    return await once.reply(
        body,
        lambda: service.propose_cancellation(
            session, steps, activation_id, body, caller=caller, clock=clock
        ),
        status_code=202,
    )
