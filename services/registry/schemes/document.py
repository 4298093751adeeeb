"""A scheme's document: for which shock, who is eligible, what they get, when, from which fund."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from services.registry.rules.attributes import HOUSEHOLD_ATTRIBUTES
from services.registry.rules.compiler import compile_rule
from services.registry.rules.structure import MAXIMUM_CHARACTERS
from shared.money import CurrencyCode

MAXIMUM_COMPONENT_MINOR = 1_000_000_000
"""With at most 60 members, every amount then stays far below what 64 bits hold."""

Code = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
ComponentMinor = Annotated[int, Field(ge=0, le=MAXIMUM_COMPONENT_MINOR)]


def _checked_rule(text: str) -> str:
    compile_rule(text, attributes=HOUSEHOLD_ATTRIBUTES)
    return text


Rule = Annotated[
    str,
    Field(max_length=MAXIMUM_CHARACTERS, examples=["poverty_status IN ('poor-1', 'poor-2')"]),
    AfterValidator(_checked_rule),
]
"""CQL2 text over the attributes of households."""


class Counted(StrEnum):
    """Which members the amount per member is paid for."""

    ALL = "all"
    ALL_BUT_HEAD = "all-but-head"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PerCategory(_Part):
    """Further amounts, for each member of a category."""

    children_0_5: ComponentMinor = 0
    pregnant: ComponentMinor = 0
    disabled: ComponentMinor = 0
    elderly_60: ComponentMinor = 0


class BenefitCase(_Part):
    """What a household gets in each round, if this is the first case that fits it."""

    where: Rule | None = Field(
        default=None, description="CQL2 text; null fits every household.", examples=[None]
    )
    base_minor: ComponentMinor
    per_member_minor: ComponentMinor = 0
    members_counted: Counted = Counted.ALL
    per_category: PerCategory = PerCategory()

    @model_validator(mode="after")
    def _pays_something(self) -> Self:
        if self.base_minor == 0 and (
            self.per_member_minor == 0 or self.members_counted is Counted.ALL_BUT_HEAD
        ):
            raise ValueError("some households would get nothing: give a base amount")
        return self


class RoundPlan(_Part):
    """When a round is due: so many days after the activation opened, or on a date."""

    number: Annotated[int, Field(ge=1, le=60)]
    after_days: Annotated[int | None, Field(ge=0, le=3_650)] = None
    due_on: date | None = None

    @model_validator(mode="after")
    def _one_way_of_saying_when(self) -> Self:
        if (self.after_days is None) == (self.due_on is None):
            raise ValueError("say either after_days or due_on")
        return self


class Exclusion(_Part):
    """Households that another scheme pays are left out of some rounds of this one."""

    scheme: Code
    rounds: Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=1, max_length=60)]
    within_days: Annotated[int, Field(ge=1, le=3_650)] = Field(
        description="Counted back from the day on which the round is worked out."
    )


class SchemeDocument(_Part):
    """A version of a scheme."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "code": "flood-2022",
                    "name": "Cash relief for flood-affected households",
                    "shock": "flood",
                    "fund": "national-relief",
                    "currency": "KHR",
                    "eligibility": "poverty_status IN ('poor-1', 'poor-2')",
                    "benefit": [
                        {
                            "where": None,
                            "base_minor": 80000,
                            "per_member_minor": 16000,
                            "members_counted": "all",
                            "per_category": {"children_0_5": 16000},
                        }
                    ],
                    "rounds": [{"number": 1, "after_days": 0}, {"number": 2, "after_days": 31}],
                    "exclusions": [],
                    "notes": "Three monthly rounds in the 2022 programme.",
                }
            ]
        }
    )

    code: Code
    name: Annotated[str, Field(min_length=1, max_length=200)]
    shock: Literal["flood", "price", "drought", "disease", "other"]
    fund: Code
    currency: CurrencyCode
    eligibility: Rule
    benefit: Annotated[list[BenefitCase], Field(min_length=1, max_length=20)]
    rounds: Annotated[list[RoundPlan], Field(min_length=1, max_length=60)]
    exclusions: Annotated[list[Exclusion], Field(max_length=20)] = []
    notes: Annotated[str, Field(max_length=4_000)] = ""

    @model_validator(mode="after")
    def _rounds_count_from_one(self) -> Self:
        if [one.number for one in self.rounds] != list(range(1, len(self.rounds) + 1)):
            raise ValueError("rounds are numbered 1, 2, 3 … in order")
        unknown = {number for exclusion in self.exclusions for number in exclusion.rounds} - {
            one.number for one in self.rounds
        }
        if unknown:
            raise ValueError(f"an exclusion names rounds that there are not: {sorted(unknown)}")
        return self

    @model_validator(mode="after")
    def _every_case_can_be_reached(self) -> Self:
        for number, case in enumerate(self.benefit, start=1):
            if case.where is None and number < len(self.benefit):
                raise ValueError(f"case {number} fits every household: no case can follow it")
        return self
