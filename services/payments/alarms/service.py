"""What is told of alarms, and clearing one that a person has looked at."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.alarms import repository
from services.payments.alarms.schemas import AlarmOut
from services.payments.alarms.tables import CLEARED_BY_PERSONS
from services.payments.statements import AnyRow
from shared.auth import Caller
from shared.clock import Clock
from shared.errors import Conflict, NotFound


def shown(row: AnyRow, *, now: datetime) -> AlarmOut:
    """An alarm with its age: until now, or until it was cleared."""
    age = (row.cleared_at or now) - row.raised_at
    return AlarmOut(**row._mapping, age_seconds=int(age.total_seconds()))


async def clear(
    session: AsyncSession, number: int, *, reason: str, caller: Caller, clock: Clock
) -> AlarmOut:
    """Clear an alarm whose cause may stay for good; raises NotFound, Conflict."""
    row = await repository.find_alarm(session, number)
    if row is None:
        raise NotFound("There is no such alarm. GET /v1/alarms lists them.")
    if row.kind not in CLEARED_BY_PERSONS:
        raise Conflict(
            f"An alarm {row.kind} is cleared by itself when its cause is gone: "
            "GET /v1/unresolved says what to do."
        )
    at = clock.now()
    if not await repository.clear_alarm(session, number, by=caller.subject, reason=reason, at=at):
        raise Conflict("It is cleared already.")
    row = await repository.find_alarm(session, number)
    assert row is not None
    return shown(row, now=at)
