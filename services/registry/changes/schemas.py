"""How changes of households look over HTTP."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Header
from pydantic import BaseModel, ConfigDict, Field

from services.registry.changes.tables import ChangeKind
from shared.values import Text

HeldTag = Annotated[
    Annotated[str, Text(longest=2_000)] | None,
    Header(
        alias="If-Match",
        description="The `ETag` of the household as it was read: where it has changed since, "
        "nothing is done, and the answer is 412.",
    ),
]


class PersonBeforeOut(BaseModel):
    """A person as they were called and known before a change."""

    name: str | None = Field(examples=["Sok Chanthy"])
    phone: str | None
    id_number: str | None


class HouseholdChangeOut(BaseModel):
    """One change of a household, or of one member of it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "number": 412,
                    "household_id": "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10",
                    "member_id": None,
                    "at": "2026-05-03T02:11:09Z",
                    "kind": "moved",
                    "by": "officer@nspc.example",
                    "import_id": None,
                    "approval_id": None,
                    "source": "Letter of the commune 12/26",
                    "reason": "Moved to the parents of the wife.",
                    "before": {"area_code": "010201"},
                    "after": {"area_code": "010203"},
                    "person_before": None,
                }
            ]
        }
    )

    number: int = Field(description="Rises from change to change.")
    household_id: UUID
    member_id: UUID | None = Field(description="Null: it is the household's own.")
    at: datetime
    kind: ChangeKind
    by: str = Field(description="Who changed it; of an import, who sent it.")
    import_id: UUID | None
    approval_id: UUID | None = Field(description="What two persons decided, if it took two.")
    source: str | None = Field(description="What it follows from, as whoever changed it said.")
    reason: str | None
    before: dict[str, Any] | None = Field(
        description="The open fields that changed, as they were; null: it was registered by this."
    )
    after: dict[str, Any] | None
    person_before: PersonBeforeOut | None = Field(
        default=None,
        description="Who they were before; only for callers with `households:read-personal`. "
        "Null: that did not change, or was erased.",
    )
