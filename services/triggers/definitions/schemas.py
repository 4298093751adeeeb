"""How triggers look over HTTP."""

from pydantic import ConfigDict

from services.triggers.definitions.document import TriggerDocument
from services.triggers.definitions.shipped import shipped_document
from shared.documents import VersionOut

Trigger = VersionOut[TriggerDocument]


class TriggerOut(VersionOut[TriggerDocument]):
    """One version of a trigger."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "code": "flood-reported-impact",
                    "version": 1,
                    "posted_by": "officer@nspc.example",
                    "posted_at": "2020-10-01T02:00:00Z",
                    "document": shipped_document("flood-reported-impact"),
                }
            ]
        }
    )
