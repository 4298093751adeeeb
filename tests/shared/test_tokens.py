"""Tokens that nobody should have: each is refused as 401, and none of them as a fault of ours."""

import asyncio
import base64
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from hypothesis import given
from hypothesis import strategies as st

from deploy.local.ports import free_port
from shared.auth import Caller, TokenVerifier, bearer
from shared.errors import Unauthenticated, Unavailable
from shared.version import API_PREFIX
from tests.conftest import ServeService
from tests.server import eventually, serving

ISSUER = "https://issuer.example"
AUDIENCE = "sangkroh"
RSA = rsa.generate_private_key(65537, 2048)
STRANGER = rsa.generate_private_key(65537, 2048)
CURVE = ec.generate_private_key(ec.SECP256R1())
EDWARDS = ed25519.Ed25519PrivateKey.generate()
SIGNERS: dict[str, Any] = {"RS256": RSA, "ES256": CURVE, "EdDSA": EDWARDS}
PUBLIC_PEM = RSA.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)


GOOD_HEADER = {"alg": "RS256", "kid": "RS256"}


def public_key(algorithm: str, **changes: Any) -> dict[str, Any]:
    """The JWK of one of the issuer's keys; its key id is the algorithm's name."""
    public = SIGNERS[algorithm].public_key()
    key: dict[str, Any] = json.loads(jwt.get_algorithm_by_name(algorithm).to_jwk(public))
    return {**key, "kid": algorithm, "use": "sig", "alg": algorithm, **changes}


KEYS = {
    "keys": [
        *map(public_key, SIGNERS),
        public_key("RS256", kid="for-encryption", use="enc"),
        public_key("RS256", kid="another", alg="RS384"),
        # Keys of kinds that are not understood do not spoil the rest (RFC 7517, section 5).
        {"kty": "AKP", "kid": "post-quantum", "alg": "ML-DSA-44", "pub": "AAAA"},
    ]
}


def claims(**changes: Any) -> dict[str, Any]:
    """What a good token claims; a change to ``...`` leaves the claim out."""
    now = int(time.time())
    good = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "officer@ministry",
        "scope": "households:read rounds:release",
        "iat": now,
        "exp": now + 600,
    }
    return {name: value for name, value in {**good, **changes}.items() if value is not ...}


def encoded(part: Any) -> str:
    raw = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(payload: Any, header: Any = GOOD_HEADER) -> str:
    """A token with any header and payload at all, truly signed by the issuer's RSA key."""
    content = f"{encoded(header)}."
    content += encoded(payload)
    algorithm = jwt.get_algorithm_by_name("RS256")
    return f"{content}.{encoded(algorithm.sign(content.encode(), RSA))}"


def hashed_with_the_public_key() -> str:
    # PyJWT refuses to make one; an attacker's library does not.
    content = f"{encoded({'alg': 'HS256', 'kid': 'RS256'})}.{encoded(claims())}"
    return f"{content}.{encoded(hmac.digest(PUBLIC_PEM, content.encode(), 'sha256'))}"


def other(algorithm: str, **header: Any) -> str:
    """A good token's claims, signed as ``algorithm`` by the issuer's key of that kind."""
    return jwt.encode(
        claims(), SIGNERS[algorithm], algorithm=algorithm, headers={"kid": algorithm, **header}
    )


