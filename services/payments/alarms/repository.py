"""Raising alarms, each once for an instruction and a kind, and listing them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import structlog
from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.alarms.tables import Alarm, AlarmKind
from services.payments.providers.tables import Provider
from services.payments.statements import AnyRow, AnySelect, narrowed, paged

log = structlog.get_logger()

RAISE_AGAIN = """
    DO UPDATE SET occurrences = alarm.occurrences + 1, detail = excluded.detail,
        raised_at = excluded.raised_at, cleared_at = NULL, cleared_by = NULL, cleared_reason = NULL
"""
"""What is done on a conflict where an alarm is raised that is not up: it was cleared before."""

_RAISE = text(
    """
    INSERT INTO payments.alarm (instruction_id, kind, detail, raised_at)
    SELECT instruction_id, CAST(kind AS payments.alarm_kind), detail, :at
    FROM unnest(CAST(:ids AS uuid[]), CAST(:kinds AS text[]), CAST(:details AS text[]))
        AS given (instruction_id, kind, detail)
    ON CONFLICT (instruction_id, kind)
        DO UPDATE SET occurrences = alarm.occurrences + 1, detail = excluded.detail,
            raised_at = CASE WHEN alarm.cleared_at IS NULL THEN alarm.raised_at
                ELSE excluded.raised_at END,
            cleared_at = NULL, cleared_by = NULL, cleared_reason = NULL
    """
)

_RAISE_OF_PROVIDER = text(
    """
    INSERT INTO payments.alarm (provider_number, kind, detail, occurrences, raised_at)
    SELECT provider_number, CAST(kind AS payments.alarm_kind), detail, occurrences, :at
    FROM unnest(CAST(:numbers AS smallint[]), CAST(:kinds AS text[]), CAST(:details AS text[]),
        CAST(:occurrences AS integer[])) AS given (provider_number, kind, detail, occurrences)
    ON CONFLICT (provider_number, kind) WHERE instruction_id IS NULL
        DO UPDATE SET occurrences = alarm.occurrences + excluded.occurrences,
            detail = excluded.detail,
            raised_at = CASE WHEN alarm.cleared_at IS NULL THEN alarm.raised_at
                ELSE excluded.raised_at END,
            cleared_at = NULL, cleared_by = NULL, cleared_reason = NULL
    """
)


class AlarmStatus(StrEnum):
    OPEN = "open"
    CLEARED = "cleared"


@dataclass(frozen=True, slots=True)
class NewAlarm:
    """What a person has to look at: which instruction, what kind, and what to do."""

    instruction_id: UUID
    kind: AlarmKind
    detail: str


@dataclass(frozen=True, slots=True)
class ProviderAlarm:
    """What a person has to look at that is about no single payment."""

    provider_number: int
    kind: AlarmKind
    detail: str


async def raise_of_provider(
    session: AsyncSession, alarms: Sequence[ProviderAlarm], *, at: datetime
) -> None:
    """Keep alarms about providers and log them; of one kind the latest is told, and all count."""
    if not alarms:
        return
    counts = Counter((alarm.provider_number, alarm.kind) for alarm in alarms)
    latest = {(alarm.provider_number, alarm.kind): alarm for alarm in alarms}
    told = [latest[key] for key in sorted(latest)]
    await session.execute(
        _RAISE_OF_PROVIDER,
        {
            "numbers": [alarm.provider_number for alarm in told],
            "kinds": [alarm.kind.value for alarm in told],
            "details": [alarm.detail for alarm in told],
            "occurrences": [counts[alarm.provider_number, alarm.kind] for alarm in told],
            "at": at,
        },
    )
    for alarm in told:
        log.error("alarm", kind=alarm.kind, provider_number=alarm.provider_number)


async def raise_alarms(session: AsyncSession, alarms: Sequence[NewAlarm], *, at: datetime) -> None:
    """Keep alarms and log them; one that is already up is counted again."""
    if not alarms:
        return
    # In one order everywhere, so that two sets never wait for each other in a circle.
    unique = {
        (alarm.instruction_id, alarm.kind): alarm
        for alarm in sorted(alarms, key=lambda alarm: (alarm.instruction_id, alarm.kind))
    }
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


async def list_alarms(
    session: AsyncSession,
    *,
    after: int | None,
    limit: int,
    status: AlarmStatus | None,
    kind: AlarmKind | None,
    instruction_id: UUID | None,
) -> Sequence[AnyRow]:
    """Alarms in the order in which they were raised first; what is None does not narrow."""
    query = narrowed(_select(), {Alarm.kind: kind, Alarm.instruction_id: instruction_id})
    if status is not None:
        is_open = Alarm.cleared_at.is_(None)
        query = query.where(is_open if status is AlarmStatus.OPEN else ~is_open)
    return (await session.execute(paged(query, Alarm.number, after=after, limit=limit))).all()


async def open_by_kind(session: AsyncSession) -> dict[AlarmKind, int]:
    """How many alarms of each kind are up."""
    rows = await session.execute(
        select(Alarm.kind, func.count()).where(Alarm.cleared_at.is_(None)).group_by(Alarm.kind)
    )
    return {row[0]: row[1] for row in rows}


async def find_alarm(session: AsyncSession, number: int) -> AnyRow | None:
    """An alarm, or None."""
    return (await session.execute(_select().where(Alarm.number == number))).one_or_none()


async def clear_alarm(
    session: AsyncSession, number: int, *, by: str, reason: str, at: datetime
) -> bool:
    """Clear an open alarm by a person's word; whether it was open."""
    statement = (
        update(Alarm)
        .where(Alarm.number == number, Alarm.cleared_at.is_(None))
        .values(cleared_at=at, cleared_by=by, cleared_reason=reason)
        .returning(Alarm.number)
    )
    return await session.scalar(statement) is not None


async def clear_alarms_of(
    session: AsyncSession, ids: Sequence[UUID], kind: AlarmKind, *, at: datetime
) -> None:
    """Clear open alarms of a kind about these instructions: their cause is gone."""
    await session.execute(
        update(Alarm)
        .where(Alarm.instruction_id.in_(ids), Alarm.kind == kind, Alarm.cleared_at.is_(None))
        .values(cleared_at=at)
    )


def _select() -> AnySelect:
    return select(Alarm.__table__, Provider.code.label("provider")).join(
        Provider, Provider.number == Alarm.provider_number, isouter=True
    )
