"""The rounds of an activation over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Response

from services.registry.rounds import service
from services.registry.rounds.schemas import RoundOut
from services.registry.scopes import EnrolmentsRead, RoundsRelease
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
    response_model=RoundOut,
    summary="Release a round that is due",
    responses=problem_responses(400, 401, 403, 404, 409, 422),
)
async def release_round(
    activation_id: UUID,
    number: Annotated[int, Whole(least=2, most=60), Path(examples=[2])],
    caller: RoundsRelease,
    session: Session,
    clock: ClockDependency,
    once: Once,
) -> Response:
    """Has the round's entitlements worked out from the enrolments, and announced to payments."""
    return await once.reply(
        None,
        lambda: service.release_round(session, activation_id, number, caller=caller, clock=clock),
        status_code=202,
    )
