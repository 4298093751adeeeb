"""Having payments go another way while the rule of their provider has a cause to.

Only what was never claimed: nothing of it was ever sent, and its id stays what it is. What was
claimed, whatever came of it, stays where it is until its provider, or two persons, end it.
"""

from services.payments.account_checks.repository import AskedProviders, check_at_another
from services.payments.dispatch.repository import lock_claims
from services.payments.providers.directory import ProviderDirectory
from services.payments.routing.repository import DueRoute, due_routes, reroute, well_among
from services.payments.settings import Settings
from shared.clock import Clock
from shared.database import Database

_SET_SIZE = 5_000
"""Payments that go another way in one transaction, at most: what waits at the other is added up
once for each."""


class Rerouting:
    """Looks which rules have a cause, and does what they say."""

    def __init__(
        self,
        *,
        database: Database,
        directory: ProviderDirectory,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._database = database
        self._directory = directory
        self._settings = settings
        self._clock = clock
        self._configured = [provider.code for provider in settings.providers]
        self._checked = AskedProviders.of(settings.providers).checked

    async def step(self) -> int:
        """Have one set of each rule's payments go the other way; returns how many those are."""
        await self._directory.numbers()
        async with self._database.reading() as session:
            due = await due_routes(session, configured=self._configured)
        return sum([await self._follow(route) for route in due])

    async def _follow(self, route: DueRoute) -> int:
        allowed = set(self._settings.group_of(route.provider))
        async with self._database.transaction() as session:
            # While it is held nobody claims what is ready there, and nobody sends it.
            if not await lock_claims(session, route.provider_number):
                return 0
            well = await well_among(
                session,
                [code for code in route.instead if code in allowed],
                provider_number=route.provider_number,
                configured=self._configured,
                down_seconds=self._settings.provider_down_seconds,
            )
            for to, to_number in well:
                gone = await reroute(
                    session,
                    route,
                    to=to,
                    to_number=to_number,
                    size=_SET_SIZE,
                    at=self._clock.now(),
                )
                if gone:
                    await check_at_another(
                        session, gone, is_checked=to in self._checked, at=self._clock.now()
                    )
                    return len(gone)
        return 0
