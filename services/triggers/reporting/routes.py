"""The state of an indicator's figures over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Path

from services.triggers.reporting import service
from services.triggers.reporting.schemas import QualityOut
from services.triggers.scopes import ObservationsRead
from shared.clock import ClockDependency
from shared.database import Session
from shared.documents import Code
from shared.errors import problem_responses

router = APIRouter(prefix="/indicators/{code}/quality", tags=["indicators"])


@router.get(
    "",
    summary="Read how complete an indicator is",
    responses=problem_responses(401, 403, 404, 422),
)
async def read_quality(
    code: Annotated[Code, Path(examples=["rice-wholesale-price"])],
    _: ObservationsRead,
    session: Session,
    clock: ClockDependency,
) -> QualityOut:
    """Says which figure is the latest, who reports and who is silent, and what was set aside.

    That nothing is there is no sign of calm: what is missing is told, and never filled.
    """
    return await service.quality_of(session, code, clock=clock)
