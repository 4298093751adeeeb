"""Signatures of messages, made and verified.

A signature is a line as the example of the schema ``MsgSignature`` has it: ``Signature:
namespace="spdci", kidId="{sender_id}|{key_id}|ed25519", algorithm="ed25519", created="…",
expires="…", headers="(created) (expires) digest", signature="…"``. The standard does not say what
the digest is of, nor how the bytes are come by. Here it is SHA-256 of the object
``{"header": …, "message": …}`` in the form of RFC 8785, and what is signed are the three lines of
draft-cavage-http-signatures-12, section 2.3::

    (created): 1606970629
    (expires): 1607030629
    digest: SHA-256=<base64>
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

NAMESPACE = "spdci"
ALGORITHM = "ed25519"
LONGEST_SECONDS = 24 * 3600
"""Between when a signature was made and when it ends, as far as we believe one."""
_VALID_SECONDS = 3600
_LEEWAY_SECONDS = 300
_MAXIMUM_CHARACTERS = 2_000
_SIGNED = "(created) (expires) digest"
_PARAMETER = re.compile(r'\s*([A-Za-z]+)="([^"]*)"\s*')
_SECONDS = re.compile(r"[0-9]{1,12}")


class BadSignature(Exception):
    """A signature that does not hold. Says what is at fault, in words that quote nothing."""


@dataclass(frozen=True, slots=True)
class Key:
    """A private key, with the names that its signatures bear."""

    sender_id: str
    key_id: str
    private: Ed25519PrivateKey

    def sign(self, header: Mapping[str, Any], message: Any, *, now: float) -> str:
        """The signature of a message of ours; ``now`` in Unix seconds."""
        created, expires = int(now), int(now) + _VALID_SECONDS
        content = _content(created, expires, header, message)
        signature = base64.b64encode(self.private.sign(content)).decode()
        return (
            f'Signature: namespace="{NAMESPACE}", '
            f'kidId="{self.sender_id}|{self.key_id}|{ALGORITHM}", algorithm="{ALGORITHM}", '
            f'created="{created}", expires="{expires}", headers="{_SIGNED}", '
            f'signature="{signature}"'
        )


def thumbprint(key: Ed25519PublicKey) -> str:
    """The ``kid`` of a public key: its thumbprint (RFC 7638 and RFC 8037, section 2)."""
    members = {"crv": "Ed25519", "kty": "OKP", "x": _base64url(key.public_bytes_raw())}
    return _base64url(hashlib.sha256(rfc8785.dumps(members)).digest())


def jwk(key: Ed25519PublicKey) -> dict[str, str]:
    """A public key as a JWK (RFC 8037), with what ``JWKSResponse`` asks for."""
    return {
        "kty": "OKP",
        "crv": "Ed25519",
        "x": _base64url(key.public_bytes_raw()),
        "kid": thumbprint(key),
        "use": "sig",
        "alg": "EdDSA",
    }


def public_key(of: Mapping[str, Any]) -> Ed25519PublicKey:
    """The key of a JWK; raises ValueError, which says what is wrong."""
    if of.get("kty") != "OKP" or of.get("crv") != "Ed25519":
        raise ValueError("A key is an Ed25519 key: kty OKP, crv Ed25519 (RFC 8037).")
    if "d" in of:
        raise ValueError(
            "It holds d, the private part: make another key, and give the public part."
        )
    try:
        written = str(of.get("x", ""))
        return Ed25519PublicKey.from_public_bytes(
            base64.b64decode(written + "=" * (-len(written) % 4), altchars="-_", validate=True)
        )
    except (binascii.Error, ValueError):
        raise ValueError("x is no Ed25519 public key: 32 bytes in base64url.") from None


def verify(
    signature: str,
    *,
    sender_id: str,
    keys: Mapping[str, Ed25519PublicKey],
    header: Mapping[str, Any],
    message: Any,
    now: float,
) -> None:
    """Raises BadSignature unless a key of the sender signed just this, and still stands for it.

    ``keys`` are by key id; ``now`` is in Unix seconds.
    """
    parameters = _parameters(signature)
    signer, _, rest = parameters["kidId"].partition("|")
    key_id, _, algorithm = rest.partition("|")
    if parameters["namespace"] != NAMESPACE:
        raise BadSignature(f'namespace is "{NAMESPACE}" here.')
    if algorithm != ALGORITHM or parameters["algorithm"] != ALGORITHM:
        raise BadSignature(f"The algorithm is {ALGORITHM}, in kidId and in algorithm.")
    if parameters["headers"] != _SIGNED:
        raise BadSignature(f'headers is "{_SIGNED}" here.')
    if signer != sender_id:
        raise BadSignature("kidId does not name the sender_id of the header.")
    created, expires = _seconds(parameters["created"]), _seconds(parameters["expires"])
    if not created <= expires <= created + LONGEST_SECONDS:
        raise BadSignature(f"It ends at most {LONGEST_SECONDS} seconds after it was created.")
    if created > now + _LEEWAY_SECONDS:
        raise BadSignature("It was created in the future, by our clock.")
    if expires < now - _LEEWAY_SECONDS:
        raise BadSignature("It has ended: sign the message again.")
    key = keys.get(key_id)
    if key is None:
        raise BadSignature("kidId names no key that we have of the sender: have it registered.")
    try:
        key.verify(
            base64.b64decode(parameters["signature"], validate=True),
            _content(created, expires, header, message),
        )
    except (InvalidSignature, binascii.Error, ValueError):
        raise BadSignature(
            "It does not fit what came: it is over (created), (expires) and the SHA-256 of "
            '{"header": …, "message": …} in the form of RFC 8785.'
        ) from None


def _content(created: int, expires: int, header: Mapping[str, Any], message: Any) -> bytes:
    try:
        canonical = rfc8785.dumps({"header": header, "message": message})
    except (rfc8785.CanonicalizationError, RecursionError):
        raise BadSignature("It holds a number that RFC 8785 has no form for.") from None
    digest = base64.b64encode(hashlib.sha256(canonical).digest()).decode()
    return f"(created): {created}\n(expires): {expires}\ndigest: SHA-256={digest}".encode()


def _parameters(signature: str) -> dict[str, str]:
    if len(signature) > _MAXIMUM_CHARACTERS:
        raise BadSignature("It is longer than a signature is.")
    written = signature.strip().removeprefix("Signature:")
    parameters: dict[str, str] = {}
    position = 0
    while position < len(written):
        match = _PARAMETER.match(written, position)
        if match is None or match[1] in parameters:
            raise BadSignature('It is not written as name="value", …, each name once.')
        parameters[match[1]] = match[2]
        position = match.end()
        if position < len(written):
            if written[position] != ",":
                raise BadSignature('It is not written as name="value", …, each name once.')
            position += 1
    missing = {
        "namespace", "kidId", "algorithm", "created", "expires", "headers", "signature",
    } - parameters.keys()  # fmt: skip
    if missing:
        raise BadSignature(f"It lacks {', '.join(sorted(missing))}.")
    return parameters


def _seconds(written: str) -> int:
    if not _SECONDS.fullmatch(written):
        raise BadSignature("created and expires are Unix seconds.")
    return int(written)


def _base64url(plain: bytes) -> str:
    return base64.urlsafe_b64encode(plain).rstrip(b"=").decode()
