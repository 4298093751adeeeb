"""A development issuer for the laptop: one key, one JWKS file, tokens on request.

    python -m shared.auth.development --help

A production deployment points AUTH_ISSUER and AUTH_JWKS_URL at its OIDC issuer instead.
"""

import argparse
import json
import os
import time
from collections.abc import Iterable
from pathlib import Path

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.ids import new_id
from shared.settings import DEVELOPMENT_ISSUER

ISSUER = DEVELOPMENT_ISSUER
AUDIENCE = "sangkroh"
KEY_FILE = Path(".local/issuer/key.pem")
SUBJECT = "officer@development"
"""Who a token is for, unless something else is asked for."""
CHECKER = "checker@development"
"""The second person, who approves what the first proposed."""

EVERY_SCOPE = tuple(
    """
    areas:read areas:write households:read households:read-personal households:search
    households:write
    schemes:read schemes:write enrolments:read entitlements:read rounds:release
    registry:approve
    indicators:read indicators:write observations:read observations:write
    triggers:read triggers:write triggers:approve
    activations:read activations:write activations:approve activations:check
    funds:read funds:write payments:read payments:write payments:approve webhooks:read
    events:read events:replay audit:read
    """.split()  # noqa: SIM905 - read as a table
)


def ensure_issuer(key_file: Path) -> Path:
    """Make the key (readable by its owner alone) and its JWKS unless they are there; the JWKS."""
    key_file.parent.mkdir(parents=True, exist_ok=True)
    jwks_file = key_file.parent / "jwks.json"
    if not key_file.exists():
        key = Ed25519PrivateKey.generate()
        descriptor = os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(
                key.private_bytes(
                    serialization.Encoding.PEM,
                    serialization.PrivateFormat.PKCS8,
                    serialization.NoEncryption(),
                )
            )
    key = _read_key(key_file)
    public = json.loads(jwt.algorithms.OKPAlgorithm.to_jwk(key.public_key()))
    public |= {"kid": _key_id(key), "use": "sig", "alg": "EdDSA"}
    jwks_file.write_text(json.dumps({"keys": [public]}))
    return jwks_file


def mint(
    key_file: Path,
    *,
    issuer: str = ISSUER,
    audience: str = AUDIENCE,
    subject: str,
    scopes: Iterable[str],
    seconds: float,
) -> str:
    """A signed token for ``subject`` with ``scopes``, good for ``seconds``."""
    key = _read_key(key_file)
    now = int(time.time())
    claims = {
        "iss": issuer,
        "aud": audience,
        "sub": subject,
        "scope": " ".join(scopes),
        "iat": now,
        "exp": now + int(seconds),
        "jti": str(new_id()),
    }
    return jwt.encode(claims, key, algorithm="EdDSA", headers={"kid": _key_id(key)})


def _read_key(key_file: Path) -> Ed25519PrivateKey:
    key = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError(f"{key_file} is not an Ed25519 key: delete it, and a new one is made.")
    return key


def _key_id(key: Ed25519PrivateKey) -> str:
    raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return raw.hex()[:16]


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m shared.auth.development", description="Print a bearer token."
    )
    parser.add_argument("--scope", action="append", help="a scope; repeat it; none given: all")
    parser.add_argument("--subject", default=SUBJECT, help="who the token is for")
    parser.add_argument("--hours", type=float, default=12, help="how long it is good for")
    parser.add_argument("--key-file", type=Path, default=KEY_FILE)
    arguments = parser.parse_args()
    ensure_issuer(arguments.key_file)
    print(
        mint(
            arguments.key_file,
            subject=arguments.subject,
            scopes=arguments.scope or EVERY_SCOPE,
            seconds=arguments.hours * 3600,
        )
    )


if __name__ == "__main__":
    main()
