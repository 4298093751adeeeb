"""Activations over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response

from services.triggers.activations import service
from services.triggers.activations.schemas import (
    ActivationDetail,
    ActivationOut,
    DecisionIn,
    DeclarationIn,
)
from services.triggers.activations.states import State
from services.triggers.scopes import ActivationsApprove, ActivationsRead, ActivationsWrite
from shared.clock import ClockDependency
from shared.database import Session
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
    session: Session,
    clock: ClockDependency,
    once: Once,
) -> Response:
    """Proposes an activation of a trigger's scheme in some areas, with the official's reason.

    It opens, and pays, when a second person approves it.
    """
    return await once.reply(
        body,
        lambda: service.declare(session, body, caller=caller, clock=clock),
    )


@router.get("", summary="List activations", responses=problem_responses(400, 401, 403, 422))
async def list_activations(
    _: ActivationsRead,
    session: Session,
    page: PageQuery,
    trigger: Annotated[str | None, Query(max_length=64, examples=["flood-reported-impact"])] = None,
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
    activation_id: ActivationId, _: ActivationsRead, session: Session
) -> ActivationDetail:
    """Reads an activation with its areas and with who moved it, when and why."""
    return await service.get(session, activation_id)


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
