"""How far an activation is, while its payments happen."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from services.payments.progress import service
from services.payments.progress.schemas import ProgressOut
from services.payments.progress.standing import By
from services.payments.scopes import PaymentsRead
from shared.database import Session
from shared.errors import problem_responses

router = APIRouter(prefix="/activations", tags=["activations"])

Grouping = Annotated[
    By | None,
    Query(description="Tell counts apart by this as well.", examples=["province"]),
]


@router.get(
    "/{activation_id}/progress",
    summary="Get an activation's progress",
    responses=problem_responses(401, 403, 404, 422),
)
async def get_progress(
    activation_id: UUID, _: PaymentsRead, session: Session, by: Grouping = None
) -> ProgressOut:
    """How many payments are in which state, for how much, how fast they end, and what waits for a
    person. Counts are kept as payments happen, so asking again and again is cheap."""
    return ProgressOut.of(activation_id, await service.read_standing(session, activation_id), by=by)
