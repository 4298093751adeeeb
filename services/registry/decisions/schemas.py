"""How it looks over HTTP why a household is in or out."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from services.registry.enrolments.states import EntitlementStatus
from services.registry.rules.clauses import Joint
from shared.wording.said import Said


class Verdict(StrEnum):
    """Whether a household is in."""

    IN = "in"
    OUT = "out"


class Because(StrEnum):
    """What decides it."""

    ENROLLED = "enrolled"
    ELIGIBLE = "eligible"
    """It would be enrolled if there were an activation where it lives."""
    NOBODY_ENROLLED = "nobody-enrolled"
    """Nobody is enrolled for the activation yet, and it says why."""
    AREA_NOT_REACHED = "area-not-reached"
    BEING_ENROLLED = "being-enrolled"
    """Its commune is still being worked out."""
    RULE_NOT_MET = "rule-not-met"
    NOT_KNOWN = "not-known"
    """The rule asks about something that is not known."""
    NO_BENEFIT = "no-benefit"
    """It is eligible, and no case of the benefit fits it."""
    REGISTERED_AFTER = "registered-after"
    """It is eligible now, and was registered or changed after its commune was enrolled."""
    EXCLUDED = "excluded-by-an-officer"


class AsOf(StrEnum):
    """Of when a value is."""

    ENROLMENT = "enrolment"
    NOW = "now"


class ValueOut(BaseModel):
    """What a clause asks about, as it is for the household."""

    name: str = Field(examples=["members"])
    words: Said
    value: Any = Field(description="Null: not known, or hidden.", examples=[5])
    value_words: Said
    as_of: AsOf
    hidden: bool = Field(
        description="Of a person's health: shown only to callers with `households:read-personal`."
    )


class ClauseOut(BaseModel):
    """A clause of a rule, with whether it held for the household."""

    joint: Joint
    text: str = Field(description="CQL2.", examples=["poverty_status IN ('poor-1', 'poor-2')"])
    words: Said
    held: bool | None = Field(
        description="Null: nobody can say, for something is not known, or it is hidden."
    )
    values: list[ValueOut] = Field(description="Of a condition.")
    parts: list["ClauseOut"] = []


class RoundDecision(BaseModel):
    """What became of one round for the household."""

    number: int
    due_on: date
    amount_minor: int | None
    status: EntitlementStatus | None = Field(description="Null: the round is not worked out yet.")
    reason: str | None = Field(examples=["no-payee-account"])
    entitlement_id: UUID | None
    words: Said


_SAID: JsonDict = {
    "en": "It is not enrolled in activation 0199c1de: the rule of scheme 'flood-2022', version 1, "
    "does not hold for it. It asks that Poverty status by IDPoor is one of IDPoor level 1 "
    "(poor-1); here: Poverty status by IDPoor not poor (not-poor).",
    "km": "គ្រួសារនេះមិនត្រូវបានចុះឈ្មោះទេ។",
}


class DecisionOut(BaseModel):
    """Whether a household is in a scheme or an activation, and why, clause by clause."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "household_id": "5b0c1f6e-53a1-8f6b-8a27-2f1f6a1d9a10",
                    "scheme": "flood-2022",
                    "scheme_version": 1,
                    "activation_id": "0199c1de-53a1-8f6b-8a27-2f1f6a1d9a10",
                    "opened_on": "2022-10-08",
                    "verdict": "out",
                    "because": "rule-not-met",
                    "words": _SAID,
                    "as_of": "now",
                    "area_code": "020101",
                    "area_filter": None,
                    "eligibility": {
                        "joint": "condition",
                        "text": "poverty_status IN ('poor-1', 'poor-2')",
                        "words": {"en": "Poverty status is poor", "km": "ក្រីក្រ"},
                        "held": False,
                        "values": [
                            {
                                "name": "poverty_status",
                                "words": {"en": "Poverty status by IDPoor", "km": "កម្រិតក្រីក្រ"},
                                "value": "not-poor",
                                "value_words": {"en": "not poor (not-poor)", "km": "មិនក្រីក្រ"},
                                "as_of": "now",
                                "hidden": False,
                            }
                        ],
                        "parts": [],
                    },
                    "benefit_case": None,
                    "amount_minor": None,
                    "currency": "KHR",
                    "rounds": [],
                }
            ]
        }
    )

    household_id: UUID
    scheme: str
    scheme_version: int | None = Field(description="Null: none holds yet for the activation.")
    activation_id: UUID | None = Field(description="Null: of the scheme as it is in force.")
    opened_on: date | None
    verdict: Verdict
    because: Because
    words: Said
    as_of: AsOf = Field(description="By what was known when it was enrolled, or is known now.")
    area_code: str = Field(description="The commune where it lives, or lived when it was enrolled.")
    area_filter: ClauseOut | None = Field(
        description="The activation's filter, as it holds for that commune; null: it has none."
    )
    eligibility: ClauseOut | None = Field(description="The scheme's rule.")
    benefit_case: Annotated[
        int | None, Field(description="Which case of the benefit fits, from 1; null: none.")
    ]
    amount_minor: int | None = Field(description="What it gets in a round.")
    currency: str | None
    rounds: list[RoundDecision]


class DecisionsOut(BaseModel):
    """Why a household is in or out, of every scheme in force and of each activation."""

    schemes: list[DecisionOut] = Field(
        description="Of each scheme in force, by what is known now; on the first page alone."
    )
    items: list[DecisionOut] = Field(description="Of each activation, the latest first.")
    next_cursor: str | None = Field(
        default=None,
        description="Send it as `cursor` for the next page; null on the last.",
        examples=["WyIwMjAxMDIiXQ"],
    )
    as_of: datetime
