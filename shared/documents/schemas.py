"""Bodies about versioned documents."""

from datetime import datetime
from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

MAXIMUM_CODE_CHARACTERS = 64

Code = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$",
        max_length=MAXIMUM_CODE_CHARACTERS,
        description="Lower-case letters, digits and hyphens.",
    ),
]
"""A code that people choose: of documents, and of what documents refer to."""


class Document(BaseModel):
    """A rule, whole: a change of any part is a new version."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: Code


Posted = TypeVar("Posted", bound=Document)


class VersionOut(BaseModel, Generic[Posted]):
    """One version of a document, as it was posted."""

    model_config = ConfigDict(from_attributes=True)

    code: str
    version: Annotated[int, Field(examples=[1])]
    posted_by: Annotated[str, Field(examples=["officer@nspc.example"])]
    posted_at: Annotated[datetime, Field(examples=["2020-10-01T02:00:00Z"])]
    document: Posted
