"""The issuer's keys: asked for seldom, renewed in time, and kept while it is away."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import jwt
import pytest
from fastapi import FastAPI
from fastapi.responses import JSONResponse

from deploy.local.ports import free_port
from shared.auth import TokenVerifier, bearer
from shared.errors import Unauthenticated, Unavailable
from tests.server import eventually, serving
from tests.shared.issued_tokens import (
    CURVE,
    EDWARDS,
    KEYS,
    RSA,
    SIGNERS,
    claims,
    other,
    public_key,
    signed,
    verifier_of,
)


@dataclass
class Issuer:
    """An issuer of tokens as a program of its own, which counts how often it is asked."""

    document: Any = field(default_factory=lambda: KEYS)
    status: int = 200
    asked: int = 0
    url: str = ""


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    issuer = Issuer()
    app = FastAPI()

    @app.get("/jwks.json")
    async def keys() -> JSONResponse:
        issuer.asked += 1
        return JSONResponse(issuer.document, issuer.status)

    async with serving(app, free_port()) as url:
        issuer.url = f"{url}/jwks.json"
        yield issuer


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """``later(seconds)``: so much time has passed, as the verifier sees it."""
    passed_seconds = 0.0

    def pass_by(seconds: float) -> None:
        nonlocal passed_seconds
        passed_seconds += seconds

    clock = SimpleNamespace(
        time=lambda: time.time() + passed_seconds,
        monotonic=lambda: time.monotonic() + passed_seconds,
    )
    monkeypatch.setattr(bearer, "time", clock)
    return pass_by


async def test_keys_are_asked_for_seldom_whatever_is_forged(
    issuer: Issuer, later: Callable[[float], None]
) -> None:
    verifier = verifier_of(issuer.url)
    await verifier.caller(other("RS256"))
    for number in range(20):
        with pytest.raises(Unauthenticated):
            await verifier.caller(other("RS256", kid=f"forged-{number}"))
    assert issuer.asked == 1

    later(11)
    for number in range(20):
        with pytest.raises(Unauthenticated):
            await verifier.caller(other("RS256", kid=f"forged-{number}"))
    assert issuer.asked == 2


async def test_a_new_key_is_known_within_seconds_and_an_old_one_forgotten_in_minutes(
    issuer: Issuer, later: Callable[[float], None]
) -> None:
    verifier = verifier_of(issuer.url)
    issuer.document = {"keys": [public_key("RS256")]}
    await verifier.caller(other("RS256"))
    issuer.document = {"keys": [public_key("ES256")]}
    later(11)
    await verifier.caller(other("ES256"))
    with pytest.raises(Unauthenticated):
        await verifier.caller(jwt.encode(claims(jti="new"), RSA, "RS256", {"kid": "RS256"}))

    issuer.document = {"keys": [public_key("EdDSA")]}
    later(301)
    with pytest.raises(Unauthenticated):
        await verifier.caller(jwt.encode(claims(jti="new"), CURVE, "ES256", {"kid": "ES256"}))


async def test_known_keys_outlast_an_issuer_that_is_away(
    issuer: Issuer, later: Callable[[float], None]
) -> None:
    verifier = verifier_of(issuer.url)
    await verifier.caller(other("RS256"))
    issuer.status = 503
    later(301)

    await verifier.caller(other("ES256"))


async def test_a_verified_token_is_remembered_until_it_ends(
    issuer: Issuer, later: Callable[[float], None]
) -> None:
    verifier = verifier_of(issuer.url)
    token = signed(claims(exp=int(time.time()) + 200))
    await verifier.caller(token)
    issuer.document = {"keys": [public_key("ES256")]}

    later(100)
    assert await verifier.caller(token) == await verifier.caller(token)
    assert issuer.asked == 1
    later(250)
    with pytest.raises(Unauthenticated):
        await verifier.caller(token)


async def test_a_remembered_token_ends_with_its_key(
    issuer: Issuer, later: Callable[[float], None]
) -> None:
    verifier = verifier_of(issuer.url)
    token, other_token = signed(claims(exp=int(time.time()) + 3_600)), other("ES256")
    await verifier.caller(token)
    await verifier.caller(other_token)
    issuer.document = {"keys": [public_key("ES256"), public_key("EdDSA")]}

    # Keys are read again beside the request, and what they say holds for the next.
    later(241)
    assert await verifier.caller(token)
    await eventually(lambda: _is_refused(verifier, token))
    assert await verifier.caller(other_token)

    # Another key under the same name is another key; and none at all leaves nobody in.
    issuer.document = {"keys": [public_key("EdDSA", kid="ES256")]}
    later(301)
    assert await _is_refused(verifier, other_token)
    await verifier.caller(jwt.encode(claims(), EDWARDS, "EdDSA", {"kid": "ES256"}))
    issuer.document = {"keys": []}
    later(301)
    with pytest.raises(Unavailable):
        await verifier.caller(jwt.encode(claims(), EDWARDS, "EdDSA", {"kid": "ES256"}))


async def _is_refused(verifier: TokenVerifier, token: str) -> bool:
    try:
        await verifier.caller(token)
    except Unauthenticated:
        return True
    return False


async def test_keys_are_read_up_to_a_bound_and_once_for_all_who_wait(issuer: Issuer) -> None:
    verifier = verifier_of(issuer.url)
    await asyncio.gather(*(verifier.caller(other(algorithm)) for algorithm in SIGNERS))
    assert issuer.asked == 1
    issuer.document = {**KEYS, "padding": "x" * 300_000}

    with pytest.raises(Unavailable):
        await verifier_of(issuer.url).caller(other("RS256"))


@pytest.mark.parametrize(
    "document",
    [
        {},
        [],
        "keys",
        {"keys": 5},
        {"keys": []},
        {"keys": [5]},
        {"keys": [{}]},
        {"keys": [{"kty": ["RSA"]}]},
        {"keys": [{"kty": "RSA"}]},
        {"keys": [{"kty": "RSA", "n": 5, "e": {}}]},
        {"keys": [{"kty": "EC", "crv": "P-999", "x": "a", "y": "b"}]},
        {"keys": [{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}]},
        {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "!!"}]},
        {"keys": [{"kty": "RSA", "alg": ["RS256"]}]},
    ],
    ids=repr,
)
async def test_without_a_usable_key_nothing_is_decided(document: Any, issuer: Issuer) -> None:
    issuer.document = document

    with pytest.raises(Unavailable):
        await verifier_of(issuer.url).caller(other("RS256"))
