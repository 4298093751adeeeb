"""Asking the registry and payments over HTTP: never within a transaction."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import httpx
import structlog

from shared.contracts.checks import (
    ActivationCheck,
    ActivationChecked,
    ActivationEnrolment,
    FundCover,
)

log = structlog.get_logger()

_ANSWER_SECONDS = 10
_WEIGHED_SECONDS = 15


class Away(Exception):
    """A service did not answer, or not with what was asked for."""


class RegistryAway(Away):
    """It is the registry."""


class PaymentsAway(Away):
    """It is payments."""


async def weigh(registry: httpx.AsyncClient, asked: ActivationCheck) -> ActivationChecked:
    """The same, where nobody waits for the answer: a country takes its time to be counted."""
    return await check(registry, asked, seconds=_WEIGHED_SECONDS)


async def check(
    registry: httpx.AsyncClient, asked: ActivationCheck, *, seconds: float | None = None
) -> ActivationChecked:
    """What the registry says of it; raises RegistryAway."""
    async with _answering(RegistryAway, seconds or _ANSWER_SECONDS):
        answer = await registry.post(
            "/checks/activations", json=asked.model_dump(exclude_none=True)
        )
        return ActivationChecked.model_validate_json(answer.raise_for_status().content)


async def enrolment(registry: httpx.AsyncClient, activation_id: UUID) -> ActivationEnrolment | None:
    """How the registry got on with an activation; None: it has not heard of it yet.

    Raises RegistryAway.
    """
    async with _answering(RegistryAway, _ANSWER_SECONDS):
        answer = await registry.get(f"/activations/{activation_id}")
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        return ActivationEnrolment.model_validate_json(answer.raise_for_status().content)


async def cover(payments: httpx.AsyncClient, fund: str) -> FundCover:
    """What a fund has; raises PaymentsAway."""
    async with _answering(PaymentsAway, _ANSWER_SECONDS):
        answer = await payments.get(f"/funds/{fund}")
        return FundCover.model_validate_json(answer.raise_for_status().content)


@asynccontextmanager
async def _answering(away: type[Away], seconds: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    # What gets the token raises RuntimeError where it is not told how; the rest is the network's,
    # or an answer of another kind.
    except (httpx.HTTPError, OSError, ValueError, RuntimeError) as error:
        status = error.response.status_code if isinstance(error, httpx.HTTPStatusError) else None
        log.warning("not_answered", by=away.__name__, error=type(error).__name__, status=status)
        raise away from error
