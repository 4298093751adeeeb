"""Whether there may be something to do, asked for many loops of a worker by one statement.

A loop that looks whether there is something opens a transaction of its own, and most of what that
takes is the way to the database and back, several times. Loops whose rests end at about the same
time have one question each in one statement.
"""

import asyncio
from collections.abc import Collection, Mapping
from functools import partial

import structlog
from sqlalchemy import text

from shared.database import Database
from shared.errors import account_of
from shared.worker import Look

log = structlog.get_logger()

_PATIENCE_SECONDS = 5.0


class Looks:
    """Asks the questions of those who rest.

    ``questions`` are SQL conditions by name, without parameters, each true wherever a step would
    find something to do. They may be true where it finds nothing, never the other way round.
    ``together_seconds`` is how long who asks waits for others who do.
    """

    def __init__(
        self, database: Database, questions: Mapping[str, str], *, together_seconds: float
    ) -> None:
        self._database = database
        self._names = frozenset(questions)
        self._together_seconds = together_seconds
        # The condition of what was not asked about is not worked out.
        self._statement = text(
            "SELECT "
            + ", ".join(
                f"'{name}' = ANY(CAST(:asked AS text[])) AND ({condition}) AS \"{name}\""
                for name, condition in questions.items()
            )
        )
        self._asked: set[str] = set()
        self._answering: asyncio.Task[Collection[str]] | None = None

    def by(self, name: str) -> Look:
        """The question of that name, for a loop; raises ValueError where there is none."""
        if name not in self._names:
            raise ValueError(f"Nothing is asked by the name of {name}.")
        return partial(self._ask, name)

    async def _ask(self, name: str) -> bool:
        self._asked.add(name)
        if self._answering is None:
            self._answering = asyncio.create_task(self._answer())
        return name in await asyncio.shield(self._answering)

    async def _answer(self) -> Collection[str]:
        """Which of what was asked is so; all of it where nobody answers: a step then tells why."""
        await asyncio.sleep(self._together_seconds)
        # Who asks from here on is not answered by what is read now.
        asked, self._asked, self._answering = self._asked, set(), None
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS), self._database.reading() as session:
                found = (await session.execute(self._statement, {"asked": sorted(asked)})).one()
        except Exception as error:
            log.warning("not_looked", **account_of(error))
            return asked
        return {name for name, is_so in found._mapping.items() if is_so}
