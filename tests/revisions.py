"""Moving one Alembic history to a revision, as the database's owner."""

from collections.abc import Callable

from alembic.config import Config
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from services.histories import HISTORIES
from shared.database import parse_url


async def at_revision(
    owner_url: str, schema: str, move: Callable[[Config, str], None], revision: str
) -> None:
    """Bring a schema's history to a revision; ``move`` is Alembic's command for the direction."""
    (history,) = (history for history in HISTORIES if history.schema == schema)

    def run(connection: Connection) -> None:
        configuration = Config()
        configuration.set_main_option("script_location", str(history.location))
        configuration.set_main_option("path_separator", "os")
        configuration.attributes["connection"] = connection
        move(configuration, revision)
        connection.commit()

    engine = create_async_engine(parse_url(owner_url), poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(run)
    finally:
        await engine.dispose()
