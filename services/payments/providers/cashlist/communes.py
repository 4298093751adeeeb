"""How communes are called, as the registry's gazetteer tells it, for the lists that are printed."""

import asyncio
import time
from dataclasses import dataclass

import httpx
import structlog

log = structlog.get_logger()

_ANSWER_SECONDS = 5.0
_REST_SECONDS = 60.0
"""After it has not answered: lists are made meanwhile, with the code alone."""
_LONGEST_NAME = 200
_NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class CommuneName:
    """A commune's name, in Latin and in Khmer script."""

    en: str
    km: str


class Communes:
    """Asks for each commune once: names do not change while a worker runs."""

    def __init__(self, registry: httpx.AsyncClient) -> None:
        self._registry = registry
        self._known: dict[str, CommuneName] = {}
        self._rests_until = 0.0

    async def name_of(self, code: str) -> CommuneName | None:
        """The name of a commune; None: the registry does not tell it now."""
        if code not in self._known and time.monotonic() >= self._rests_until:
            await self._ask(code)
        return self._known.get(code)

    async def close(self) -> None:
        """Give the connections back."""
        await self._registry.aclose()

    async def _ask(self, code: str) -> None:
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                answer = await self._registry.get(f"/areas/{code}")
            if answer.status_code == _NOT_FOUND:
                log.warning("commune_not_known", area_code=code)
                return
            told = answer.raise_for_status().json()
            en, km = told["name_en"].strip(), told["name_km"].strip()
        # What answers otherwise than the registry does is not the registry.
        except Exception as error:
            self._rests_until = time.monotonic() + _REST_SECONDS
            log.warning("commune_not_told", area_code=code, error=type(error).__name__)
            return
        if en and km and max(len(en), len(km)) <= _LONGEST_NAME:
            self._known[code] = CommuneName(en, km)
