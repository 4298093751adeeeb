"""The token with which one service calls another: OAuth 2 client credentials (RFC 6749, 4.4)."""

import asyncio
import time
from pathlib import Path
from typing import ClassVar, Protocol

import httpx
from pydantic import SecretStr

from shared.auth.bearer import SERVICE_SUBJECT
from shared.auth.roles import SCOPES, Role
from shared.certificates import trusted

_RENEW_BEFORE_SECONDS = 60
_DEVELOPMENT_SECONDS = 3600
_ASKED_AGAIN_SECONDS = 10
"""How old a token is that is replaced because it was refused."""
_TIMEOUT_SECONDS = 5


class Calls(Protocol):
    """The settings of a process that calls another service."""

    service: ClassVar[str]
    auth_issuer: str
    auth_audience: str
    auth_token_url: str | None
    auth_client_id: str | None
    auth_client_secret: SecretStr | None
    auth_development_key_file: Path | None


class ServiceToken:
    """Gets the service's own token from the issuer and keeps it until shortly before its end."""

    def __init__(self, settings: Calls) -> None:
        self._settings = settings
        self._scopes = sorted(SCOPES[Role(settings.service)])
        self._token = ""
        self._renew_at = float("-inf")
        self._fetched_at = float("-inf")
        self._lock = asyncio.Lock()

    async def authorization(self) -> str:
        """The ``Authorization`` header's value."""
        async with self._lock:
            if time.monotonic() >= self._renew_at:
                self._token, seconds = await self._fetch()
                self._fetched_at = time.monotonic()
                self._renew_at = self._fetched_at + max(seconds - _RENEW_BEFORE_SECONDS, 1)
            return f"Bearer {self._token}"

    def refused(self, authorization: str) -> bool:
        """Whether another is to be tried in place of one that was refused before its end, as all
        are once the issuer has changed its keys. Not again and again: a service that refuses every
        token costs the issuer no call for each."""
        now = time.monotonic()
        if authorization != f"Bearer {self._token}":
            return True
        if now - self._fetched_at < _ASKED_AGAIN_SECONDS:
            return False
        self._renew_at = now
        return True

    async def _fetch(self) -> tuple[str, float]:
        settings = self._settings
        if settings.auth_token_url and settings.auth_client_id and settings.auth_client_secret:
            async with httpx.AsyncClient(timeout=_TIMEOUT_SECONDS, verify=trusted()) as client:
                answer = await client.post(
                    settings.auth_token_url,
                    data={"grant_type": "client_credentials", "scope": " ".join(self._scopes)},
                    auth=(settings.auth_client_id, settings.auth_client_secret.get_secret_value()),
                )
            body = answer.raise_for_status().json()
            return str(body["access_token"]), float(body.get("expires_in", _DEVELOPMENT_SECONDS))
        if settings.auth_development_key_file:
            return self._mint(settings.auth_development_key_file), _DEVELOPMENT_SECONDS
        raise RuntimeError(
            "No way to a service token: set AUTH_TOKEN_URL, AUTH_CLIENT_ID and AUTH_CLIENT_SECRET, "
            "or AUTH_DEVELOPMENT_KEY_FILE on a laptop."
        )

    def _mint(self, key_file: Path) -> str:
        # Here, because a real deployment never loads the development issuer.
        from shared.auth.development import mint

        return mint(
            key_file,
            issuer=self._settings.auth_issuer,
            audience=self._settings.auth_audience,
            subject=f"{SERVICE_SUBJECT}{self._settings.service}",
            scopes=self._scopes,
            seconds=_DEVELOPMENT_SECONDS,
        )
