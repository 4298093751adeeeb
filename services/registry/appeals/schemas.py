"""What households want decided anew, over HTTP."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from shared.values import Text
from shared.wording.said import Said

_HOUSEHOLD = "5b0c1f6e-53a1-8f6b-8a27-2f1f6a1d9a10"
_ACTIVATION = "0199c1de-53a1-8f6b-8a27-2f1f6a1d9a10"
_APPEAL = "0199c1de-8000-7a54-8f62-0d6f0a6f5b20"


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