HOSTILE: dict[str, Callable[[], str]] = {
    "empty": lambda: "",
    "no token": lambda: "x.y.z",
    "dots": lambda: "..",
    "five parts": lambda: "a.b.c.d.e",
    "not ASCII": lambda: "é.é.é",
    "no text at all": lambda: "\ud800.a.b",
    "NUL": lambda: "\0.\0.\0",
    "unsigned": lambda: jwt.encode(claims(), "", algorithm="none", headers={"kid": "RS256"}),
    "unsigned in capitals": lambda: f"{encoded({'alg': 'NONE'})}.{encoded(claims())}.",
    "signature left out": lambda: signed(claims()).rpartition(".")[0] + ".",
    "hashed with the public key": hashed_with_the_public_key,
    "hashed with nothing": lambda: jwt.encode(
        claims(), "x" * 32, algorithm="HS256", headers={"kid": "RS256"}
    ),
    "an algorithm that is not allowed": lambda: jwt.encode(
        claims(), RSA, algorithm="PS256", headers={"kid": "RS256"}
    ),
    "an algorithm that the key allows and we do not": lambda: jwt.encode(
        claims(), RSA, algorithm="RS384", headers={"kid": "another"}
    ),
    "another algorithm than the key's": lambda: other("ES256", kid="RS256"),
    "a name of another algorithm": lambda: signed(claims(), {"alg": "ES256", "kid": "RS256"}),
    "a key for encryption": lambda: other("RS256", kid="for-encryption"),
    "an unknown key": lambda: other("RS256", kid="unknown"),
    "no key id": lambda: jwt.encode(claims(), RSA, algorithm="RS256"),
    "a key id that is a path": lambda: other("RS256", kid="../../etc/passwd"),
    "a stranger's key": lambda: jwt.encode(
        claims(), STRANGER, algorithm="RS256", headers={"kid": "RS256"}
    ),
    "a key of its own": lambda: jwt.encode(
        claims(),
        STRANGER,
        algorithm="RS256",
        headers={
            "jwk": json.loads(jwt.get_algorithm_by_name("RS256").to_jwk(STRANGER.public_key()))
        },
    ),
    "an extension that is critical": lambda: other("RS256", crit=["exp-soon"], **{"exp-soon": 1}),
    "cut short": lambda: signed(claims())[:-20],
    "cut in its payload": lambda: ".".join(part[:40] for part in signed(claims()).split(".")),
    "giant": lambda: signed(claims(padding="x" * 1_000_000))[:-1],
    "a giant header": lambda: f"{encoded({'alg': 'RS256', 'x': 'y' * 10**6})}.e30.AAAA",
    "a header without a bottom": lambda: f"{encoded(b'[' * 50_000)}.e30.AAAA",
    "a payload without a bottom": lambda: signed(b"[" * 50_000),
    "expired": lambda: signed(claims(exp=int(time.time()) - 31)),
    "not yet valid": lambda: signed(claims(nbf=int(time.time()) + 60)),
    "issued tomorrow": lambda: signed(claims(iat=int(time.time()) + 86_400)),
    "good for more than a day": lambda: signed(claims(exp=int(time.time()) + 86_401)),
    "good for ever": lambda: signed(claims(exp=10**400)),
    "good for ever, in digits": lambda: signed(claims(exp=str(10**12))),
    "issued at no time": lambda: signed(claims(iat=-(10**400))),
    "for somebody else": lambda: signed(claims(aud="another-system")),
    "for a part of our name": lambda: signed(claims(aud=AUDIENCE[:-1])),
    "by somebody else": lambda: signed(claims(iss=f"{ISSUER}.evil.example")),
}

ODD_HEADERS: list[Any] = [
    ["alg"],
    "alg",
    5,
    None,
    {},
    {"alg": None},
    {"alg": ["RS256"], "kid": "RS256"},
    {"alg": {"RS256": 1}, "kid": "RS256"},
    {"alg": "RS256", "kid": 5},
    {"alg": "RS256", "kid": ["RS256"]},
    {"alg": "RS256", "kid": {"RS256": 1}},
    {"alg": "RS256", "kid": "RS256", "crit": 5},
    {"alg": "RS256", "kid": "RS256", "crit": [["exp"]]},
    {"alg": "RS256", "kid": "RS256", "b64": False, "crit": ["b64"]},
    b"\xff\xfe",
    b'{"alg": "RS256"',
    b'{"alg": "RS256", "kid": NaN}',
]

ODD_VALUES: list[Any] = [None, True, False, 0, 5, 1.5, -1, [], {}, [[]], [5], {"a": 1}, [None]]
NOT_REFUSED: set[tuple[str, str]] = {("scope", "[]")}
"""No scope at all: a good token that may do nothing."""
ODD_CLAIMS: list[dict[str, Any]] = [
    *(
        {name: value}
        for name in ("iss", "aud", "sub", "scope", "exp")
        for value in ODD_VALUES
        if (name, json.dumps(value)) not in NOT_REFUSED
    ),
    *({name: ...} for name in ("iss", "aud", "sub", "iat", "exp")),
    *({name: value} for name in ("iat", "nbf") for value in ([5], {"a": 1}, "soon")),
    {"exp": "soon"},
    *({"areas": value} for value in (*ODD_VALUES, "0102", ["01", 2], ["KH"], ["1"], ["01020101"])),
    {"areas": ["0១"]},
    {"areas": ["0102\n"]},
    {"areas": ["01"] * 101},
    {"sub": ""},
    {"sub": "x" * 256},
    {"sub": "officer\0"},
    {"sub": "officer\nadmin"},
    {"sub": "\ud800"},
    {"scope": ["households:read", 5]},
    {"scope": "households:read\0"},
    {"scope": "households:read \ud800"},
    {"scope": "households：read"},
    {"aud": [AUDIENCE, 5]},
]


@pytest.fixture
def jwks_file(tmp_path: Path) -> Path:
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps(KEYS))
    return path


def verifier_of(jwks_url: str) -> TokenVerifier:
    return TokenVerifier(issuer=ISSUER, audience=AUDIENCE, jwks_url=jwks_url)


@pytest.fixture
def verifier(jwks_file: Path) -> TokenVerifier:
    return verifier_of(jwks_file.as_uri())


@pytest.mark.parametrize("algorithm", SIGNERS)
async def test_a_good_token_tells_who_may_what(algorithm: str, verifier: TokenVerifier) -> None:
    caller = await verifier.caller(other(algorithm))

    assert caller == Caller("officer@ministry", frozenset({"households:read", "rounds:release"}))


