"""How editions of the gazetteer, what they change, and who waits to be placed look over HTTP."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.registry.areas.tables import ChangeKind, Level
from services.registry.editions.comparing import Table
from services.registry.editions.reading import AREA_HEADERS, CHANGE_HEADERS
from shared.values import Text

MAXIMUM_TABLE_BYTES = 12 * 2**20

EditionCode = Annotated[
    str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,40}$", max_length=41, examples=["ncdd-2026"])
]

AREAS_EXAMPLE = f"{','.join(AREA_HEADERS)}\nprovince,01,Banteay Meanchey,បន្ទាយមានជ័យ\n"
CHANGES_EXAMPLE = f"{','.join(CHANGE_HEADERS)}\n010201,010299,moved\n"


class EditionStatus(StrEnum):
    DRAFT = "draft"
    """Nothing follows from it yet: it can be read, replaced and proposed."""
    IN_FORCE = "in_force"
    SUPERSEDED = "superseded"
    """It was in force before a later one."""


class EditionIn(BaseModel):
    """An edition of the gazetteer to come."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"code": "ncdd-2026", "note": "Sub-decree on the boundaries of 2026."}]
        },
    )

    code: EditionCode
    note: Annotated[str, Text(longest=500)] | None = None


class ProposalIn(BaseModel):
    """Why an edition is to be put in force."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"reason": "Sub-decree 57 of 2026."}]}
    )

    reason: Annotated[str, Text(longest=500)]


class Differences(BaseModel):
    """What an edition does to the one before it, in numbers."""

    areas: dict[Level, int] = Field(description="Areas of the edition, by level.")
    changes: dict[ChangeKind, int] = Field(description="Codes that lead elsewhere, by kind.")
    added: int = Field(description="Codes that are new, and that nothing leads to.")
    ended: int = Field(description="Codes that are no more.")
    households_following: int = Field(description="Households that get another code by it.")
    households_to_place: int = Field(
        description="Households that nobody can place without their village: a person has to say."
    )


class FaultOut(BaseModel):
    """What is wrong with an edition."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "table": "changes",
                    "line": 2,
                    "code": "to-unknown",
                    "detail": "to_code is not in this edition's areas.",
                }
            ]
        }
    )

    table: Table
    line: int = Field(description="The header is line 1; 0: of no line, something is missing.")
    code: str
    detail: str


class EditionOut(BaseModel):
    """An edition of the gazetteer."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "code": "ncdd-2026",
                    "number": 2,
                    "status": "in_force",
                    "note": "Sub-decree on the boundaries of 2026.",
                    "created_by": "registrar@example.org",
                    "created_at": "2026-03-01T02:00:00Z",
                    "in_force_at": "2026-03-02T02:00:00Z",
                    "approval_id": "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10",
                    "differences": {
                        "areas": {"province": 25, "district": 210, "commune": 1653},
                        "changes": {"split": 2},
                        "added": 0,
                        "ended": 0,
                        "households_following": 31,
                        "households_to_place": 4,
                    },
                    "sent_by": ["registrar@example.org"],
                    "faults": [],
                }
            ]
        }
    )

    code: str
    number: int | None = Field(description="Its place among those put in force; null: a draft.")
    status: EditionStatus
    note: str | None
    created_by: str
    created_at: datetime
    sent_by: list[str] = Field(description="Who sent its tables: they do not approve it.")
    in_force_at: datetime | None
    approval_id: UUID | None
    differences: Differences | None = Field(
        description="Of a draft as of now, of others as they were when put in force; null: the "
        "first, and a draft whose tables are not there or not right."
    )
    faults: list[FaultOut] = Field(
        description="What is wrong with a draft, the first 200: it cannot be proposed."
    )


class ChangeOut(BaseModel):
    """What becomes of one code, towards one other."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "split",
                    "from_code": "010201",
                    "from_name_en": "Banteay Neang",
                    "from_name_km": "បន្ទាយនាង",
                    "to_code": "010299",
                    "to_name_en": "Banteay Neang Lech",
                    "to_name_km": "បន្ទាយនាងលិច",
                    "households_following": 31,
                    "households_to_place": 4,
                }
            ]
        }
    )

    kind: ChangeKind
    from_code: str
    from_name_en: str
    from_name_km: str
    to_code: str
    to_name_en: str
    to_name_km: str
    households_following: int = Field(
        description="Of communes: households that stood in the one and get a code of the other."
    )
    households_to_place: int = Field(
        description="Of communes: households of the first that a person has to place."
    )


class WaitingOut(BaseModel):
    """A household that an edition could not place."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "household_id": "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10",
                    "edition": "ncdd-2026",
                    "area_code": "010201",
                    "choices": ["010201", "010299"],
                    "waits_since": "2026-03-02T02:00:00Z",
                    "waits_days": 3,
                }
            ]
        }
    )

    household_id: UUID
    edition: str
    area_code: str = Field(description="Where it stands meanwhile, and is enrolled and paid.")
    choices: list[str] = Field(description="The communes that it may be in.")
    waits_since: datetime
    waits_days: int


PlaceCode = Annotated[str, Field(pattern=r"^[0-9]{6}([0-9]{2})?$", max_length=8)]


class PlacementIn(BaseModel):
    """Where one household lives."""

    model_config = ConfigDict(extra="forbid")

    household_id: UUID
    code: PlaceCode = Field(
        description="One of its choices, or a village in one.", examples=["010299"]
    )


class PlacementsIn(BaseModel):
    """Where households live that an edition could not place."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "placements": [
                        {
                            "household_id": "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10",
                            "code": "010299",
                        }
                    ],
                    "reason": "Asked by telephone.",
                }
            ]
        },
    )

    placements: Annotated[list[PlacementIn], Field(min_length=1, max_length=500)]
    reason: Annotated[str, Text(longest=500)]


class PlacedOut(BaseModel):
    """What became of one placement."""

    household_id: UUID
    placed: bool
    detail: str | None = Field(
        description="Why it was not.", examples=["It is in one of 010201, 010299."]
    )


class PlacementsOut(BaseModel):
    """What became of placements, in their order."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "placements": [
                        {
                            "household_id": "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10",
                            "placed": True,
                            "detail": None,
                        }
                    ]
                }
            ]
        }
    )

    placements: list[PlacedOut]
