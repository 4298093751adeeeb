"""The rounds of an activation over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response

from services.registry.rounds import service
from services.registry.rounds.schemas import RoundOut
from services.registry.scopes import EnrolmentsRead, RoundsRelease
from services.registry.settings import Settings
from shared.approvals import ApprovalOut
from shared.approvals.routes import TwoPersonSteps
from shared.clock import ClockDependency
from shared.database import Session
from shared.errors import problem_responses
from shared.idempotency import Once
from shared.values import Whole

router = APIRouter(prefix="/activations", tags=["activations"])


@router.get(
    "/{activation_id}/rounds",
    summary="List an activation's rounds",
    responses=problem_responses(401, 403, 404, 422),
)
async def list_rounds(
    activation_id: UUID, caller: EnrolmentsRead, session: Session, clock: ClockDependency
) -> list[RoundOut]:
    """Every round with its due date: the first is paid at once, later ones wait for a release."""
    return await service.list_rounds(session, activation_id, clock=clock)


@router.post(
    "/{activation_id}/rounds/{number}/release",
    status_code=202,
    response_model=ApprovalOut,
    summary="Release a round that is due",
    responses={
        200: {"model": RoundOut, "description": "Released at once: so little one person may."},
        **problem_responses(400, 401, 403, 404, 409, 422),
    },
)
async def release_round(
    activation_id: UUID,
    number: Annotated[int, Whole(least=2, most=60), Path(examples=[2])],
    caller: RoundsRelease,
    session: Session,
    clock: ClockDependency,
    once: Once,
    steps: TwoPersonSteps,
    request: Request,
) -> Response:
    """Has the round's entitlements worked out from the enrolments, and announced to payments.

    Above the amount that one person may release (`REGISTRY_RELEASE_ALONE_MINOR`) it is a proposal,
    and happens when a second person approves.
    """
    settings: Settings = request.app.state.settings
    return await once.reply(
        None,
        lambda: service.release_round(
            session,
            steps,
            activation_id,
            number,
            alone_minor=settings.release_alone_minor,
            caller=caller,
            clock=clock,
        ),
        status_code=lambda done: 200 if isinstance(done, RoundOut) else 202,
    )
