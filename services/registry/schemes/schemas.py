"""How schemes look over HTTP."""

from typing import Any

from pydantic import Field, model_validator

from services.registry.schemes.document import SchemeDocument, of_its_time
from shared.documents import VersionOut


class SchemeVersionOut(VersionOut[SchemeDocument]):
    """A version of a scheme, as it was posted."""

    code: str = Field(examples=["flood-2022"])

    @model_validator(mode="before")
    @classmethod
    def _by_the_rules_of_its_time(cls, stored: Any) -> Any:
        if isinstance(stored, dict) and isinstance(stored.get("document"), dict):
            return {**stored, "document": of_its_time(stored["document"])}
        return stored
