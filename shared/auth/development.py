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
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.auth.roles import APPROVING, MACHINES, Role, scopes_of
from shared.ids import new_id
from shared.settings import DEVELOPMENT_ISSUER

ISSUER = DEVELOPMENT_ISSUER
AUDIENCE = "sangkroh"
KEY_FILE = Path(".local/issuer/key.pem")
SUBJECT = "officer@development"
"""Who a token is for, unless something else is asked for."""

EVERY_SCOPE = tuple(sorted(scopes_of(Role)))
WITHOUT_APPROVING = tuple(sorted(scopes_of(set(Role) - MACHINES) - APPROVING))
"""Whatever a person may but approve: the officer of a laptop has no colleagues but the checker."""


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
    key = read_key(key_file)
    public = json.loads(jwt.algorithms.OKPAlgorithm.to_jwk(key.public_key()))
    public |= {"kid": key_id(key), "use": "sig", "alg": "EdDSA"}
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
    client: str | None = None,
    areas: Iterable[str] = (),
) -> str:
    """A signed token for ``subject`` with ``scopes``, good for ``seconds``.

    ``client`` is the program that it was given to; a program's own token has it as its subject.
    ``areas`` are what its holder is bound to; none: the whole country.
    """
    key = read_key(key_file)
    now = int(time.time())
    claims: dict[str, Any] = {
        "iss": issuer,
        "aud": audience,
        "sub": subject,
        "scope": " ".join(scopes),
        "iat": now,
        "exp": now + int(seconds),
        "jti": str(new_id()),
    }
    if client is not None:
        claims["client_id"] = client
    if bound_to := list(areas):
        claims["areas"] = bound_to
    return jwt.encode(claims, key, algorithm="EdDSA", headers={"kid": key_id(key)})


def subject_of(role: Role) -> str:
    """Who has ``role`` in development; of the providers, one of the sandbox's."""
    return "provider:mekong" if role is Role.PROVIDER else f"{role}@development"


def mint_role(key_file: Path, role: Role, *, seconds: float) -> str:
    """A token of whoever has ``role`` in development."""
    subject = subject_of(role)
    return mint(
        key_file,
        subject=subject,
        scopes=scopes_of([role]),
        seconds=seconds,
        client=subject if role in MACHINES else None,
    )


def read_key(key_file: Path) -> Ed25519PrivateKey:
    key = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError(f"{key_file} is not an Ed25519 key: delete it, and a new one is made.")
    return key


def key_id(key: Ed25519PrivateKey) -> str:
    raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return raw.hex()[:16]


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m shared.auth.development",
        description="Print a bearer token. Without a role or a scope it is the officer's, who may "
        "do everything that a person may, but approve.",
    )
    parser.add_argument("--role", action="append", type=Role, choices=list(Role), default=[])
    parser.add_argument("--scope", action="append", default=[], help="a scope more")
    parser.add_argument("--subject", help="who the token is for; not given: after the first role")
    parser.add_argument(
        "--area", action="append", default=[], help="an area that its holder is bound to, by code"
    )
    parser.add_argument("--hours", type=float, default=12, help="how long it is good for")
    parser.add_argument("--key-file", type=Path, default=KEY_FILE)
    arguments = parser.parse_args()
    roles, scopes = arguments.role, arguments.scope
    subject = arguments.subject or (subject_of(roles[0]) if roles else SUBJECT)
    ensure_issuer(arguments.key_file)
    print(
        mint(
            arguments.key_file,
            subject=subject,
            scopes=sorted({*scopes_of(roles), *scopes}) or WITHOUT_APPROVING,
            seconds=arguments.hours * 3600,
            client=subject if roles and MACHINES.issuperset(roles) else None,
            areas=arguments.area,
        )
    )


if __name__ == "__main__":
    main()
