"""What is asked of the database about readiness."""

from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.readiness.tables import Readiness
from shared.choosing import one_of


async def find(session: AsyncSession, ids: Collection[UUID]) -> dict[UUID, Readiness]:
    """Those of ``ids`` that are kept."""
    statement = (
        select(Readiness)
        .where(one_of(Readiness.id, sorted(ids)))
        .execution_options(populate_existing=True)
    )
    return {found.id: found for found in await session.scalars(statement)}


async def add(session: AsyncSession, readiness: dict[str, object]) -> None:
    await session.execute(insert(Readiness).values(readiness))


async def change(
    session: AsyncSession,
    readiness_id: UUID,
    *,
    stood_down_on: date | None,
    areas: Sequence[str],
) -> None:
    await session.execute(
        update(Readiness)
        .where(Readiness.id == readiness_id)
        .values(stood_down_on=stood_down_on, areas=areas)
        .execution_options(synchronize_session=False)
    )


async def list_readiness(
    session: AsyncSession,
    *,
    trigger: str | None,
    only_ready: bool,
    before: tuple[date, UUID] | None,
    limit: int,
) -> Sequence[Readiness]:
    """The latest first, before one of them."""
    statement = (
        select(Readiness).order_by(Readiness.readied_on.desc(), Readiness.id.desc()).limit(limit)
    )
    if trigger is not None:
        statement = statement.where(Readiness.trigger_code == trigger)
    if only_ready:
        statement = statement.where(Readiness.stood_down_on.is_(None))
    if before is not None:
        statement = statement.where(tuple_(Readiness.readied_on, Readiness.id) < before)
    return (await session.scalars(statement)).all()
