"""Tokens as an issuer makes them, and the keys that it publishes."""

import base64
import hmac
import json
import time
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from shared.auth import TokenVerifier

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


def verifier_of(jwks_url: str) -> TokenVerifier:
    return TokenVerifier(issuer=ISSUER, audience=AUDIENCE, jwks_url=jwks_url)
