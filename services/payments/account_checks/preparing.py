"""Checking accounts before a shock: of whomever a trigger that is ready would pay.

When a trigger becomes ready its scheme's money is reserved, and the registry knows whom it would
pay. Their accounts are fetched from it, sealed, page by page, and asked about as those of payments
are; what does not match is a worklist before the flood, and not after it. Nothing is paid by it,
and when the trigger stands down no account is kept.
"""

from collections.abc import Sequence

import httpx
import structlog
from pydantic import ValidationError

from services.payments.account_checks import repository
from services.payments.account_checks.repository import AskedProviders
from services.payments.settings import ProviderSettings
from shared.clock import Clock
from shared.contracts.accounts import MOST_ACCOUNTS, PreparedPage
from shared.database import Database

log = structlog.get_logger()

_LEASE_SECONDS = 60.0
_AFTER_FAILURE_SECONDS = 60.0
_FORGET_SIZE = 5_000
PAGE_SIZE = MOST_ACCOUNTS


class PreparingAccounts:
    """Fetches accounts of whomever triggers that are ready would pay, and forgets them after."""

    def __init__(
        self,
        registry: httpx.AsyncClient,
        *,
        providers: Sequence[ProviderSettings],
        database: Database,
        clock: Clock,
        again_seconds: float,
    ) -> None:
        self._registry = registry
        self._asked = AskedProviders.of(providers)
        self._database = database
        self._clock = clock
        self._again_seconds = again_seconds

    async def step(self) -> int:
        """Fetch one page; returns how many accounts it has, or how many were forgotten."""
        async with self._database.transaction() as session:
            if forgotten := await repository.forget_prepared(session, size=_FORGET_SIZE):
                return forgotten
            if not self._asked.checked:
                return 0
            await repository.begin_preparing(session)
            picked = await repository.pick_preparation(session, lease_seconds=_LEASE_SECONDS)
        if picked is None:
            return 0
        readiness_id, after = picked
        parameters: list[tuple[str, str | int | float | bool | None]] = [("limit", str(PAGE_SIZE))]
        parameters += [("provider", code) for code in self._asked.checked]
        if after is not None:
            parameters.append(("after", str(after)))
        try:
            answer = await self._registry.get(
                f"/preparations/{readiness_id}/accounts", params=parameters
            )
            answer.raise_for_status()
            page = PreparedPage.model_validate_json(answer.content)
        except (httpx.HTTPError, ValidationError) as error:
            log.warning(
                "accounts_not_fetched", readiness=str(readiness_id), error=type(error).__name__
            )
            async with self._database.transaction() as session:
                await repository.put_preparation_off(
                    session, readiness_id, seconds=_AFTER_FAILURE_SECONDS
                )
            return 0
        async with self._database.transaction() as session:
            await repository.keep_prepared(
                session,
                readiness_id,
                page,
                after=after,
                asked=self._asked,
                again_seconds=self._again_seconds,
                at=self._clock.now(),
            )
        return len(page.items)
