"""What a worker takes of the pace of one provider, each time in a transaction of its own."""

from dataclasses import dataclass
from uuid import UUID

from services.payments.providers.directory import ProviderDirectory
from services.payments.providers.pace.repository import (
    Places,
    Tokens,
    leave,
    take_places,
    take_tokens,
)
from services.payments.settings.provider import ProviderPace
from shared.database import Database


@dataclass(frozen=True, slots=True)
class Taken:
    """What may leave now; None: that is not limited."""

    tokens: Tokens | None
    places: Places | None


class Allowance:
    """One provider's pace, as it stands in the database for all workers."""

    def __init__(
        self,
        pace: ProviderPace,
        *,
        code: str,
        directory: ProviderDirectory,
        database: Database,
        worker_id: UUID,
        lease_seconds: float,
    ) -> None:
        self.pace = pace
        self.code = code
        self.lease_seconds = lease_seconds
        self._directory = directory
        self._database = database
        self._worker_id = worker_id

    async def number(self) -> int:
        """The provider's number in the database."""
        return await self._directory.number_of(self.code)

    async def take(self, *, tokens: int, returned: int, places: int, under_way: int) -> Taken:
        """Take so many tokens at most, after unused ones came back, and have so many places at
        most, of which so many are in use."""
        number = await self.number()
        per_second, at_once = self.pace.requests_per_second, self.pace.requests_at_once
        async with self._database.transaction() as session:
            taken = await take_tokens(
                session,
                provider_number=number,
                wanted=tokens if per_second else 0,
                returned=returned,
                per_second=per_second or 0,
                burst=self.pace.burst,
            )
            if at_once is None:
                return Taken(taken, None)
            held = await take_places(
                session,
                provider_number=number,
                worker_id=self._worker_id,
                wanted=places,
                under_way=under_way,
                at_once=at_once,
                lease_seconds=self.lease_seconds,
            )
        return Taken(taken if per_second else None, held)

    async def leave(self) -> None:
        """Give all places of this worker back."""
        number = await self.number()
        async with self._database.transaction() as session:
            await leave(session, provider_number=number, worker_id=self._worker_id)
