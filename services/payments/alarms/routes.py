"""Alarms: contradictions that only a person can settle."""

from fastapi import APIRouter

from services.payments.alarms import repository
from services.payments.alarms.schemas import AlarmOut
from services.payments.listing import by_number, page_of_rows
from services.payments.scopes import PaymentsRead
from shared.database import Session
from shared.errors import problem_responses
from shared.pagination import PageOf, PageQuery

router = APIRouter(prefix="/alarms", tags=["alarms"])


@router.get("", summary="List alarms", responses=problem_responses(400, 401, 403, 422))
async def list_alarms(_: PaymentsRead, session: Session, page: PageQuery) -> PageOf[AlarmOut]:
    """Late successes, contradictions and other payments than we ordered, oldest first."""
    rows = await repository.list_alarms(session, after=page.after(int), limit=page.fetch_limit)
    return page_of_rows(page, rows, AlarmOut, key=by_number)
