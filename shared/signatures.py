"""Standard Webhooks 1.0 signatures: sign the raw body either way, and verify the symmetric one.

The signed content is ``id.timestamp.body``. Symmetric (``v1``, HMAC-SHA256) secrets are ``whsec_``
and base64; of asymmetric ones (``v1a``, Ed25519) the key that signs is ``whsk_`` and the one that
verifies ``whpk_``. Several secrets, and several signatures in one header, are for rotation.
"""

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Mapping, Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ID_HEADER = "webhook-id"
TIMESTAMP_HEADER = "webhook-timestamp"
SIGNATURE_HEADER = "webhook-signature"

TOLERANCE_SECONDS = 300
LEAST_SECRET_BYTES = 24
"""As the standard has it."""
_MAXIMUM_ID_CHARACTERS = 128
_NEW_SECRET_BYTES = 32
_SECRET_PREFIX = "whsec_"
_SIGNING_PREFIX = "whsk_"
_VERIFYING_PREFIX = "whpk_"
_VERSION = "v1"
_ASYMMETRIC_VERSION = "v1a"


class BadSignature(Exception):
    """A message that its sender did not sign, or not now. Says which header is at fault."""


def key_of(secret: str) -> bytes:
    """The key in a secret; raises ValueError where that is none, or too short to be one."""
    try:
        key = base64.b64decode(secret.removeprefix(_SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("a webhook secret is whsec_ followed by base64") from None
    if len(key) < LEAST_SECRET_BYTES:
        raise ValueError(
            f"a webhook secret holds {LEAST_SECRET_BYTES} bytes or more: with an empty or short "
            "one anybody can sign; ask for another"
        )
    return key


def new_secret() -> str:
    """A secret that both sides know: ``whsec_…``."""
    return _SECRET_PREFIX + _in_base64(os.urandom(_NEW_SECRET_BYTES))


def new_signing_key() -> str:
    """A key that signs, and that nobody else has to know: ``whsk_…``."""
    return _SIGNING_PREFIX + _in_base64(Ed25519PrivateKey.generate().private_bytes_raw())


def public_key_of(secret: str) -> str | None:
    """What verifies the signatures of a ``whsk_…``: ``whpk_…``; None for a symmetric secret."""
    if not secret.startswith(_SIGNING_PREFIX):
        return None
    return _VERIFYING_PREFIX + _in_base64(_signing_key(secret).public_key().public_bytes_raw())


def sign(secret: str, *, message_id: str, timestamp: int, body: bytes) -> str:
    """The ``webhook-signature`` header of a body sent at ``timestamp`` (Unix seconds).

    With a ``whsk_…`` it is asymmetric.
    """
    content = f"{message_id}.{timestamp}.".encode() + body
    if secret.startswith(_SIGNING_PREFIX):
        return f"{_ASYMMETRIC_VERSION},{_in_base64(_signing_key(secret).sign(content))}"
    digest = hmac.digest(key_of(secret), content, hashlib.sha256)
    return f"{_VERSION},{_in_base64(digest)}"


def _signing_key(secret: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(
        base64.b64decode(secret.removeprefix(_SIGNING_PREFIX), validate=True)
    )


def _in_base64(plain: bytes) -> str:
    return base64.b64encode(plain).decode()


def verify(
    secrets: Sequence[str],
    *,
    headers: Mapping[str, str],
    body: bytes,
    now: float,
    tolerance_seconds: int = TOLERANCE_SECONDS,
) -> str:
    """The message's ``webhook-id`` if any secret signed it within the tolerance of ``now``.

    ``headers`` are looked up in lower case; ``now`` is in Unix seconds. Raises BadSignature.
    """
    message_id = headers.get(ID_HEADER, "")
    if not 0 < len(message_id) <= _MAXIMUM_ID_CHARACTERS or not message_id.isprintable():
        raise BadSignature(
            f"{ID_HEADER} is missing, not printable, or longer than {_MAXIMUM_ID_CHARACTERS}."
        )
    stamp = headers.get(TIMESTAMP_HEADER, "")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        raise BadSignature(f"{TIMESTAMP_HEADER} is not a number of Unix seconds.")
    if abs(now - int(stamp)) > tolerance_seconds:
        raise BadSignature(
            f"{TIMESTAMP_HEADER} is more than {tolerance_seconds} seconds from our clock."
        )
    given = [
        signature.encode("ascii", "replace")
        for signature in headers.get(SIGNATURE_HEADER, "").split(" ")
        if signature.startswith(f"{_VERSION},")
    ]
    if not given:
        raise BadSignature(f"{SIGNATURE_HEADER} carries no {_VERSION} signature.")
    for secret in secrets:
        expected = sign(secret, message_id=message_id, timestamp=int(stamp), body=body).encode()
        if any(hmac.compare_digest(expected, signature) for signature in given):
            return message_id
    raise BadSignature(f"{SIGNATURE_HEADER} was not made with the shared secret.")
