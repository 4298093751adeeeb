"""What is asked of the database about files of figures that are sent by hand."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.imports.tables import ObservationImport


async def add(session: AsyncSession, **columns: Any) -> ObservationImport:
    """A file to come, as it stands then."""
    statement = insert(ObservationImport).values(**columns).returning(ObservationImport)
    return (await session.scalars(statement)).one()


async def find(session: AsyncSession, import_id: UUID) -> ObservationImport | None:
    """A file, or None where there is no such."""
    return await session.get(ObservationImport, import_id, populate_existing=True)


async def lock(session: AsyncSession, import_id: UUID) -> ObservationImport:
    """A file that is there, locked."""
    statement = select(ObservationImport).where(ObservationImport.id == import_id)
    return (
        await session.scalars(
            statement.with_for_update(), execution_options={"populate_existing": True}
        )
    ).one()


async def keep_sender(session: AsyncSession, import_id: UUID, *, sent_by: str) -> None:
    """Keep from whose hand a file comes, before anything of it is recorded."""
    await session.execute(
        update(ObservationImport).where(ObservationImport.id == import_id).values(sent_by=sent_by)
    )


async def keep_result(
    session: AsyncSession, import_id: UUID, *, recorded: int, **columns: Any
) -> ObservationImport:
    """Keep what came of a sending; what several recorded is counted together."""
    statement = (
        update(ObservationImport)
        .where(ObservationImport.id == import_id)
        .values(recorded=ObservationImport.recorded + recorded, **columns)
        .returning(ObservationImport)
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(statement)).one()


async def add_approved(
    session: AsyncSession, import_id: UUID, *, recorded: int, unchanged: int, set_aside: int
) -> None:
    """Count what a second person approved among what came of the file."""
    await session.execute(
        update(ObservationImport)
        .where(ObservationImport.id == import_id)
        .values(
            recorded=ObservationImport.recorded + recorded,
            unchanged=ObservationImport.unchanged + unchanged,
            set_aside=ObservationImport.set_aside + set_aside,
        )
    )


async def list_imports(
    session: AsyncSession, *, feed: str | None, before: UUID | None, limit: int
) -> Sequence[ObservationImport]:
    """Files, the newest first, of one feed or of all."""
    statement = select(ObservationImport).order_by(ObservationImport.id.desc()).limit(limit)
    if feed is not None:
        statement = statement.where(ObservationImport.feed_code == feed)
    if before is not None:
        statement = statement.where(ObservationImport.id < before)
    return (await session.scalars(statement)).all()
