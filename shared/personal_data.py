"""Personal data at rest: sealed in the application, found again through a blind index.

AES-256-GCM (NIST SP 800-38D) with random 96-bit nonces. A sealed value is
``key version (2 bytes) || nonce (12) || ciphertext || tag (16)``; its associated data is the
context and the identity of the row that it belongs to, so that a value moved to another row,
or to another column, does not open.

A value is sealed with the key of its version, or with one that is derived from it and from random
material that somebody has of their own: then the first bit of the version is set. By an HMAC-SHA256
in counter mode (NIST SP 800-108r1, 4.1; one block): ``HMAC(key, 1 || label || 0 || context ||
material || 256)``. Whoever has the key and not the material is left to guess 256 bits, so that with
the material everything that was sealed by it is gone, wherever copies of it lie.
"""

import hashlib
import hmac
import os
from collections.abc import Callable, Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretBytes

_VERSION_BYTES = 2
_NONCE_BYTES = 12
_INDEX_BYTES = 16
_HASH_BLOCK_BYTES = 64
_INNER, _OUTER = (bytes(byte ^ pad for byte in range(256)) for pad in (0x36, 0x5C))
MATERIAL_BYTES = 32
"""Of what somebody has of their own: as many as the key that is derived from it."""
_OF_MATERIAL = 0x8000
_LABEL = b"key of somebody's own"
_BITS = (256).to_bytes(4, "big")


class CannotDecrypt(Exception):
    """A sealed value that does not open: wrong key, wrong row, or altered."""


class KeyMissing(CannotDecrypt):
    """A sealed value whose key version is not configured here: the value itself may be right."""


class MaterialMissing(CannotDecrypt):
    """A value that was sealed with material, which is not there: nobody opens it without."""


class Cipher:
    """Seals and opens values of one kind (``context``), with keys by version."""

    def __init__(self, keys: Mapping[int, bytes], *, context: str) -> None:
        if not keys:
            raise ValueError(f"No key is configured for {context}.")
        if max(keys) >= _OF_MATERIAL:
            raise ValueError(f"{context}: versions of keys are below {_OF_MATERIAL}.")
        self._keys = {version: AESGCM(key) for version, key in keys.items()}
        self._current = max(keys)
        label = b"\0\0\0\1" + _LABEL + b"\0" + context.encode() + b"\0"
        self._deriving = {version: _hmac_of(key, label) for version, key in keys.items()}
        self._prefix = self._current.to_bytes(_VERSION_BYTES, "big")
        self._own_prefix = (self._current | _OF_MATERIAL).to_bytes(_VERSION_BYTES, "big")
        self._encrypt = self._keys[self._current].encrypt
        self._context = context.encode()
        self._telling_apart = hmac.digest(
            keys[self._current], b"fingerprints of values: " + self._context, hashlib.sha256
        )

    @property
    def current(self) -> int:
        """The version that seals."""
        return self._current

    @property
    def prefix(self) -> bytes:
        """What values begin with that are sealed with the current key."""
        return self._prefix

    @property
    def own_prefix(self) -> bytes:
        """What values begin with that are sealed with a key derived from the current one."""
        return self._own_prefix

    @property
    def context(self) -> bytes:
        """The kind of values."""
        return self._context

    def of(self, material: bytes) -> "OwnCipher":
        """Seals and opens what is somebody's who has this material of their own."""
        return OwnCipher(self, material)

    def derived(self, version: int, material: bytes) -> AESGCM:
        """The key of a version and of somebody's material; raises KeyMissing."""
        derive = self._deriving.get(version)
        if derive is None:
            raise KeyMissing(f"No key of version {version} is configured.")
        return AESGCM(derive(material + _BITS))

    def encrypt(self, plain: bytes, *, bound_to: bytes) -> bytes:
        """Seal ``plain`` for the row ``bound_to`` (for instance the household id's 16 bytes)."""
        nonce = os.urandom(_NONCE_BYTES)
        return self._prefix + nonce + self._encrypt(nonce, plain, self._context + bound_to)

    def fingerprint(self, plain: bytes) -> bytes:
        """The version of the key that seals, and 16 bytes by which values sealed with it differ."""
        return self._prefix + hmac.digest(self._telling_apart, plain, hashlib.sha256)[:_INDEX_BYTES]

    def decrypt(self, sealed: bytes, *, bound_to: bytes) -> bytes:
        """Open a sealed value; raises KeyMissing, MaterialMissing where it was sealed with
        somebody's own, or CannotDecrypt where it is not right."""
        if is_of_material(sealed):
            raise MaterialMissing("The value was sealed with material that is not there.")
        version = version_of(sealed)
        nonce = sealed[_VERSION_BYTES : _VERSION_BYTES + _NONCE_BYTES]
        key = self._keys.get(version)
        if key is None:
            raise KeyMissing(f"No key of version {version} is configured.")
        try:
            return key.decrypt(
                nonce, sealed[_VERSION_BYTES + _NONCE_BYTES :], self._context + bound_to
            )
        except (InvalidTag, ValueError):
            raise CannotDecrypt("The value was altered, or belongs to another row.") from None


