"""How suspected duplicates look over HTTP."""

from datetime import date, datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.registry.duplicates.states import MOST, Decision, Ground, Standing, Step
from services.registry.households.shape import COMMUNE, REGISTRATION_NUMBER, VILLAGE
from services.registry.members.shape import ID_NUMBER, NAME, PHONE, Relationship, Sex
from shared.approvals import ApprovalStatus, Reason
from shared.values import Whole

Score = Annotated[int, Whole(least=0, most=MOST)]


class GroundOut(BaseModel):
    """What speaks for it."""

    ground: Ground
    english: str = Field(examples=["The same ID number"])
    khmer: str = Field(examples=["លេខអត្តសញ្ញាណប័ណ្ណដូចគ្នា"])


class SidePersonOut(BaseModel):
    """Whom it is about: only for callers with `households:read-personal`."""

    registration_number: str | None = Field(
        description="Of the card that the household has. Null: they were erased.",
        examples=[REGISTRATION_NUMBER.example],
    )
    name: str | None = Field(examples=[NAME.example])
    phone: str | None = Field(examples=[PHONE.example])
    id_number: str | None = Field(examples=[ID_NUMBER.example])
    birth_date: date | None
    sex: Sex | None
    relationship: Relationship = Field(description="To the head of the household.")


class SideOut(BaseModel):
    """One of the two."""

    household_id: UUID
    member_id: UUID | None = Field(
        description="Null: the head, of whom no row among the members is known."
    )
    area_code: str = Field(examples=[COMMUNE.example])
    village_code: str | None = Field(examples=[VILLAGE.example])
    members: int = Field(examples=[5])
    changed_at: datetime
    has_account: bool
    archived_at: datetime | None = Field(description="Null: it can be enrolled.")
    merged_into: UUID | None = Field(
        description="The household that its members are of now, where it was merged."
    )
    person: SidePersonOut | None = None


class DecisionOut(BaseModel):
    """What somebody decided, or undid."""

    model_config = ConfigDict(from_attributes=True)

    step: Step
    reason: str = Field(examples=["Twins: the village chief knows them both."])
    decided_by: str = Field(examples=["officer@mosvy.gov.kh"])
    decided_at: datetime
    approval_id: UUID | None = Field(
        description="The proposal, where it takes two persons: a merger, or a decision for many."
    )


class MergerOut(BaseModel):
    """The proposal to merge the two that was asked for last."""

    approval_id: UUID
    status: ApprovalStatus
    stays_id: UUID = Field(description="The household that stays.")
    merged_id: UUID = Field(description="The one whose members become members of it.")
    proposed_by: str = Field(examples=["officer@mosvy.gov.kh"])
    expires_at: datetime


class DuplicateOut(BaseModel):
    """Two registrations that may be one."""

    id: UUID
    score: int = Field(description="From 0 to 1,000: the higher, the more likely.", examples=[990])
    standing: Standing
    holds: bool = Field(
        description="Whether the two are not both paid in one scheme while this stands so."
    )
    grounds: list[GroundOut]
    found_at: datetime
    first: SideOut = Field(description="The one that was known before the other.")
    second: SideOut
    decided_by: str | None = Field(examples=["officer@mosvy.gov.kh"])
    decided_at: datetime | None
    reason: str | None = Field(examples=["Twins: the village chief knows them both."])
    merger: MergerOut | None = Field(description="Null: none was asked for.")
    settled_at: datetime | None = Field(
        description="Since when the two are one household; null: they are not."
    )
    passed_to: UUID | None = Field(
        description="The suspicion that this one went on in, once one of the two was merged into a "
        "third household. What is decided of that is decided of this."
    )


class DuplicateWithDecisionsOut(DuplicateOut):
    """The same, with what was decided of it so far."""

    decisions: list[DecisionOut] = Field(description="The last first.")


class DecisionIn(BaseModel):
    """What you decide, and why."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"decision": "dismiss", "reason": "Twins: the village chief knows them both."},
                {
                    "decision": "merge",
                    "reason": "The same family, registered twice.",
                    "stays_id": "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10",
                },
            ]
        },
    )

    decision: Decision
    reason: Reason
    stays_id: UUID | None = Field(
        default=None,
        description="With `merge`: which of the two households stays. The merger is proposed with "
        "it, and a second person approves it. Without, the two only wait to be merged.",
    )

    @model_validator(mode="after")
    def _stays_with_a_merger(self) -> Self:
        if self.stays_id is not None and self.decision is not Decision.MERGE:
            raise ValueError("stays_id: leave it out, unless the decision is `merge`")
        return self


class UndoIn(BaseModel):
    """Why a decision is taken back."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"reason": "It was about the neighbours."}]},
    )

    reason: Reason


class BulkDecisionIn(BaseModel):
    """What is decided of everything between two scores."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "decision": "dismiss",
                    "least_score": 0,
                    "most_score": 300,
                    "reason": "A hundred were looked at: a phone that the village shares.",
                }
            ]
        },
    )

    decision: Decision
    least_score: Score
    most_score: Score = MOST
    reason: Reason

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.decision is Decision.MERGE:
            raise ValueError(
                "decision: decide `merge` of each by itself. Which household stays is another "
                "question each time, and nobody undoes a merger; the second person approves up to "
                "500 of the proposals at once (POST /v1/approvals/decisions)"
            )
        if self.least_score > self.most_score:
            raise ValueError("least_score is above most_score")
        return self
