"""What is given to do something with a household, over HTTP."""

from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.registry.households.bodies import with_fields
from services.registry.households.fields import Field as HouseholdField
from services.registry.households.shape import (
    CATEGORIES,
    COUNTED,
    HEAD_NAME,
    ID_NUMBER,
    MAXIMUM_MEMBERS,
    PHONE,
    REGISTRATION_NUMBER,
    PovertyStatus,
)
from services.registry.households.tables import Archiving
from services.registry.members.shape import Relationship
from shared.approvals import Reason
from shared.values import Day, Text, Whole

_COMMUNE = Annotated[str, Field(pattern="^[0-9]{6}$", max_length=6, examples=["010203"])]
_VILLAGE = Annotated[str, Field(pattern="^[0-9]{8}$", max_length=8, examples=["01020301"])]
Source = Annotated[
    Annotated[str, Text(longest=200)] | None,
    Field(
        description="What it follows from: a letter, a certificate, a list.",
        examples=["Letter of the commune 12/26"],
    ),
]
_Count = Annotated[int, Whole(least=0, most=MAXIMUM_MEMBERS)]
PERSONAL = (HEAD_NAME, PHONE, ID_NUMBER)
"""What can be corrected of the head; by the registration number the household is known."""


class ActIn(BaseModel):
    """Why something is done, and what it follows from."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason
    source: Source = None


class PersonIn(BaseModel):
    """The head of the household, as they are to be called and found. What is left out stays."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Text(longest=200)] | None = Field(
        default=None, examples=[HEAD_NAME.example]
    )
    phone: Annotated[str, Text(longest=20)] | None = Field(default=None, examples=[PHONE.example])
    id_number: Annotated[str, Text(longest=30)] | None = Field(
        default=None, examples=[ID_NUMBER.example]
    )


def _corrected(field: HouseholdField) -> Any:
    return (Annotated[_Count, Field(description=field.described)] | None, None)


@with_fields(CATEGORIES, _corrected)
class HouseholdCorrectionIn(ActIn):
    """What is known better of a household. What is left out stays as it is."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"poverty_status": "poor-2", "reason": "The interview was repeated."}]
        },
    )

    poverty_status: PovertyStatus | None = None
    members: Annotated[int, Whole(least=1, most=MAXIMUM_MEMBERS)] | None = None
    person: PersonIn | None = None

    def counts(self) -> dict[str, int]:
        """The counts that are given."""
        return {
            field.name: value
            for field in COUNTED
            if (value := getattr(self, field.name)) is not None
        }


class MoveIn(ActIn):
    """Where a household lives now."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"area_code": "010202", "reason": "Moved to the wife's parents."}]
        },
    )

    area_code: _COMMUNE
    village_code: _VILLAGE | None = None

    @model_validator(mode="after")
    def _village_of_the_commune(self) -> Self:
        if self.village_code is not None and not self.village_code.startswith(self.area_code):
            raise ValueError("village_code: write a village of this commune")
        return self


class ArchiveIn(ActIn):
    """Why a household is none any more that could be enrolled."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"because": "moved-away", "reason": "Left for Thailand for good."}]
        },
    )

    because: Archiving

    @model_validator(mode="after")
    def _not_by_hand(self) -> Self:
        if self.because is Archiving.MERGED:
            raise ValueError("because: a merger archives the household; ask for the merger")
        return self


class RestoreIn(ActIn):
    """Why a household is one again."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"reason": "They came back."}]}
    )


class MergerIn(ActIn):
    """Another household, whose members become members of this one."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "merged_id": "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a11",
                    "reason": "The same family, registered twice.",
                }
            ]
        },
    )

    merged_id: UUID


class SplitMemberIn(BaseModel):
    """Somebody who goes, and what they are to the head of the new household."""

    model_config = ConfigDict(extra="forbid")

    member_id: UUID
    relationship: Relationship


class SplitIn(ActIn):
    """Some members become a household of its own; exactly one of them is its head."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "registration_number": "KH-010201-000877",
                    "members": [
                        {
                            "member_id": "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a12",
                            "relationship": "head",
                        }
                    ],
                    "reason": "The son married and keeps a house of his own.",
                }
            ]
        },
    )

    registration_number: str = Field(
        pattern=f"^{REGISTRATION_NUMBER.kind.pattern}$", max_length=40, examples=["KH-1"]
    )
    members: list[SplitMemberIn] = Field(min_length=1, max_length=MAXIMUM_MEMBERS)

    @model_validator(mode="after")
    def _one_head(self) -> Self:
        if [member.relationship for member in self.members].count(Relationship.HEAD) != 1:
            raise ValueError("members: exactly one of them is the head of the new household")
        if len({member.member_id for member in self.members}) < len(self.members):
            raise ValueError("members: somebody is named twice")
        return self


class DeathIn(ActIn):
    """When somebody died; of a head, who is the head now."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"died_on": "2026-01-03", "reason": "Certificate of the commune."}]
        },
    )

    died_on: Day
    new_head_id: UUID | None = Field(
        default=None, description="The member who is the head from now on, where a head died."
    )


class DepartureIn(ActIn):
    """When somebody left, and to which household, if they are of another now."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"left_on": "2026-01-03", "reason": "Works in Phnom Penh."}]
        },
    )

    left_on: Day
    to_household_id: UUID | None = None
    relationship: Relationship | None = Field(
        default=None, description="What they are to the head of the household that they join."
    )
    new_head_id: UUID | None = Field(
        default=None, description="The member who is the head from now on, where a head left."
    )

    @model_validator(mode="after")
    def _joins_as_somebody(self) -> Self:
        if (self.to_household_id is None) != (self.relationship is None):
            raise ValueError("to_household_id and relationship: give both, or neither")
        if self.relationship is Relationship.HEAD:
            raise ValueError("relationship: the household that they join has a head")
        return self


class ErasureIn(ActIn):
    """Why nobody is to know any more who they were."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"reason": "Archived two years ago; the rule says so."}]},
    )


Given = (
    HouseholdCorrectionIn
    | MoveIn
    | ArchiveIn
    | RestoreIn
    | MergerIn
    | SplitIn
    | DeathIn
    | DepartureIn
    | ErasureIn
)


def shown(values: Any) -> dict[str, Any]:
    """What is not personal of something given, for a proposal and for the audit record."""
    return {
        name: value
        for name, value in values.items()
        if name not in ("person", REGISTRATION_NUMBER.name, "reason")
    }
