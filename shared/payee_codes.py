"""A short code for one entitlement: the same on a list of payments and on a sheet of names.

Neither paper names the other's content: whoever holds both lays them side by side by the code.
"""

import hashlib
from uuid import UUID

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no letter that is taken for a figure."""
_BITS = 5
_LETTERS = 8


def payee_code(entitlement_id: UUID) -> str:
    """Eight letters in two groups, 40 bits of SHA-256 over the id, such as ``7K3M-Q9XW``."""
    number = int.from_bytes(hashlib.sha256(entitlement_id.bytes).digest()[:5])
    letters = [
        _ALPHABET[number >> (_BITS * place) & (2**_BITS - 1)] for place in reversed(range(_LETTERS))
    ]
    return f"{''.join(letters[:4])}-{''.join(letters[4:])}"
