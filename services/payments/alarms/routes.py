"""Alarms: what a person has to look at, until its cause is gone."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from services.payments.alarms import repository, service
from services.payments.alarms.repository import AlarmStatus
from services.payments.alarms.schemas import AlarmOut, ClearanceIn
from services.payments.alarms.tables import AlarmKind
from services.payments.scopes import PaymentsRead, PaymentsWrite
from shared.clock import ClockDependency
from shared.database import Session
from shared.errors import problem_responses
from shared.pagination import PageOf, PageQuery
from shared.values import Whole

router = APIRouter(prefix="/alarms", tags=["alarms"])


@router.get("", summary="List alarms", responses=problem_responses(400, 401, 403, 422))
async def list_alarms(
    _: PaymentsRead,
    session: Session,
    page: PageQuery,
    clock: ClockDependency,
    status: Annotated[
        AlarmStatus | None, Query(description="Only those that are open, or cleared.")
    ] = None,
    kind: Annotated[AlarmKind | None, Query(description="Only those of this kind.")] = None,
    instruction_id: Annotated[
        UUID | None, Query(description="Only those about this instruction.")
    ] = None,
) -> PageOf[AlarmOut]:
    """Contradictions, other payments than we ordered, and what has had no end for too long, oldest
    first, each with its age."""
    rows = await repository.list_alarms(
        session,
        after=page.after(int),
        limit=page.fetch_limit,
        status=status,
        kind=kind,
        instruction_id=instruction_id,
    )
    now = clock.now()
    return page.of([service.shown(row, now=now) for row in rows], key=lambda alarm: (alarm.number,))


@router.post(
    "/{number}/clearance",
    summary="Clear an alarm",
    responses=problem_responses(401, 403, 404, 409, 422),
)
async def clear_alarm(
    number: Annotated[int, Whole(least=1, most=2**63 - 1)],
    body: ClearanceIn,
    caller: PaymentsWrite,
    session: Session,
    clock: ClockDependency,
) -> AlarmOut:
    """Says that a person has looked at a contradiction that stays. It moves nothing, and the alarm
    is raised again if it is told again."""
    return await service.clear(session, number, reason=body.reason, caller=caller, clock=clock)
