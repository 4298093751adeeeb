"""A migrated database with the gazetteer in it, for tests to get copies of."""

import asyncio
from collections.abc import Awaitable, Callable

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.areas.gazetteer import shipped_areas
from services.registry.areas.repository import load_shipped
from shared.database import Database
from tests.conftest import DatabaseServer


async def nothing_more(session: AsyncSession) -> None:
    """The gazetteer is enough."""


def with_gazetteer(
    template: str,
    server: DatabaseServer,
    *,
    name: str,
    more: Callable[[AsyncSession], Awaitable[None]] = nothing_more,
) -> str:
    """A copy of ``template`` with the gazetteer: loading it takes longer than most of the tests."""
    copy = f"{template}_{name}"
    server.run_sql(f"DROP DATABASE IF EXISTS {copy}", f"CREATE DATABASE {copy} TEMPLATE {template}")

    async def load() -> None:
        database = Database(server.url_of(copy), application_name="test")
        async with database.transaction() as session:
            await load_shipped(session, shipped_areas())
            await more(session)
        await database.dispose()

    asyncio.run(load())
    return copy
