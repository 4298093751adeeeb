"""How schemes look over HTTP."""

from pydantic import Field

from services.registry.schemes.document import SchemeDocument
from shared.documents import VersionOut


class SchemeVersionOut(VersionOut[SchemeDocument]):
    """A version of a scheme, as it was posted."""

    code: str = Field(examples=["flood-2022"])
