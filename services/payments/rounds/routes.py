"""Rounds: which are released for dispatch, and what the others wait for."""

from typing import Annotated

from fastapi import APIRouter, Query

from services.payments.listing import ActivationFilter, by_number, page_of_rows
from services.payments.rounds import repository
from services.payments.rounds.schemas import RoundOut
from services.payments.rounds.states import RoundStatus
from services.payments.scopes import PaymentsRead
from shared.database import Session
from shared.errors import problem_responses
from shared.pagination import Int4, PageOf, PageQuery

router = APIRouter(prefix="/rounds", tags=["rounds"])


@router.get("", summary="List rounds", responses=problem_responses(400, 401, 403, 422))
async def list_rounds(
    _: PaymentsRead,
    session: Session,
    page: PageQuery,
    activation_id: ActivationFilter = None,
    status: Annotated[RoundStatus | None, Query(description="Only those in this state.")] = None,
) -> PageOf[RoundOut]:
    """Rounds in the order in which they were announced; one that waits for money says so."""
    rows = await repository.list_rounds(
        session,
        after=page.after(Int4),
        limit=page.fetch_limit,
        activation_id=activation_id,
        status=status,
    )
    return page_of_rows(page, rows, RoundOut, key=by_number)
