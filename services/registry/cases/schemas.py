"""How it looks over HTTP whom an activation missed, and what is decided for one household."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.config import JsonDict

from services.registry.enrolments.states import EntitlementStatus
from services.registry.estimates.schemas import Areas
from shared.values import Text, YesNo
from shared.wording.said import Said

_HOUSEHOLD = "5b0c1f6e-53a1-8f6b-8a27-2f1f6a1d9a10"
_ACTIVATION = "0199c1de-53a1-8f6b-8a27-2f1f6a1d9a10"
_APPEAL = "0199c1de-8000-7a54-8f62-0d6f0a6f5b20"
_MOST_HOUSEHOLDS = 5_000

Why = Annotated[
    str,
    Text(longest=500, shortest=3, lines=True),
    Field(description="Kept, and shown. Write no name and no number of a person."),
]


class Missed(StrEnum):
    """Why a household of an activation got nothing, and what there is to do."""

    NO_ACCOUNT = "no-account"
    """It is owed, and has no account: register one, then repair."""
    BAD_ACCOUNT = "bad-account"
    """Its account failed, or payments cannot send there: change it, then repair."""
    SET_ASIDE = "set-aside"
    """It is owed, and payments or the fund's bound set it aside, or its chunk was refused."""
    SUSPECTED = "suspected"
    """It is suspected to be another household, and waits until somebody decides."""
    LATE = "late"
    """It is eligible by now, and was registered or changed after its commune was enrolled."""


class MissedCount(BaseModel):
    """How many were missed for one reason."""

    why: Missed
    words: Said
    households: int
    amount_minor: int = Field(description="What they are owed, or would get in round 1.")


class MissedOut(BaseModel):
    """Whom an activation missed, by reason."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "activation_id": _ACTIVATION,
                    "currency": "KHR",
                    "missed": [
                        {
                            "why": "no-account",
                            "words": {"en": "Without an account", "km": "គ្មានគណនី"},
                            "households": 312,
                            "amount_minor": 49920000,
                        }
                    ],
                }
            ]
        }
    )

    activation_id: UUID
    currency: str | None
    missed: list[MissedCount]


class MissedHousehold(BaseModel):
    """A household that was missed, in one round."""

    household_id: UUID
    area_code: str = Field(examples=["020101"])
    round: int = Field(examples=[1])
    amount_minor: int = Field(examples=[160000])
    status: EntitlementStatus | None = Field(description="Null: it is not enrolled.")
    reason: str | None = Field(examples=["no-payee-account"])


class FurtherEnrolmentIn(BaseModel):
    """Whom to enrol beside those whom the activation's areas were enrolled with."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"reason": "Registered in the camp after the flood.", "areas": ["0201"]},
                {
                    "reason": "The commune council confirmed that the house is gone.",
                    "household_ids": [_HOUSEHOLD],
                    "whatever_the_rule": True,
                },
            ]
        },
    )

    reason: Why
    areas: Annotated[
        Areas | None, Field(description="Late registrants of these areas alone; null: of all.")
    ] = None
    household_ids: Annotated[
        list[UUID] | None,
        Field(
            min_length=1,
            max_length=_MOST_HOUSEHOLDS,
            description="Only these households; null: every late registrant.",
            examples=[[_HOUSEHOLD]],
        ),
    ] = None
    whatever_the_rule: Annotated[
        YesNo,
        Field(
            description="By hand: also where the rule does not hold, or the activation does not "
            "reach. A case of the benefit has to fit."
        ),
    ] = False

    @model_validator(mode="after")
    def _named_or_late(self) -> Self:
        if self.household_ids is not None and self.areas is not None:
            raise ValueError("give household_ids or areas, not both")
        if self.whatever_the_rule and self.household_ids is None:
            raise ValueError("whatever_the_rule is for household_ids that are named")
        return self


