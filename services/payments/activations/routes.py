"""Activations: how much of each was sent, and what a cancelling stopped."""

from uuid import UUID

from fastapi import APIRouter

from services.payments.activations import service
from services.payments.activations.schemas import ActivationOut
from services.payments.scopes import PaymentsRead
from shared.database import Session
from shared.errors import problem_responses

router = APIRouter(prefix="/activations", tags=["activations"])


@router.get(
    "/{activation_id}",
    summary="Get an activation's sums",
    responses=problem_responses(401, 403, 404, 422),
)
async def get_activation(activation_id: UUID, _: PaymentsRead, session: Session) -> ActivationOut:
    """How many payments were announced, sent and paid; and where it was cancelled, since when, how
    many were stopped and how many had been sent."""
    return await service.get_activation(session, activation_id)
