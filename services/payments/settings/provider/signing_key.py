"""What files and lists for a provider are signed by."""

import base64
import binascii

SIGNING_KEY_BYTES = 32


def is_signing_key(text: str) -> bool:
    """Whether a text is a key of Ed25519: 32 bytes in base64 (RFC 8032, section 5.1.5)."""
    try:
        return len(base64.b64decode(text, validate=True)) == SIGNING_KEY_BYTES
    except (binascii.Error, ValueError):
        return False
