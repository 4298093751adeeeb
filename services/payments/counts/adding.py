"""Adding up what changed of the counts, some changes at a time."""

from services.payments.counts.repository import add_up
from shared.database import Database

CHANGES_AT_ONCE = 20_000


class Adding:
    """Adds changes to the counts; readers count what is not added yet as well."""

    def __init__(self, *, database: Database, size: int = CHANGES_AT_ONCE) -> None:
        self._database = database
        self._size = size

    async def step(self) -> int:
        """Add some changes; returns of how many chunks they were."""
        async with self._database.transaction() as session:
            return len(await add_up(session, size=self._size))
