"""Bearer JWTs (RFC 6750, RFC 9068): verified against the issuer's JWKS, once for each token."""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import httpx
import jwt
from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes

from shared.errors import Forbidden, Unauthenticated, Unavailable

ALGORITHMS = ["RS256", "ES256", "EdDSA"]
_LEEWAY_SECONDS = 30
_KEYS_FRESH_SECONDS = 300
_KEYS_ASKED_AGAIN_SECONDS = 10
_REMEMBERED_TOKENS = 2_000
_MAXIMUM_SUBJECT_CHARACTERS = 255
_TIMEOUT_SECONDS = 5

_REFUSALS = (jwt.PyJWTError, ValueError)
"""What a bad token makes the library raise; ValueError for text that has no bytes."""

SERVICE_SUBJECT = "service:"
"""What the subject of a service's own token begins with."""

_bearer = HTTPBearer(auto_error=False, bearerFormat="JWT", scheme_name="bearer")


@dataclass(frozen=True)
class Caller:
    """Whoever holds the token: its subject and what it is allowed."""

    subject: str
    scopes: frozenset[str]
    client: str | None = None
    """The client that the token was given to, where the issuer says it (RFC 9068, section 2.2)."""

    @property
    def is_person(self) -> bool:
        """Whether the token speaks for a person: a client's own has the client as its subject."""
        return self.subject != self.client and not self.subject.startswith(SERVICE_SUBJECT)


class TokenVerifier:
    """Verifies tokens of one issuer for one audience."""

    def __init__(self, *, issuer: str, audience: str, jwks_url: str) -> None:
        self._issuer = issuer
        self._audience = audience
        self._jwks_url = jwks_url
        self._keys: dict[str, jwt.PyJWK] = {}
        self._keys_read_at = float("-inf")
        self._verified: dict[str, tuple[int, Caller]] = {}

    async def caller(self, token: str) -> Caller:
        """The token's caller; raises Unauthenticated, or Unavailable when no key can be had."""
        remembered = self._verified.get(token)
        if remembered and remembered[0] > time.time():
            return remembered[1]
        try:
            key_id = jwt.get_unverified_header(token).get("kid", "")
            claims = jwt.decode(
                token,
                await self._key(str(key_id)),
                algorithms=ALGORITHMS,
                audience=self._audience,
                issuer=self._issuer,
                leeway=_LEEWAY_SECONDS,
                options={"require": ["exp", "iat", "iss", "aud", "sub"]},
            )
            caller = Caller(_subject(claims), _scopes(claims), _client(claims))
        except _REFUSALS as error:
            raise _unauthenticated(
                f"The token was refused ({type(error).__name__}). Ask the issuer for a new one."
            ) from None
        if len(self._verified) >= _REMEMBERED_TOKENS:
            self._verified.clear()
        # As the library reads it: a whole number, or the digits of one.
        self._verified[token] = (int(claims["exp"]), caller)
        return caller

    async def look_for_keys(self) -> None:
        """Read the issuer's keys before a token comes; raises Unavailable where there are none."""
        await self._read_keys()

    @property
    def keys_at(self) -> str:
        """Where they are read, for a log: the host or the file, without what may be secret."""
        parts = urlsplit(self._jwks_url)
        return parts.path if parts.scheme == "file" else f"{parts.scheme}://{parts.hostname}"

    async def _key(self, key_id: str) -> jwt.PyJWK:
        age = time.monotonic() - self._keys_read_at
        # An unknown key id may be a rotation: ask again, but not for every forged token.
        stale = age > _KEYS_FRESH_SECONDS
        if stale or (key_id not in self._keys and age > _KEYS_ASKED_AGAIN_SECONDS):
            await self._read_keys()
        try:
            return self._keys[key_id]
        except KeyError:
            raise jwt.InvalidKeyError("unknown key id") from None

    async def _read_keys(self) -> None:
        try:
            document = await _read_json(self._jwks_url)
            keys = jwt.PyJWKSet.from_dict(document).keys
        except (OSError, TypeError, ValueError, httpx.HTTPError, jwt.PyJWTError):
            if self._keys:
                return
            raise Unavailable(
                "The issuer's keys cannot be read, so no token can be checked. Try again shortly."
            ) from None
        self._keys = {
            str(key.key_id or ""): key for key in keys if key.public_key_use in (None, "sig")
        }
        self._keys_read_at = time.monotonic()


async def _read_json(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    if parts.scheme == "file":
        document = _read_file(url2pathname(parts.path))
    else:
        async with httpx.AsyncClient(timeout=_TIMEOUT_SECONDS) as client:
            document = (await client.get(url)).raise_for_status().json()
    if not isinstance(document, dict):
        raise ValueError("a JWKS is a JSON object")
    return document


def _read_file(path: str) -> Any:
    return json.loads(Path(path).read_bytes())


def _subject(claims: dict[str, Any]) -> str:
    # OpenID Connect Core 1.0, section 2, bounds it so; it is stored with what the caller does.
    subject = claims["sub"]
    if not 0 < len(subject) <= _MAXIMUM_SUBJECT_CHARACTERS or not subject.isprintable():
        raise jwt.InvalidTokenError("sub")
    return str(subject)


def _scopes(claims: dict[str, Any]) -> frozenset[str]:
    # RFC 8693, section 4.2: one string, separated by spaces. Some issuers send a list.
    scope = claims.get("scope", "")
    scopes = scope.split() if isinstance(scope, str) else scope
    if not isinstance(scopes, list) or not all(isinstance(word, str) for word in scopes):
        raise jwt.InvalidTokenError("scope")
    return frozenset(scopes)


def _client(claims: dict[str, Any]) -> str | None:
    # `azp` is what OpenID Connect Core 1.0 calls it.
    client = claims.get("client_id", claims.get("azp"))
    if client is None:
        return None
    if not isinstance(client, str) or not 0 < len(client) <= _MAXIMUM_SUBJECT_CHARACTERS:
        raise jwt.InvalidTokenError("client_id")
    return client


def _unauthenticated(detail: str) -> Unauthenticated:
    return Unauthenticated(detail, headers={"WWW-Authenticate": "Bearer"})


async def _caller(
    request: Request,
    needed: SecurityScopes,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Caller:
    if credentials is None:
        raise _unauthenticated("Send `Authorization: Bearer <token>`.")
    verifier: TokenVerifier = request.app.state.token_verifier
    caller = await verifier.caller(credentials.credentials)
    missing = [scope for scope in needed.scopes if scope not in caller.scopes]
    if missing:
        scopes = " ".join(missing)
        raise Forbidden(
            f"This needs the scope {scopes}. Ask the issuer for a token that has it.",
            headers={"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scopes}"'},
        )
    return caller


def require(scope: str) -> Any:
    """For an annotated type: ``HouseholdsRead = Annotated[Caller, require("households:read")]``."""
    return Security(_caller, scopes=[scope])


AnyCaller = Annotated[Caller, Security(_caller)]
"""Whoever holds a valid token, whatever it allows."""
