"""The chain: each record has a digest, made with the digest of the one before.

SHA-256 (FIPS 180-4) over the digest before, 32 bytes, and the record in its canonical form: a JSON
array in UTF-8, without spaces, of the form's name, the sequence, and the record's columns as
PostgreSQL writes them as text.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

FORM = "sangkroh-audit-1"
BEGINNING = bytes(32)
"""The digest before the first."""


def digest_of(before: bytes, sequence: int, record: Sequence[str | None]) -> bytes:
    """The digest of the record with this place in the chain."""
    form = json.dumps([FORM, sequence, *record], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(before + form.encode()).digest()


@dataclass(frozen=True, slots=True)
class Head:
    """The last link of a chain, or of what it was once: who knows it knows all before it."""

    sequence: int
    digest: bytes

    def __str__(self) -> str:
        return f"{self.sequence}:{self.digest.hex()}"

    @classmethod
    def read(cls, written: str) -> Self:
        """A head as it is written; raises ValueError."""
        sequence, _, digest = written.partition(":")
        if not sequence.isdecimal() or len(digest) != 2 * len(BEGINNING):
            raise ValueError(f"{written} is no head: it looks like 1234:0a1b… with 64 digits.")
        return cls(int(sequence), bytes.fromhex(digest))
