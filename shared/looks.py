"""Whether there may be something to do, asked for many loops of a worker by one statement.

A loop that looks whether there is something opens a transaction of its own, and most of what that
takes is the way to the database and back, several times. Loops whose rests end at about the same
time have one question each in one statement, and who has something is woken.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
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
        self._asked: dict[str, set[Callable[[], None]]] = defaultdict(set)
        self._gathering: asyncio.Task[None] | None = None
        self._under_way: set[asyncio.Task[None]] = set()

    def by(self, name: str) -> Look:
        """The question of that name, for a loop; raises ValueError where there is none."""
        if name not in self._names:
            raise ValueError(f"Nothing is asked by the name of {name}.")
        return partial(self._ask, name)

    async def close(self) -> None:
        """Ask nothing any more."""
        tasks = list(self._under_way)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ask(self, name: str, wake: Callable[[], None]) -> None:
        self._asked[name].add(wake)
        if self._gathering is None:
            self._gathering = asyncio.create_task(self._answer())
            self._under_way.add(self._gathering)
            self._gathering.add_done_callback(self._under_way.discard)

    async def _answer(self) -> None:
        await asyncio.sleep(self._together_seconds)
        # Who asks from here on is not answered by what is read now.
        asked, self._asked, self._gathering = self._asked, defaultdict(set), None
        for name in await self._found(asked):
            for wake in asked[name]:
                wake()

    async def _found(self, asked: Collection[str]) -> Collection[str]:
        """What of it is so; all of it where nobody answers: a step then tells why."""
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS), self._database.reading() as session:
                found = (await session.execute(self._statement, {"asked": sorted(asked)})).one()
        except Exception as error:
            log.warning("not_looked", **account_of(error))
            return asked
        return [name for name, is_so in found._mapping.items() if is_so]
