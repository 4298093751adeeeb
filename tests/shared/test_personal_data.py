import hmac
import os

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.personal_data import (
    BlindIndex,
    CannotDecrypt,
    Cipher,
    MaterialMissing,
    is_of_material,
    new_materials,
    version_of,
)

OLD, NEW = {1: os.urandom(32)}, {2: os.urandom(32)}
ROW, OTHER_ROW = b"r" * 16, b"s" * 16
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=100)


@given(plain=st.binary(max_size=500))
def test_what_is_sealed_opens_for_its_row_alone(plain: bytes) -> None:
    cipher = Cipher(OLD, context="payee-account")
    sealed = cipher.encrypt(plain, bound_to=ROW)

    assert cipher.decrypt(sealed, bound_to=ROW) == plain
    with pytest.raises(CannotDecrypt):
        cipher.decrypt(sealed, bound_to=OTHER_ROW)
    with pytest.raises(CannotDecrypt):
        Cipher(OLD, context="person").decrypt(sealed, bound_to=ROW)


@given(position=st.integers(0, 10**6))
def test_an_altered_byte_does_not_open(position: int) -> None:
    cipher = Cipher(OLD, context="person")
    sealed = bytearray(cipher.encrypt(b"Sok Dara", bound_to=ROW))
    sealed[position % len(sealed)] ^= 1

    with pytest.raises(CannotDecrypt):
        cipher.decrypt(bytes(sealed), bound_to=ROW)


@given(cut=st.integers(0, 30))
def test_a_cut_value_does_not_open(cut: int) -> None:
    cipher = Cipher(OLD, context="person")

    with pytest.raises(CannotDecrypt):
        cipher.decrypt(cipher.encrypt(b"x", bound_to=ROW)[:cut], bound_to=ROW)


def test_a_new_key_seals_and_the_old_one_still_opens() -> None:
    before = Cipher(OLD, context="person").encrypt(b"Sok Dara", bound_to=ROW)
    rotated = Cipher(OLD | NEW, context="person")

    assert rotated.decrypt(before, bound_to=ROW) == b"Sok Dara"
    with pytest.raises(CannotDecrypt):
        Cipher(OLD, context="person").decrypt(
            rotated.encrypt(b"Sok Dara", bound_to=ROW), bound_to=ROW
        )


def test_the_blind_index_finds_equals_and_tells_kinds_apart() -> None:
    index = BlindIndex(os.urandom(32))

    assert index.of("phone", "+85512000000") == index.of("phone", "+85512000000")
    assert index.of("phone", "+85512000000") != index.of("account", "+85512000000")
    assert index.of("phone", "+85512000000") != BlindIndex(os.urandom(32)).of(
        "phone", "+85512000000"
    )


@settings(max_examples=100, deadline=None)
@given(key=st.binary(min_size=1, max_size=200), kind=TEXTS, value=TEXTS)
def test_the_blind_index_is_the_hmac_of_the_kind_and_the_value(
    key: bytes, kind: str, value: str
) -> None:
    expected = hmac.digest(key, f"{kind}\x00{value}".encode(), "sha256")[:16]
    index = BlindIndex(key)

    assert index.of(kind, value) == index.of_kind(kind)(value) == expected
    assert index.of(kind, value) == expected, "nothing is left of the value before"


@given(plain=st.binary(max_size=500), other=st.binary(min_size=32, max_size=32))
def test_what_is_sealed_with_somebodys_own_opens_with_that_alone(
    plain: bytes, other: bytes
) -> None:
    cipher = Cipher(OLD, context="person")
    (material,) = new_materials(1)
    sealed = cipher.of(material).encrypt(plain, bound_to=ROW)

    assert cipher.of(material).decrypt(sealed, bound_to=ROW) == plain
    for opens, row in (
        (cipher.of(other), ROW),
        (cipher.of(material), OTHER_ROW),
        (Cipher(NEW, context="person").of(material), ROW),
        (Cipher({1: NEW[2]}, context="person").of(material), ROW),
        (Cipher(OLD, context="payee-account").of(material), ROW),
        (cipher, ROW),
    ):
        with pytest.raises(CannotDecrypt):
            opens.decrypt(sealed, bound_to=row)
    # Nor does it open as if it had been sealed without.
    with pytest.raises(CannotDecrypt):
        cipher.decrypt(bytes([sealed[0] & 0x7F]) + sealed[1:], bound_to=ROW)
    with pytest.raises(MaterialMissing):
        cipher.decrypt(sealed, bound_to=ROW)


def test_a_value_says_by_itself_how_it_was_sealed() -> None:
    rotated = Cipher(OLD | NEW, context="person")
    (material,) = new_materials(1)
    own = rotated.of(material)
    ways = [
        Cipher(OLD, context="person").encrypt(b"Sok Dara", bound_to=ROW),
        Cipher(OLD, context="person").of(material).encrypt(b"Sok Dara", bound_to=ROW),
        rotated.encrypt(b"Sok Dara", bound_to=ROW),
        own.encrypt(b"Sok Dara", bound_to=ROW),
    ]

    assert {own.decrypt(sealed, bound_to=ROW) for sealed in ways} == {b"Sok Dara"}
    assert [version_of(sealed) for sealed in ways] == [1, 1, 2, 2]
    assert [is_of_material(sealed) for sealed in ways] == [False, True, False, True]
    with pytest.raises(ValueError, match="versions of keys"):
        Cipher({0x8000: OLD[1]}, context="person")


def test_a_key_is_derived_as_the_standard_says() -> None:
    """NIST SP 800-108r1, 4.1: K(1) = PRF(K_in, [1] || Label || 0x00 || Context || [L])."""
    material = bytes(range(32))
    fixed = b"key of somebody's own" + b"\0" + b"person\0" + material
    key = hmac.new(OLD[1], b"\0\0\0\1" + fixed + b"\0\0\1\0", "sha256").digest()
    sealed = Cipher(OLD, context="person").of(material).encrypt(b"Sok Dara", bound_to=ROW)

    assert AESGCM(key).decrypt(sealed[2:14], sealed[14:], b"person" + ROW) == b"Sok Dara"
