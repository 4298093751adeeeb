"""Bearer JWTs (RFC 6750, RFC 9068): verified against the issuer's JWKS, once for each token.

The edge verifies before a body is read, and leaves the caller for whoever asks in the request.
"""

import asyncio
import json
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import httpx
import jwt
from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes

from shared.certificates import trusted
from shared.errors import Forbidden, Unauthenticated, Unavailable

ALGORITHMS = ["RS256", "ES256", "EdDSA"]
_LEEWAY_SECONDS = 30
_KEYS_FRESH_SECONDS = 240
"""How old keys are when they are read again, beside the request that comes then."""
_KEYS_STALE_SECONDS = 300
"""How old they are when a request waits for that: a key that left is believed no longer."""
_KEYS_ASKED_AGAIN_SECONDS = 10
_REMEMBERED_TOKENS = 2_000
_MAXIMUM_SUBJECT_CHARACTERS = 255
_MAXIMUM_AREAS = 100
_AREA = re.compile(r"(?:[0-9]{2}){1,3}")
_TIMEOUT_SECONDS = 5
_MAXIMUM_KEYS_BYTES = 256 * 1024

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
    areas: tuple[str, ...] | None = None
    """Codes of the provinces, districts and communes that they are bound to: nothing that lies
    elsewhere is told them or changed by them. None: the whole country."""

    @property
    def is_person(self) -> bool:
        """Whether the token speaks for a person: a client's own has the client as its subject."""
        return self.subject != self.client and not self.subject.startswith(SERVICE_SUBJECT)


@dataclass(frozen=True, slots=True)
class _Verified:
    """A token that was found good: until when, and by which key."""

    expires_at: int
    key_id: str
    caller: Caller


class TokenVerifier:
    """Verifies tokens of one issuer for one audience, made to live ``maximum_seconds`` at most."""

    def __init__(
        self, *, issuer: str, audience: str, jwks_url: str, maximum_seconds: int = 24 * 3600
    ) -> None:
        self._issuer = issuer
        self._audience = audience
        self._jwks_url = jwks_url
        self._maximum_seconds = maximum_seconds
        self._keys: dict[str, jwt.PyJWK] = {}
        self._keys_read_at = float("-inf")
        self._keys_asked_at = float("-inf")
        self._reading: asyncio.Task[None] | None = None
        self._verified: dict[str, _Verified] = {}

    async def caller(self, token: str) -> Caller:
        """The token's caller; raises Unauthenticated, or Unavailable when no key can be had."""
        await self._keep_keys_fresh()
        remembered = self._verified.get(token)
        if remembered and remembered.expires_at > time.time():
            return remembered.caller
        try:
            key_id = str(jwt.get_unverified_header(token).get("kid", ""))
            claims = jwt.decode(
                token,
                await self._key(key_id),
                algorithms=ALGORITHMS,
                audience=self._audience,
                issuer=self._issuer,
                leeway=_LEEWAY_SECONDS,
                options={"require": ["exp", "iat", "iss", "aud", "sub"]},
            )
            # As the library reads it: a whole number, or the digits of one.
            expires_at = int(claims["exp"])
            if expires_at - int(claims["iat"]) > self._maximum_seconds:
                raise jwt.InvalidTokenError("exp")
            caller = Caller(_subject(claims), _scopes(claims), _client(claims), _areas(claims))
        except _REFUSALS as error:
            raise _unauthenticated(
                f"The token was refused ({type(error).__name__}). Ask the issuer for a new one."
            ) from None
        if len(self._verified) >= _REMEMBERED_TOKENS:
            self._verified.clear()
        self._verified[token] = _Verified(expires_at, key_id, caller)
        return caller

    async def look_for_keys(self) -> None:
        """Read the issuer's keys before a token comes; raises Unavailable where there are none."""
        await self._read_keys()

    @property
    def keys_at(self) -> str:
        """Where they are read, for a log: the host or the file, without what may be secret."""
        parts = urlsplit(self._jwks_url)
        return parts.path if parts.scheme == "file" else f"{parts.scheme}://{parts.hostname}"

    async def _keep_keys_fresh(self) -> None:
        """A token is good for as long as its key is among the issuer's, remembered or not."""
        age = time.monotonic() - self._keys_read_at
        if age <= _KEYS_FRESH_SECONDS or not self._keys or self._was_asked_just_now():
            return
        reading = self._begin_to_read()
        if age > _KEYS_STALE_SECONDS:
            await asyncio.shield(reading)

    async def _key(self, key_id: str) -> jwt.PyJWK:
        # An unknown key id may be a rotation: ask again, but not for every forged token.
        if key_id not in self._keys and not (self._keys and self._was_asked_just_now()):
            await self._read_keys()
        try:
            return self._keys[key_id]
        except KeyError:
            raise jwt.InvalidKeyError("unknown key id") from None

    def _was_asked_just_now(self) -> bool:
        return time.monotonic() - self._keys_asked_at <= _KEYS_ASKED_AGAIN_SECONDS

    async def _read_keys(self) -> None:
        """Read them, once for all who wait; raises Unavailable where there are none at all."""
        await asyncio.shield(self._begin_to_read())
        if not self._keys:
            raise Unavailable(
                "The issuer's keys cannot be read, so no token can be checked. Try again shortly."
            )

    def _begin_to_read(self) -> "asyncio.Task[None]":
        if self._reading is None or self._reading.done():
            self._keys_asked_at = time.monotonic()
            self._reading = asyncio.create_task(self._take_keys())
        return self._reading

    async def _take_keys(self) -> None:
        """Take the keys that there are now, and forget tokens of those that left."""
        try:
            document = await _read_json(self._jwks_url)
            # None at all is an answer too, which the library takes for a fault.
            keys = jwt.PyJWKSet.from_dict(document).keys if document.get("keys") != [] else []
        except _UNREADABLE_KEYS:
            return
        before, self._keys = self._keys, _by_id(keys)
        self._keys_read_at = time.monotonic()
        gone = {
            key_id
            for key_id, key in before.items()
            if key_id not in self._keys or not _is_same(key, self._keys[key_id])
        }
        if gone:
            self._verified = {
                token: verified
                for token, verified in self._verified.items()
                if verified.key_id not in gone
            }


