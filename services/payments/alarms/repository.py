"""Raising alarms, each once for an instruction and a kind, and listing them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.alarms.tables import Alarm, AlarmKind
from services.payments.statements import AnyRow, paged

log = structlog.get_logger()

_RAISE = text(
    """
    INSERT INTO payments.alarm (instruction_id, kind, detail, raised_at)
    SELECT instruction_id, CAST(kind AS payments.alarm_kind), detail, :at
    FROM unnest(CAST(:ids AS uuid[]), CAST(:kinds AS text[]), CAST(:details AS text[]))
        AS given (instruction_id, kind, detail)
    ON CONFLICT (instruction_id, kind)
        DO UPDATE SET occurrences = alarm.occurrences + 1, detail = excluded.detail
    """
)


@dataclass(frozen=True, slots=True)
class NewAlarm:
    """What a person has to look at: which instruction, what kind, and what to do."""

    instruction_id: UUID
    kind: AlarmKind
    detail: str


async def raise_alarms(session: AsyncSession, alarms: Sequence[NewAlarm], *, at: datetime) -> None:
    """Keep alarms and log them; one that is already up is counted again."""
    if not alarms:
        return
    unique = {(alarm.instruction_id, alarm.kind): alarm for alarm in alarms}
    await session.execute(
        _RAISE,
        {
            "ids": [alarm.instruction_id for alarm in unique.values()],
            "kinds": [alarm.kind.value for alarm in unique.values()],
            "details": [alarm.detail for alarm in unique.values()],
            "at": at,
        },
    )
    for alarm in unique.values():
        log.error("alarm", kind=alarm.kind, instruction_id=str(alarm.instruction_id))


async def list_alarms(session: AsyncSession, *, after: int | None, limit: int) -> Sequence[AnyRow]:
    """Alarms in the order in which they were raised first."""
    query = paged(select(Alarm.__table__), Alarm.number, after=after, limit=limit)
    return (await session.execute(query)).all()
