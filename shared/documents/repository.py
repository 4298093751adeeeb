"""What is asked of the database about versioned documents."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncSession

from shared.documents.kind import DocumentKind
from shared.documents.schemas import Posted
from shared.documents.tables import DocumentVersion


async def latest_version(session: AsyncSession, kind: DocumentKind[Posted], code: str) -> int:
    """The number of the version in force; 0 where there is none."""
    latest = await session.scalar(
        select(func.max(kind.table.version)).where(kind.table.code == code)
    )
    return latest or 0


async def add_version(
    session: AsyncSession,
    kind: DocumentKind[Posted],
    document: Posted,
    *,
    version: int,
    posted_by: str,
    posted_at: datetime,
) -> DocumentVersion | None:
    """The new row, or None where that version of the code is taken."""
    statement = (
        insert(kind.table)
        .values(
            code=document.code,
            version=version,
            document=document.model_dump(mode="json"),
            posted_by=posted_by,
            posted_at=posted_at,
            **kind.columns(document),
        )
        .on_conflict_do_nothing()
        .returning(kind.table)
    )
    return (await session.scalars(statement)).one_or_none()


async def find_version(
    session: AsyncSession, kind: DocumentKind[Posted], code: str, version: int | None = None
) -> DocumentVersion | None:
    """A version of a code, the one in force without a number."""
    statement = select(kind.table).where(kind.table.code == code)
    if version is not None:
        statement = statement.where(kind.table.version == version)
    return await session.scalar(statement.order_by(kind.table.version.desc()).limit(1))


async def list_in_force(
    session: AsyncSession,
    kind: DocumentKind[Posted],
    *,
    where: ColumnElement[bool] | None = None,
    after: str | None = None,
    limit: int | None = None,
) -> list[DocumentVersion]:
    """The version in force of each document, by code, behind one code.

    ``where`` may speak of what all versions share: it chooses before the newest is taken.
    """
    statement = select(kind.table).ext(distinct_on(kind.table.code))
    if where is not None:
        statement = statement.where(where)
    if after is not None:
        statement = statement.where(kind.table.code > after)
    statement = statement.order_by(kind.table.code, kind.table.version.desc()).limit(limit)
    return list((await session.scalars(statement)).all())


async def list_versions(
    session: AsyncSession,
    kind: DocumentKind[Posted],
    code: str,
    *,
    below: int | None,
    limit: int,
) -> list[DocumentVersion]:
    """All versions of one document, newest first, below one number."""
    statement = select(kind.table).where(kind.table.code == code)
    if below is not None:
        statement = statement.where(kind.table.version < below)
    statement = statement.order_by(kind.table.version.desc()).limit(limit)
    return list((await session.scalars(statement)).all())


def stored_fields(row: DocumentVersion) -> dict[str, Any]:
    """What a row tells about its version."""
    return {
        "code": row.code,
        "version": row.version,
        "posted_by": row.posted_by,
        "posted_at": row.posted_at,
        "document": row.document,
    }
