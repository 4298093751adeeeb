"""Whether the places of a subscription are in the gazetteer, which is the registry's.

It is asked with the token of whoever proposes: nobody learns more by it than they may ask
themselves, and the process that takes callbacks gets no token of its own.
"""

import asyncio
from collections.abc import Sequence

import httpx
import structlog

from services.payments.existence import ANSWER_SECONDS
from shared.errors import Unavailable, Unprocessable

log = structlog.get_logger()


async def require_known(
    registry: httpx.AsyncClient, areas: Sequence[str], *, authorization: str
) -> None:
    """Raises Unprocessable where the gazetteer has not all of them, and Unavailable where the
    registry does not say."""
    # Each level has two digits more: what has an odd number of them is no code, and not asked for.
    asked = [area for area in areas if len(area) % 2 == 0]
    known = await _known(registry, asked, authorization=authorization) if asked else frozenset()
    if unknown := [area for area in areas if area not in known]:
        raise Unprocessable(
            f"No place has the code {', '.join(unknown)}. GET /v1/areas of the registry lists "
            "them all; the zeros in front belong to a code."
        )


async def _known(
    registry: httpx.AsyncClient, areas: Sequence[str], *, authorization: str
) -> frozenset[str]:
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            answer = await registry.get(
                "/areas",
                params={"codes": ",".join(areas), "limit": len(areas)},
                headers={"Authorization": authorization},
            )
        items = answer.raise_for_status().json()["items"]
        return frozenset(str(item["code"]) for item in items)
    # What answers otherwise than the registry does is not the registry.
    except (httpx.HTTPError, OSError, ValueError, KeyError, TypeError) as error:
        status = error.response.status_code if isinstance(error, httpx.HTTPStatusError) else None
        log.warning("registry_does_not_say", error=type(error).__name__, status=status)
        raise Unavailable(
            "Whether there are these places cannot be said now: the registry does not answer. "
            "Send the same again later, or leave areas out for the whole country.",
            headers={"Retry-After": "10"},
        ) from None
