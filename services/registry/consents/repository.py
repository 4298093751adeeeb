"""What households agree to, in the database."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.consents.tables import Consent
from services.registry.households.shape import REGISTRATION_NUMBER
from services.registry.households.tables import Household
from shared.choosing import one_of


async def add_consents(
    session: AsyncSession, rows: Sequence[Mapping[str, Any]]
) -> Sequence[Consent]:
    """Keep what households agree to; returns those that are kept: what stands already, stands.

    ``rows`` are by the table's columns, none of them with the household and purpose of another.
    """
    if not rows:
        return []
    statement = (
        insert(Consent)
        .on_conflict_do_nothing(
            index_elements=["household_id", "purpose"], index_where=Consent.withdrawn_on.is_(None)
        )
        .returning(Consent)
    )
    return (await session.scalars(statement, rows)).all()


async def last_withdrawals(
    session: AsyncSession, household_ids: Collection[UUID]
) -> dict[tuple[UUID, str], date]:
    """The day since which a household agreed to a purpose no more, the last of several."""
    rows = await session.execute(
        select(Consent.household_id, Consent.purpose, func.max(Consent.withdrawn_on))
        .where(one_of(Consent.household_id, set(household_ids)), Consent.withdrawn_on.is_not(None))
        .group_by(Consent.household_id, Consent.purpose)
    )
    return {(household_id, purpose): day for household_id, purpose, day in rows if day}


async def lock_standing(
    session: AsyncSession, household_id: UUID, *, purpose: str
) -> Consent | None:
    """What a household agrees to now, locked."""
    query = select(Consent).where(
        Consent.household_id == household_id,
        Consent.purpose == purpose,
        Consent.withdrawn_on.is_(None),
    )
    return await session.scalar(query.with_for_update())


async def registered_by(session: AsyncSession, indexes: Collection[bytes]) -> dict[bytes, UUID]:
    """The households of these registration numbers, by whichever index each is kept under."""
    assert REGISTRATION_NUMBER.found_by is not None
    column = getattr(Household, REGISTRATION_NUMBER.found_by.column)
    if not indexes:
        return {}
    rows = await session.execute(select(column, Household.id).where(one_of(column, indexes)))
    return {row[0]: row[1] for row in rows}


async def withdraw_consent(
    session: AsyncSession, consent_id: UUID, *, on: date, by: str, at: datetime
) -> Consent:
    """Keep that a household agrees no more."""
    statement = (
        update(Consent)
        .where(Consent.id == consent_id)
        .values(withdrawn_on=on, withdrawn_by=by, withdrawn_at=at)
        .returning(Consent)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    return (await session.scalars(statement)).one()


async def list_consents(
    session: AsyncSession, household_id: UUID, *, after: UUID | None, limit: int
) -> Sequence[Consent]:
    """What a household agreed to, in the order in which it was recorded."""
    query = select(Consent).where(Consent.household_id == household_id)
    if after is not None:
        query = query.where(Consent.id > after)
    return (await session.scalars(query.order_by(Consent.id).limit(limit))).all()
