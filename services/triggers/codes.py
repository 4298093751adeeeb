"""Codes that people choose: of indicators, triggers and schemes."""

from typing import Annotated

from pydantic import Field

Code = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$",
        max_length=64,
        description="Lower-case letters, digits and hyphens.",
    ),
]
