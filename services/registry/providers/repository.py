"""Providers in the database."""

from collections.abc import Mapping

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.providers.tables import Provider


async def replace_providers(session: AsyncSession, currencies: Mapping[str, str]) -> None:
    """Bring the table to these providers: codes with their currencies."""
    await session.execute(delete(Provider).where(Provider.code.not_in(currencies)))
    if not currencies:
        return
    given = insert(Provider).values(
        [{"code": code, "currency": currency} for code, currency in currencies.items()]
    )
    await session.execute(
        given.on_conflict_do_update(
            index_elements=[Provider.code], set_={"currency": given.excluded.currency}
        )
    )


async def currencies(session: AsyncSession) -> dict[str, str]:
    """What each provider pays out, by code; empty: payments told of none yet."""
    rows = await session.execute(select(Provider.code, Provider.currency))
    return dict(rows.all())


async def provider_codes(session: AsyncSession) -> frozenset[str]:
    """The codes of the providers that payments can send to; empty: it told of none yet."""
    return frozenset((await session.scalars(select(Provider.code))).all())
