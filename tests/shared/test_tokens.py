"""Tokens that nobody should have: each is refused as 401, and none of them as a fault of ours."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.auth import Caller, TokenVerifier
from shared.errors import Unauthenticated
from shared.version import API_PREFIX
from tests.conftest import ServeService
from tests.shared.issued_tokens import (
    AUDIENCE,
    GOOD_HEADER,
    ISSUER,
    KEYS,
    RSA,
    SIGNERS,
    STRANGER,
    claims,
    encoded,
    hashed_with_the_public_key,
    other,
    signed,
    verifier_of,
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