class ExclusionIn(BaseModel):
    """Why a household is kept out."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"reason": "It moved to another country.", "whole_scheme": False}]
        },
    )

    reason: Why
    whole_scheme: Annotated[
        YesNo, Field(description="Of every activation of the scheme, or of this one alone.")
    ] = False


class ExclusionOut(BaseModel):
    """A household that an officer keeps out."""

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "id": _APPEAL,
                    "household_id": _HOUSEHOLD,
                    "scheme_code": "flood-2022",
                    "activation_id": _ACTIVATION,
                    "reason": "It moved to another country.",
                    "excluded_by": "officer@nspc.example",
                    "excluded_at": "2022-10-09T02:00:00Z",
                    "ended_at": None,
                    "ended_by": None,
                    "ended_because": None,
                    "announced_rounds": 1,
                }
            ]
        },
    )

    id: UUID
    household_id: UUID
    scheme_code: str
    activation_id: UUID | None = Field(description="Null: of every activation of the scheme.")
    reason: str
    excluded_by: str
    excluded_at: datetime
    ended_at: datetime | None = Field(description="When two persons admitted it again.")
    ended_by: str | None
    ended_because: str | None
    announced_rounds: int = Field(
        default=0,
        description="Rounds that payments had before, and that are not stopped by this: "
        "`POST /v1/resolutions` of payments cancels what has not been sent.",
    )


class ReadmissionIn(BaseModel):
    """Why a household is to be admitted again."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"reason": "It was another household that moved."}]},
    )

    reason: Why


class About(StrEnum):
    """What a household appeals against."""

    NOT_ENROLLED = "not-enrolled"
    EXCLUDED = "excluded"
    AMOUNT = "amount"
    NOT_PAID = "not-paid"
    OTHER = "other"


class Wants(StrEnum):
    """What is to be done if the appeal is upheld."""

    ENROLMENT = "enrolment"
    """The household is enrolled in the activation, whatever the rule says."""
    READMISSION = "readmission"
    """Its exclusion ends."""
    REVIEW = "review"
    """Nothing by itself: what follows is done by the ordinary ways."""


class AppealStatus(StrEnum):
    """How an appeal stands."""

    OPEN = "open"
    OVERDUE = "overdue"
    UPHELD = "upheld"
    REJECTED = "rejected"


class Decided(StrEnum):
    """How an appeal is decided."""

    UPHELD = "upheld"
    REJECTED = "rejected"


_Words = Annotated[str, Text(longest=1_000, shortest=3, lines=True)]


class WordsIn(BaseModel):
    """What is said, in both languages. Write no name and no number of a person."""

    model_config = ConfigDict(extra="forbid")

    en: _Words
    km: _Words


_WORDS: JsonDict = {
    "en": "The household says that its house stood under water for a week.",
    "km": "គ្រួសារនិយាយថាផ្ទះលិចទឹកអស់មួយសប្តាហ៍។",
}


class AppealIn(BaseModel):
    """What a household wants decided anew, as an officer heard it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "household_id": _HOUSEHOLD,
                    "activation_id": _ACTIVATION,
                    "about": "not-enrolled",
                    "wants": "enrolment",
                    "words": _WORDS,
                }
            ]
        },
    )

    household_id: UUID
    activation_id: UUID
    about: About
    wants: Wants
    words: WordsIn


class NoteIn(BaseModel):
    """What is added to an appeal."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"words": _WORDS}]})

    words: WordsIn


class AppealDecisionIn(BaseModel):
    """How an appeal is decided, as the household is told."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"decision": "upheld", "words": _WORDS}]},
    )

    decision: Decided
    words: WordsIn


class AppealStepOut(BaseModel):
    """One thing that was said about an appeal."""

    kind: str = Field(examples=["opened"])
    at: datetime
    by: str
    words: Said


class AppealOut(BaseModel):
    """An appeal with its history."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": _APPEAL,
                    "household_id": _HOUSEHOLD,
                    "scheme_code": "flood-2022",
                    "activation_id": _ACTIVATION,
                    "about": "not-enrolled",
                    "wants": "enrolment",
                    "status": "open",
                    "opened_by": "officer@nspc.example",
                    "opened_at": "2022-10-12T02:00:00Z",
                    "due_on": "2022-11-11",
                    "decided_by": None,
                    "decided_at": None,
                    "outcome": None,
                    "history": [
                        {
                            "kind": "opened",
                            "at": "2022-10-12T02:00:00Z",
                            "by": "officer@nspc.example",
                            "words": _WORDS,
                        }
                    ],
                }
            ]
        }
    )

    id: UUID
    household_id: UUID
    scheme_code: str
    activation_id: UUID
    about: About
    wants: Wants
    status: AppealStatus
    opened_by: str
    opened_at: datetime
    due_on: date = Field(description="Undecided after that, it is overdue, and stays listed.")
    decided_by: str | None
    decided_at: datetime | None
    outcome: str | None = Field(description="Where what came of it is read.")
    history: list[AppealStepOut]
