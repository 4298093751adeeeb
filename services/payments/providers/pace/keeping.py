"""What workers tell one another of a provider's pace: until when it rests, and unused places."""

from collections.abc import Sequence

from services.payments.providers.pace import repository
from services.payments.providers.pace.pacing import Pace
from shared.database import Database


class KeepingPace:
    """Tells and hears for how long providers asked to be left alone, and gives places back."""

    def __init__(self, *, paces: Sequence[Pace], database: Database) -> None:
        self._paces = paces
        self._database = database

    async def step(self) -> int:
        """Tell, hear and give back once; returns how many rests were told."""
        told = [said for pace in self._paces if (said := await pace.untold()) is not None]
        if told:
            async with self._database.transaction() as session:
                await repository.rest(session, told)
        async with self._database.reading() as session:
            resting = await repository.resting(session)
        for pace in self._paces:
            if (seconds := resting.get(await pace.number())) is not None:
                pace.hear(seconds)
            await pace.give_back()
        return len(told)