class OwnCipher:
    """Seals and opens what is somebody's who has material of their own.

    What was sealed before they had any opens still, with the key alone.
    """

    __slots__ = ("_cipher", "_encrypt", "_keys", "_material", "_prefix")

    def __init__(self, cipher: Cipher, material: bytes) -> None:
        self._cipher = cipher
        self._material = material
        key = cipher.derived(cipher.current, material)
        self._keys = {cipher.current: key}
        self._prefix = cipher.own_prefix
        self._encrypt = key.encrypt

    def encrypt(self, plain: bytes, *, bound_to: bytes) -> bytes:
        """Seal ``plain`` for the row ``bound_to``."""
        nonce = os.urandom(_NONCE_BYTES)
        return self._prefix + nonce + self._encrypt(nonce, plain, self._cipher.context + bound_to)

    def decrypt(self, sealed: bytes, *, bound_to: bytes) -> bytes:
        """Open a sealed value; raises KeyMissing, or CannotDecrypt where it is not right."""
        if not is_of_material(sealed):
            return self._cipher.decrypt(sealed, bound_to=bound_to)
        version = version_of(sealed)
        key = self._keys.get(version)
        if key is None:
            key = self._keys[version] = self._cipher.derived(version, self._material)
        nonce = sealed[_VERSION_BYTES : _VERSION_BYTES + _NONCE_BYTES]
        try:
            return key.decrypt(
                nonce, sealed[_VERSION_BYTES + _NONCE_BYTES :], self._cipher.context + bound_to
            )
        except (InvalidTag, ValueError):
            raise CannotDecrypt("The value was altered, or belongs to another row.") from None


class BlindIndex:
    """Finds a sealed value by equality, without telling it: HMAC-SHA256, cut to 16 bytes.

    What the key adds is computed once, and for each kind its name.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._of_kinds: dict[str, Callable[[str], bytes]] = {}

    def of(self, kind: str, value: str) -> bytes:
        """The index of a normalised ``value`` of one ``kind`` (``phone``, ``id_number``, …)."""
        return self.of_kind(kind)(value)

    def of_kind(self, kind: str) -> Callable[[str], bytes]:
        """What makes the index of a value of this kind: for whoever has many."""
        of = self._of_kinds.get(kind)
        if of is None:
            of = self._of_kinds[kind] = self._prepared(kind)
        return of

    def _prepared(self, kind: str) -> Callable[[str], bytes]:
        inner, outer = _beginnings_of(self._key, f"{kind}\x00".encode())

        # The same as of _hmac_of, without a call within: of each household there are six.
        def index_of(value: str) -> bytes:
            within, around = inner.copy(), outer.copy()
            within.update(value.encode())
            around.update(within.digest())
            return around.digest()[:_INDEX_BYTES]

        return index_of


def _hmac_of(key: bytes, beginning: bytes) -> Callable[[bytes], bytes]:
    """The HMAC-SHA256 of what begins so, of the rest of it."""
    inner, outer = _beginnings_of(key, beginning)

    def of(rest: bytes) -> bytes:
        within, around = inner.copy(), outer.copy()
        within.update(rest)
        around.update(within.digest())
        return around.digest()

    return of


def _beginnings_of(key: bytes, beginning: bytes) -> tuple["hashlib._Hash", "hashlib._Hash"]:
    """Both hashes of an HMAC-SHA256 of what begins so, up to the rest of it.

    What the key adds is computed once (RFC 2104, section 4): it takes a third of the time that the
    HMAC of a short value takes else.
    """
    block = key if len(key) <= _HASH_BLOCK_BYTES else hashlib.sha256(key).digest()
    block = block.ljust(_HASH_BLOCK_BYTES, b"\x00")
    inner, outer = hashlib.sha256(block.translate(_INNER)), hashlib.sha256(block.translate(_OUTER))
    inner.update(beginning)
    return inner, outer


def version_of(sealed: bytes) -> int:
    """The version of the key that a value is sealed with, or that its key is derived from."""
    return int.from_bytes(sealed[:_VERSION_BYTES], "big") & ~_OF_MATERIAL


def is_of_material(sealed: bytes) -> bool:
    """Whether a value was sealed with material of somebody's own."""
    return bool(sealed[:1]) and sealed[0] >= _OF_MATERIAL >> 8


def new_materials(count: int) -> list[bytes]:
    """Material for so many, drawn at once."""
    drawn = os.urandom(MATERIAL_BYTES * count)
    return [drawn[at : at + MATERIAL_BYTES] for at in range(0, len(drawn), MATERIAL_BYTES)]


def fingerprint_of(key: bytes) -> bytes:
    """What a key is recognised by, and not learnt from."""
    return hmac.digest(key, b"fingerprint of this key", hashlib.sha256)[:_INDEX_BYTES]


def cipher_from(keys: Mapping[int, SecretBytes], *, context: str) -> Cipher:
    """A cipher over the keys of the settings."""
    return Cipher(
        {version: key.get_secret_value() for version, key in keys.items()}, context=context
    )
