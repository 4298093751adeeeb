"""The proofs that the books are right, and summaries of what was paid."""

from uuid import UUID

from fastapi import APIRouter

from services.payments.proofs import service
from services.payments.proofs.schemas import ActivationPaymentsOut, ProofsOut
from services.payments.scopes import PaymentsRead
from shared.database import Session
from shared.errors import problem_responses

router = APIRouter(tags=["proofs"])


@router.get("/proofs", summary="Prove the books", responses=problem_responses(401, 403))
async def get_proofs(_: PaymentsRead, session: Session) -> ProofsOut:
    """Compares what was written separately: balances and transfers, postings and states, chunks
    and instructions; `reach` says what that cannot know. Reads everything; meant for a person or a
    daily job, not for a dashboard."""
    return await service.prove(session)


@router.get(
    "/activations/{activation_id}/payments",
    summary="Get an activation's payments",
    responses=problem_responses(401, 403, 404, 422),
)
async def get_activation_payments(
    activation_id: UUID, _: PaymentsRead, session: Session
) -> ActivationPaymentsOut:
    """How many payments of the activation are where, for how much, and why some failed."""
    return await service.activation_payments(session, activation_id)
