"""Our ids as the standard takes them: ``Max35Text`` has no room for a UUID with its hyphens."""

import re
from uuid import UUID

_REFERENCE = re.compile("[0-9a-f]{32}")


def reference_of(identifier: UUID) -> str:
    """An id of ours as 32 hexadecimal digits."""
    return identifier.hex


def read_reference(text: str | None) -> UUID | None:
    """The id that a reference of ours names, or None: it is none of ours."""
    return UUID(text) if text is not None and _REFERENCE.fullmatch(text) else None