async def test_a_token_tells_what_its_holder_is_bound_to(verifier: TokenVerifier) -> None:
    bound = await verifier.caller(signed(claims(areas=["0102", "15", "0102"])))

    assert bound.areas == ("0102", "15")
    assert (await verifier.caller(signed(claims()))).areas is None


@pytest.mark.parametrize(
    ("changes", "scopes"),
    [
        ({"scope": ["a:read", "b:read"]}, {"a:read", "b:read"}),
        ({"scope": ...}, set()),
        ({"scope": []}, set()),
        ({"aud": ["another", AUDIENCE], "scope": " a:read  a:read "}, {"a:read"}),
        ({"exp": str(int(time.time()) + 3_600), "scope": ""}, set()),
    ],
)
async def test_issuers_differ_in_what_they_write(
    changes: dict[str, Any], scopes: set[str], verifier: TokenVerifier
) -> None:
    token = signed(claims(**changes))

    for _ in range(2):  # the second time from memory
        assert (await verifier.caller(token)).scopes == scopes


async def test_clocks_may_differ_by_half_a_minute(verifier: TokenVerifier) -> None:
    now = int(time.time())

    assert await verifier.caller(signed(claims(exp=now - 10)))
    assert await verifier.caller(signed(claims(iat=now + 20, nbf=now + 20)))


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE.keys())
async def test_a_hostile_token_is_refused(make: Callable[[], str], verifier: TokenVerifier) -> None:
    await verifier.caller(signed(claims()))
    with pytest.raises(Unauthenticated):
        await verifier.caller(make())


@pytest.mark.parametrize("header", ODD_HEADERS, ids=repr)
async def test_a_header_of_another_shape_is_refused(header: Any, verifier: TokenVerifier) -> None:
    with pytest.raises(Unauthenticated):
        await verifier.caller(signed(claims(), header))


@pytest.mark.parametrize("changes", ODD_CLAIMS, ids=repr)
async def test_an_odd_claim_is_refused_though_the_issuer_signed_it(
    changes: dict[str, Any], verifier: TokenVerifier
) -> None:
    with pytest.raises(Unauthenticated):
        await verifier.caller(signed(claims(**changes)))


@pytest.mark.parametrize("payload", [[], "x", 5, None, b"\xff", b"{", b'{"exp": NaN}'], ids=repr)
async def test_a_payload_that_is_no_object_is_refused(
    payload: Any, verifier: TokenVerifier
) -> None:
    with pytest.raises(Unauthenticated):
        await verifier.caller(signed(payload))


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=6,
)
HEADERS = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("alg", "kid", "typ", "crit", "b64", "jku", "x5c"), JSON)
)
CLAIMS = st.fixed_dictionaries(
    {}, optional=dict.fromkeys((*claims(), "nbf", "jti", "padding"), JSON)
)


@given(header=HEADERS | JSON, changes=CLAIMS, mixed=st.booleans())
async def test_whatever_is_signed_a_caller_or_a_refusal_comes_of_it(
    header: Any, changes: dict[str, Any], mixed: bool, keys_url: str
) -> None:
    verifier = verifier_of(keys_url)
    token = signed({**claims(), **changes}, header if mixed else GOOD_HEADER)
    for _ in range(2):
        try:
            caller = await verifier.caller(token)
        except Unauthenticated:
            continue
        assert caller.subject
        assert all(isinstance(scope, str) for scope in caller.scopes)


@given(token=st.text(max_size=200) | st.from_regex(r"\A[\w-]{0,40}\.[\w-]{0,40}\.[\w-]{0,40}\Z"))
async def test_any_text_is_refused(token: str, keys_url: str) -> None:
    with pytest.raises(Unauthenticated):
        await verifier_of(keys_url).caller(token)


@pytest.fixture(scope="module")
def keys_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("issuer") / "jwks.json"
    path.write_text(json.dumps(KEYS))
    return path.as_uri()


async def test_over_http_a_refusal_is_a_401_and_no_fault_of_ours(
    environment: dict[str, str],
    jwks_file: Path,
    serve: ServeService,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AUTH_ISSUER", ISSUER)
    monkeypatch.setenv("AUTH_JWKS_URL", jwks_file.as_uri())
    monkeypatch.setenv("DOCS", "on")
    service = await serve("registry")
    tokens = [
        *(make() for make in HOSTILE.values()),
        *(signed(claims(), header) for header in ODD_HEADERS),
        *(signed(claims(**changes)) for changes in ODD_CLAIMS),
    ]
    # What no header of HTTP can carry, or none that the server reads, never comes so far.
    sendable = [token for token in tokens if len(token) < 30_000 and token.isprintable() and token]
    async with httpx.AsyncClient(base_url=service.url) as client:
        answers = [
            await client.get(
                f"{API_PREFIX}/households/00000000-0000-0000-0000-000000000000",
                headers=[(b"Authorization", f"Bearer {token}".encode("latin-1"))],
            )
            for token in sendable
        ]

    assert len(sendable) > len(tokens) * 0.9
    assert {answer.status_code for answer in answers} == {401}
    assert {answer.headers["www-authenticate"] for answer in answers} == {"Bearer"}


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
