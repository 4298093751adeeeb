"""Reservations over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from services.payments.reservations import repository
from services.payments.reservations.schemas import ReservationOut
from services.payments.scopes import FundsRead
from shared.database import Session
from shared.documents import Code
from shared.errors import problem_responses
from shared.pagination import PageOf, PageQuery

router = APIRouter(prefix="/reservations", tags=["funds"])


@router.get("", summary="List reservations", responses=problem_responses(400, 401, 403, 422))
async def list_reservations(
    _: FundsRead,
    session: Session,
    page: PageQuery,
    fund: Annotated[Code | None, Query(description="Only those in this fund.")] = None,
    trigger: Annotated[Code | None, Query(description="Only those for this trigger.")] = None,
) -> PageOf[ReservationOut]:
    """Money that funds keep for triggers that are ready, and what was kept before.

    A trigger that becomes ready has its scheme's money kept; rounds of its activations take it,
    and what is left goes back by itself when the trigger stands down.
    """
    rows = await repository.list_reservations(
        session, after=page.after(UUID), limit=page.fetch_limit, fund=fund, trigger=trigger
    )
    return page.of(
        [_shown(row._asdict()) for row in rows],
        key=lambda reservation: (reservation.readiness_id,),
    )


def _shown(row: dict[str, object]) -> ReservationOut:
    kept = ReservationOut.model_validate({**row, "short_minor": 0})
    if kept.released_at is not None:
        return kept
    short_minor = max(kept.wanted_minor - kept.drawn_minor - kept.reserved_minor, 0)
    return kept.model_copy(update={"short_minor": short_minor})
