"""Checks over HTTP, for triggers to ask."""

from fastapi import APIRouter

from services.registry.checks import service
from services.registry.scopes import ActivationsCheck
from shared.clock import ClockDependency
from shared.contracts.checks import ActivationCheck, ActivationChecked
from shared.database import Session
from shared.errors import problem_responses

router = APIRouter(prefix="/checks", tags=["activations"])


@router.post(
    "/activations",
    summary="Check what an activation would be made of",
    responses=problem_responses(400, 401, 403, 422),
)
async def check_activation(
    body: ActivationCheck, _: ActivationsCheck, session: Session, clock: ClockDependency
) -> ActivationChecked:
    """Says which areas are unknown, and whether the filter and the scheme can be used.

    A POST because there are thousands of areas; it changes nothing.
    """
    return await service.check_activation(session, body, today=clock.today())
