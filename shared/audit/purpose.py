"""What personal values are read for: a header of the request, kept with the record of the read."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import Header
from pydantic import AfterValidator

PURPOSE_HEADER = "Access-Purpose"
_LEAST_CHARACTERS = 3
_MOST_CHARACTERS = 200
_MOST_BYTES = 4 * _MOST_CHARACTERS


def purpose_of(headers: Mapping[str, str]) -> str | None:
    """The purpose that a request gives, as text; None: it gives none."""
    given = headers.get(PURPOSE_HEADER)
    return None if given is None else _as_text(given)


def _as_text(given: str) -> str:
    # HTTP hands bytes on as Latin-1 (RFC 9110, section 5.5), and Khmer is written in UTF-8.
    try:
        text = given.encode("latin-1").decode().strip()
    except UnicodeError:
        raise ValueError("Write the purpose in UTF-8.") from None
    if not _LEAST_CHARACTERS <= len(text) <= _MOST_CHARACTERS or not text.isprintable():
        raise ValueError(
            f"Say in {_LEAST_CHARACTERS} to {_MOST_CHARACTERS} characters, without control "
            "characters, what the values are read for."
        )
    return text


Purpose = Annotated[
    str | None,
    Header(
        alias=PURPOSE_HEADER,
        max_length=_MOST_BYTES,
        description="What personal values are read for, kept with the record of the read.",
        examples=["Complaint 2020-118: the household says that it was not paid."],
    ),
    AfterValidator(lambda given: None if given is None else _as_text(given)),
]
