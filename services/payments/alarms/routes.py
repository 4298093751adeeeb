"""Alarms: contradictions that only a person can settle."""

from fastapi import APIRouter
from sqlalchemy import text

from services.payments.alarms.schemas import AlarmOut
from services.payments.scopes import PaymentsRead
from shared.database import Session
from shared.errors import problem_responses
from shared.pagination import PageOf, PageQuery, decode_cursor, page_of

router = APIRouter(prefix="/alarms", tags=["alarms"])

_LIST = text(
    """
    SELECT number, instruction_id, kind::text AS kind, detail, occurrences, raised_at
    FROM payments.alarm
    WHERE number > :after
    ORDER BY number
    LIMIT :limit
    """
)


@router.get("", summary="List alarms", responses=problem_responses(400, 401, 403, 422))
async def list_alarms(caller: PaymentsRead, session: Session, page: PageQuery) -> PageOf[AlarmOut]:
    """Late successes, contradictions and other payments than we ordered, oldest first."""
    after = decode_cursor(page.cursor, int)[0] if page.cursor else 0
    rows = await session.execute(_LIST, {"after": after, "limit": page.limit + 1})
    alarms = [AlarmOut.model_validate(row._asdict()) for row in rows]
    return page_of(alarms, page=page, key=lambda alarm: (alarm.number,))
