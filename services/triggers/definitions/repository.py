"""What is asked of the database about trigger definitions."""

from typing import Any

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from services.triggers.definitions.tables import TriggerDefinition

_LATEST_VERSION = text("SELECT max(version) FROM triggers.trigger_definition WHERE code = :code")


async def latest_version(session: AsyncSession, code: str) -> int | None:
    version: int | None = await session.scalar(_LATEST_VERSION, {"code": code})
    return version


async def find_definition(
    session: AsyncSession, code: str, version: int
) -> TriggerDefinition | None:
    return await session.get(TriggerDefinition, (code, version))


async def add_definition(
    session: AsyncSession, definition: dict[str, Any]
) -> TriggerDefinition | None:
    """The new row, or None where that version of the code is taken."""
    statement = (
        insert(TriggerDefinition)
        .values(definition)
        .on_conflict_do_nothing()
        .returning(TriggerDefinition)
    )
    return (await session.scalars(statement)).one_or_none()


async def list_latest(
    session: AsyncSession,
    *,
    indicator: str | None = None,
    after: str | None = None,
    limit: int | None = None,
) -> list[TriggerDefinition]:
    """The version in force of each trigger, by code."""
    later = aliased(TriggerDefinition)
    superseded = (
        select(later.code)
        .where(later.code == TriggerDefinition.code, later.version > TriggerDefinition.version)
        .exists()
    )
    statement = select(TriggerDefinition).where(~superseded).order_by(TriggerDefinition.code)
    if indicator is not None:
        statement = statement.where(TriggerDefinition.indicator_code == indicator)
    if after is not None:
        statement = statement.where(TriggerDefinition.code > after)
    return list(await session.scalars(statement.limit(limit)))


async def list_versions(
    session: AsyncSession, code: str, *, below: int | None, limit: int
) -> list[TriggerDefinition]:
    """All versions of one trigger, newest first."""
    statement = (
        select(TriggerDefinition)
        .where(TriggerDefinition.code == code)
        .order_by(TriggerDefinition.version.desc())
        .limit(limit)
    )
    if below is not None:
        statement = statement.where(TriggerDefinition.version < below)
    return list(await session.scalars(statement))
