"""Keeping how providers answer this worker, for all to read."""

from collections.abc import Mapping
from typing import Any

from services.payments.providers.directory import ProviderDirectory
from services.payments.providers.health.noting import Noting
from services.payments.providers.health.repository import keep
from shared.database import Database


class KeepingHealth:
    """Keeps what this worker noted of each provider since it did so last."""

    def __init__(
        self, *, notings: Mapping[str, Noting], database: Database, directory: ProviderDirectory
    ) -> None:
        self._notings = notings
        self._database = database
        self._directory = directory

    async def step(self) -> int:
        """Keep what is new; returns 0: there is no more of it before some time has passed."""
        numbers = {code: await self._directory.number_of(code) for code in self._notings}
        rows = [
            row
            for code, noting in self._notings.items()
            if (row := row_of(noting, provider_number=numbers[code]))
        ]
        if rows:
            async with self._database.transaction() as session:
                await keep(session, rows)
        return 0


def row_of(noting: Noting, *, provider_number: int) -> dict[str, Any] | None:
    """What is to be kept of one provider; None: nothing happened."""
    noted = noting.take()
    if noted.is_empty:
        return None
    return {
        "provider_number": provider_number,
        "reply_age_seconds": noting.age_seconds(noted.last_reply),
        "failure_age_seconds": noting.age_seconds(noted.last_failure),
        "failure": noted.failure,
        "failing_age_seconds": noting.age_seconds(noted.failing_since),
        "replies": noted.replies,
        "failures": noted.failures,
        "sent_minor": noted.sent_minor,
    }
