"""How schemes look over HTTP."""

from datetime import datetime

from pydantic import BaseModel, Field

from services.registry.schemes.document import SchemeDocument


class SchemeVersionOut(BaseModel):
    """A version of a scheme, as it was posted."""

    scheme: str = Field(examples=["flood-2022"])
    version: int = Field(examples=[1])
    posted_by: str = Field(examples=["officer@nspc.example"])
    posted_at: datetime
    document: SchemeDocument


class SchemeOut(BaseModel):
    """A scheme and its newest version."""

    code: str = Field(examples=["flood-2022"])
    name: str = Field(examples=["Cash relief for flood-affected households"])
    shock: str = Field(examples=["flood"])
    latest_version: int = Field(examples=[1])
