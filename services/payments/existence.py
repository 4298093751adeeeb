"""Whether what somebody names exists, of which the registry knows and payments may not.

It is asked with the token of whoever sends the request: nobody learns more by it than they may ask
themselves, and the process that takes callbacks gets no token of its own. Ask before anything is
read or written: never within a transaction.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import httpx
import structlog

from shared.certificates import trusted
from shared.errors import MEDIA_TYPE
from shared.version import API_PREFIX

log = structlog.get_logger()

ANSWER_SECONDS = 5.0
_LOOK_UP_SECONDS = 2.0
"""Whoever stops money does not wait for long."""
_NOT_FOUND = 404
_EVERYWHERE = "KH"


@dataclass(frozen=True, slots=True)
class Named:
    """What the registry said of what is named."""

    unknown: Sequence[str] = ()
    """What it does not have, by the name of the field."""
    unsaid: Sequence[str] = ()
    """Of what it said nothing: it did not answer, or not to whoever asked."""


def client_of(registry_url: str) -> httpx.AsyncClient:
    """A client of the registry without a token."""
    return httpx.AsyncClient(
        base_url=registry_url.rstrip("/") + API_PREFIX,
        timeout=ANSWER_SECONDS,
        trust_env=False,
        verify=trusted(trust_env=False),
    )


async def look_up(
    registry: httpx.AsyncClient,
    *,
    authorization: str,
    scheme: str | None = None,
    activation_id: UUID | None = None,
    area: str | None = None,
) -> Named:
    """Ask about what is given, for a few seconds; what it does not say is no reason to wait."""
    paths = {"scheme": f"/schemes/{scheme}" if scheme else None}
    paths["activation_id"] = f"/activations/{activation_id}" if activation_id else None
    paths["area"] = f"/areas/{area}" if area not in (None, _EVERYWHERE) else None
    asked = {name: path for name, path in paths.items() if path is not None}
    said = await asyncio.gather(
        *(_is_there(registry, path, authorization=authorization) for path in asked.values())
    )
    heard = dict(zip(asked, said, strict=True))
    return Named(
        unknown=[name for name, is_there in heard.items() if is_there is False],
        unsaid=[name for name, is_there in heard.items() if is_there is None],
    )


async def _is_there(registry: httpx.AsyncClient, path: str, *, authorization: str) -> bool | None:
    try:
        async with asyncio.timeout(_LOOK_UP_SECONDS):
            answer = await registry.get(path, headers={"Authorization": authorization})
    except (httpx.HTTPError, OSError) as error:
        log.warning("registry_does_not_say", error=type(error).__name__, status=None)
        return None
    if answer.is_success:
        return True
    # What answers otherwise than the registry does is not the registry.
    is_problem = answer.headers.get("content-type", "").startswith(MEDIA_TYPE)
    if answer.status_code == _NOT_FOUND and is_problem:
        return False
    log.warning("registry_does_not_say", error=None, status=answer.status_code)
    return None