_UNREADABLE_KEYS = (
    OSError,
    TypeError,
    ValueError,
    RecursionError,
    httpx.HTTPError,
    jwt.PyJWTError,
)


def _by_id(keys: Iterable[jwt.PyJWK]) -> dict[str, jwt.PyJWK]:
    return {str(key.key_id or ""): key for key in keys if key.public_key_use in (None, "sig")}


def _is_same(key: jwt.PyJWK, other: jwt.PyJWK) -> bool:
    return bool(key.key == other.key) and key.algorithm_name == other.algorithm_name


async def _read_json(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    if parts.scheme == "file":
        content = await asyncio.to_thread(_read_file, url2pathname(parts.path))
    else:
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            content = await _fetch(url)
    document = json.loads(content)
    if not isinstance(document, dict):
        raise ValueError("a JWKS is a JSON object")
    return document


async def _fetch(url: str) -> bytes:
    content = bytearray()
    async with (
        httpx.AsyncClient(timeout=_TIMEOUT_SECONDS, verify=trusted()) as client,
        client.stream("GET", url) as answer,
    ):
        async for part in answer.raise_for_status().aiter_bytes():
            content += part
            if len(content) > _MAXIMUM_KEYS_BYTES:
                raise ValueError("a JWKS is smaller")
    return bytes(content)


def _read_file(path: str) -> bytes:
    with Path(path).open("rb") as file:
        content = file.read(_MAXIMUM_KEYS_BYTES + 1)
    if len(content) > _MAXIMUM_KEYS_BYTES:
        raise ValueError("a JWKS is smaller")
    return content


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
    if not isinstance(scopes, list) or not all(_is_scope(word) for word in scopes):
        raise jwt.InvalidTokenError("scope")
    return frozenset(scopes)


def _is_scope(word: Any) -> bool:
    return isinstance(word, str) and word.isascii() and word.isprintable()


def _client(claims: dict[str, Any]) -> str | None:
    # `azp` is what OpenID Connect Core 1.0 calls it.
    client = claims.get("client_id", claims.get("azp"))
    if client is None:
        return None
    if not isinstance(client, str) or not 0 < len(client) <= _MAXIMUM_SUBJECT_CHARACTERS:
        raise jwt.InvalidTokenError("client_id")
    return client


def _areas(claims: dict[str, Any]) -> tuple[str, ...] | None:
    # A claim that says nothing would be read as one that allows everything: it is refused.
    if "areas" not in claims:
        return None
    areas = claims["areas"]
    if (
        not isinstance(areas, list)
        or not 0 < len(areas) <= _MAXIMUM_AREAS
        or not all(isinstance(code, str) and _AREA.fullmatch(code) for code in areas)
    ):
        raise jwt.InvalidTokenError("areas")
    return tuple(sorted(set(areas)))


def _unauthenticated(detail: str) -> Unauthenticated:
    return Unauthenticated(detail, headers={"WWW-Authenticate": "Bearer"})


def token_of(authorization: str | None) -> str:
    """The token of an ``Authorization`` header; raises Unauthenticated."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise _unauthenticated("Send `Authorization: Bearer <token>`.")
    return token


def require_scopes(caller: Caller, needed: Iterable[str]) -> None:
    """Raises Forbidden where the caller's token lacks one of these."""
    missing = [scope for scope in needed if scope not in caller.scopes]
    if missing:
        scopes = " ".join(missing)
        raise Forbidden(
            f"This needs the scope {scopes}. Ask the issuer for a token that has it.",
            headers={"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scopes}"'},
        )


def require_country(caller: Caller) -> None:
    """Raises Forbidden where the caller is bound to areas."""
    if caller.areas is not None:
        areas = ", ".join(caller.areas)
        raise Forbidden(
            f"This is about the whole country, and the token is bound to {areas}. Ask whoever is "
            "bound to no areas."
        )


async def _caller(
    request: Request,
    needed: SecurityScopes,
    _: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Caller:
    caller: Caller = request.state.caller
    require_scopes(caller, needed.scopes)
    return caller


def require(scope: str) -> Any:
    """For an annotated type: ``HouseholdsRead = Annotated[Caller, require("households:read")]``."""
    return Security(_caller, scopes=[scope])


AnyCaller = Annotated[Caller, Security(_caller)]
"""Whoever holds a valid token, whatever it allows."""
