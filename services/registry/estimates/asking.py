"""Asking payments over HTTP what a scheme would be paid from: never within a transaction.

What payments does not say is not guessed: it stands in what is answered as not said.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
import structlog
from fastapi import Request
from pydantic import BaseModel, TypeAdapter

from shared.contracts.checks import FundCover, ProviderFloat
from shared.database import Database

log = structlog.get_logger()

_ANSWER_SECONDS = 5
_PAGE = 500

Read = TypeVar("Read", bound=BaseModel)


class _Line(BaseModel):
    code: str


class _PageOf(BaseModel):
    items: list[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Told:
    """What payments said; None: it did not say."""

    is_away: bool = False
    """It did not answer, so what is None is not known."""
    cover: FundCover | None = None
    """What the fund has; None besides where payments has no such fund."""
    floats: Mapping[str, ProviderFloat] | None = None
    """Providers with the money that is with them, by code."""
    lines: frozenset[str] | None = None
    """The codes of the fund's budget lines; None besides where there is no such fund."""


class Payments:
    """What the registry's API asks payments."""

    def __init__(self, client: httpx.AsyncClient, *, database: Database) -> None:
        self._client = client
        self.database = database

    async def about(self, fund: str, *, lines: bool = False) -> Told:
        """What there is to say of a fund, of every provider and, with ``lines``, of budget lines.

        Waits for five seconds at most, for all of it.
        """
        asked = [
            self._read(f"/funds/{fund}", FundCover),
            self._read_page("/providers", ProviderFloat),
        ]
        if lines:
            asked.append(self._read_page(f"/funds/{fund}/budget-lines", _Line))
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                cover, floats, *rest = await asyncio.gather(*asked)
        # What gets the token raises RuntimeError where it is not told how; the rest is the
        # network's, or an answer of another kind.
        except (httpx.HTTPError, OSError, ValueError, RuntimeError) as error:
            status = (
                error.response.status_code if isinstance(error, httpx.HTTPStatusError) else None
            )
            log.warning("not_answered", by="payments", error=type(error).__name__, status=status)
            return Told(is_away=True)
        return Told(
            cover=cover,
            floats={provider.code: provider for provider in floats or []},
            lines=frozenset(line.code for line in rest[0])
            if rest and rest[0] is not None
            else None,
        )

    async def _read(self, path: str, shape: type[Read]) -> Any:
        answer = await self._client.get(path)
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        return shape.model_validate_json(answer.raise_for_status().content)

    async def _read_page(self, path: str, shape: type[Read]) -> Any:
        answer = await self._client.get(path, params={"limit": _PAGE})
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        page = _PageOf.model_validate_json(answer.raise_for_status().content)
        read: Sequence[Read] = TypeAdapter(list[shape]).validate_python(page.items)  # type: ignore[valid-type]
        return read


def payments_of(request: Request) -> Payments:
    """What asks payments, as the application holds it."""
    payments: Payments = request.app.state.payments
    return payments
