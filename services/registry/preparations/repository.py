"""Preparations in the database."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.areas.tables import COUNTRY_CODE
from services.registry.preparations import statements
from services.registry.preparations.tables import Preparation
from services.registry.schemes.document import SchemeDocument
from shared.bounds import Bound

# An area of it lies in one of theirs, or one of theirs in it.
_IS_ABOUT_THEM = text(
    f"""
    EXISTS (
        SELECT FROM unnest(preparation.areas) AS area
        CROSS JOIN unnest(CAST(:bound AS text[])) AS bound_to
        WHERE area = '{COUNTRY_CODE}' OR starts_with(area, bound_to)
           OR starts_with(bound_to, area))
    """
)


async def keep(session: AsyncSession, **fields: Any) -> None:
    """Keep what was counted; the last count of a span holds."""
    statement = insert(Preparation).values(fields)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=[Preparation.readiness_id],
            set_={name: statement.excluded[name] for name in fields if name != "readiness_id"},
        )
    )


async def stand_down(session: AsyncSession, readiness_id: UUID, *, on: date) -> None:
    """Keep that a span ended; one that was never heard of is none to end."""
    await session.execute(
        update(Preparation)
        .where(Preparation.readiness_id == readiness_id)
        .values(stood_down_on=on)
        .execution_options(synchronize_session=False)
    )


async def find(session: AsyncSession, readiness_id: UUID) -> Preparation | None:
    """The preparation for a span of readiness."""
    return await session.scalar(select(Preparation).where(Preparation.readiness_id == readiness_id))


async def list_preparations(
    session: AsyncSession,
    *,
    trigger: str | None,
    only_ready: bool,
    bound: Bound,
    before: tuple[date, UUID] | None,
    limit: int,
) -> Sequence[Preparation]:
    """The latest first, before one of them; of a caller's areas, those that are about them."""
    place = tuple_(Preparation.readied_on, Preparation.readiness_id)
    query = (
        select(Preparation)
        .order_by(Preparation.readied_on.desc(), Preparation.readiness_id.desc())
        .limit(limit)
    )
    if trigger is not None:
        query = query.where(Preparation.trigger == trigger)
    if only_ready:
        query = query.where(Preparation.stood_down_on.is_(None))
    if bound is not None:
        query = query.where(_IS_ABOUT_THEM.bindparams(bound=list(bound)))
    if before is not None:
        query = query.where(place < before)
    return (await session.scalars(query)).all()


async def list_accounts(
    session: AsyncSession,
    document: SchemeDocument,
    communes: Collection[str],
    *,
    providers: Sequence[str],
    after: UUID | None,
    limit: int,
    as_of: date,
) -> Sequence[Any]:
    """Accounts at these providers of whom a scheme would pay in these communes, by household."""
    given = {
        "area_codes": sorted(communes),
        "providers": list(providers),
        "after": after,
        "limit": limit,
        "as_of": as_of,
    }
    return (await session.execute(statements.accounts(document), given)).all()
