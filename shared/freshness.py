"""Answers that a caller may have at hand already: a tag with each, and 304 where it is the same."""

import hashlib
from typing import Annotated, Any

from fastapi import Header

from shared.values import Text

KnownTag = Annotated[
    Annotated[str, Text(longest=2_000)] | None,
    Header(alias="If-None-Match", description="The `ETag` of the answer that is at hand."),
]

NOT_MODIFIED: dict[int | str, dict[str, Any]] = {
    304: {"description": "It is as it was when the tag was given."}
}
REVALIDATED = "private, no-cache"
"""To be kept by its caller alone, who asks each time whether it is still so."""


def tag_of(content: bytes) -> str:
    """The tag of an answer that is at hand in full."""
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def is_known(tag: str, known: str | None) -> bool:
    """Whether a caller's ``If-None-Match`` names the tag (RFC 9110, section 13.1.2)."""
    if known is None:
        return False
    given = [each.strip().removeprefix("W/") for each in known.split(",")]
    return tag in given or "*" in given
