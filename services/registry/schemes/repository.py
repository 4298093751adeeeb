"""Schemes in the database."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.schemes.document import SchemeDocument
from services.registry.schemes.tables import Scheme, SchemeVersion


async def add_scheme(session: AsyncSession, code: str) -> bool:
    """Whether the scheme is new."""
    added = await session.scalar(
        insert(Scheme).values(code=code).on_conflict_do_nothing().returning(Scheme.code)
    )
    return added is not None


async def add_version(
    session: AsyncSession, document: SchemeDocument, *, posted_by: str, posted_at: datetime
) -> SchemeVersion | None:
    """The scheme's next version; None where another one came at the same moment."""
    latest = await session.scalar(
        select(func.max(SchemeVersion.version)).where(SchemeVersion.scheme_code == document.code)
    )
    return await session.scalar(
        insert(SchemeVersion)
        .values(
            scheme_code=document.code,
            version=(latest or 0) + 1,
            document=document.model_dump(mode="json"),
            posted_by=posted_by,
            posted_at=posted_at,
        )
        .on_conflict_do_nothing()
        .returning(SchemeVersion)
    )


async def find_version(
    session: AsyncSession, code: str, version: int | None = None
) -> SchemeVersion | None:
    """A version of a scheme, the newest without a number."""
    query = select(SchemeVersion).where(SchemeVersion.scheme_code == code)
    if version is not None:
        query = query.where(SchemeVersion.version == version)
    return await session.scalar(query.order_by(SchemeVersion.version.desc()).limit(1))


async def get_document(session: AsyncSession, code: str, version: int) -> SchemeDocument:
    """The document of a version that is known to be there."""
    stored = await session.get_one(SchemeVersion, (code, version))
    return SchemeDocument.model_validate(stored.document)


async def list_versions(
    session: AsyncSession, code: str, *, after: int, limit: int
) -> list[SchemeVersion]:
    """Versions of one scheme by number, after one number."""
    rows = await session.scalars(
        select(SchemeVersion)
        .where(SchemeVersion.scheme_code == code, SchemeVersion.version > after)
        .order_by(SchemeVersion.version)
        .limit(limit)
    )
    return list(rows.all())


async def list_latest(session: AsyncSession, *, after: str, limit: int) -> list[SchemeVersion]:
    """The newest version of each scheme, by code, after one code."""
    rows = await session.scalars(
        select(SchemeVersion)
        .ext(distinct_on(SchemeVersion.scheme_code))
        .where(SchemeVersion.scheme_code > after)
        .order_by(SchemeVersion.scheme_code, SchemeVersion.version.desc())
        .limit(limit)
    )
    return list(rows.all())
