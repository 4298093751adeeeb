"""A scheme's document: for which shock, who is eligible, what they get, when, from which fund."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from services.registry.households.bodies import with_fields
from services.registry.households.fields import Field as HouseholdField
from services.registry.households.shape import CATEGORIES
from services.registry.rules.attributes import HOUSEHOLD_ATTRIBUTES, MEMBER_ATTRIBUTES
from services.registry.rules.compiler import compile_rule
from services.registry.rules.structure import MAXIMUM_CHARACTERS
from services.registry.schemes.shipped import shipped_document
from shared.documents import Code, Document
from shared.money import CurrencyCode
from shared.values import Day, Text, Whole

MAXIMUM_COMPONENT_MINOR = 1_000_000_000
"""With at most 60 members, every amount then stays far below what 64 bits hold."""

ComponentMinor = Annotated[int, Whole(least=0, most=MAXIMUM_COMPONENT_MINOR)]


def _checked_rule(text: str) -> str:
    compile_rule(text, attributes=HOUSEHOLD_ATTRIBUTES)
    return text


Rule = Annotated[
    str,
    Text(longest=MAXIMUM_CHARACTERS, lines=True),
    Field(
        description="CQL2 text over the attributes of a household and its commune: "
        f"{HOUSEHOLD_ATTRIBUTES.described}. Members that are listed one by one are asked about by "
        "`any_member(condition)`, `all_members(condition)` and `count_members(condition)`, which "
        f"is a number; the condition is over {MEMBER_ATTRIBUTES.described}. Ask "
        "`A_CONTAINS(programmes, ('one', 'another'))` or `A_OVERLAPS` of programmes. Of a "
        "household that has only counts all this is unknown, and a household of which a rule is "
        "unknown is not eligible.",
        examples=["poverty_status IN ('poor-1', 'poor-2')"],
    ),
    AfterValidator(_checked_rule),
]
"""CQL2 text over the attributes of households."""


class Counted(StrEnum):
    """Which members the amount per member is paid for."""

    ALL = "all"
    ALL_BUT_HEAD = "all-but-head"


class Overlapping(StrEnum):
    """Whether two activations pay a household in overlapping times."""

    EXCLUDED = "excluded"
    """The one that takes it first pays it, and the other does once that has ended."""
    PAID = "paid"
    """Both do."""


class LaterRounds(StrEnum):
    """By what the rounds after the first look at households."""

    AS_ENROLLED = "as-enrolled"
    """What they were when they were enrolled: who got the first round gets the same again."""
    AS_THEY_ARE = "as-they-are"
    """What they are when the round is worked out: its amount follows, and who is not eligible any
    more is left out of it."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _paid_for(category: HouseholdField) -> Any:
    return (
        Annotated[ComponentMinor, Field(description=f"For each of: {category.described}.")],
        0,
    )


@with_fields(CATEGORIES, _paid_for)
class PerCategory(_Part):
    """Further amounts, for each member of a category."""


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

    number: Annotated[int, Whole(least=1, most=60)]
    after_days: Annotated[int, Whole(least=0, most=3_650)] | None = None
    due_on: Day | None = None

    @model_validator(mode="after")
    def _one_way_of_saying_when(self) -> Self:
        if (self.after_days is None) == (self.due_on is None):
            raise ValueError("say either after_days or due_on")
        return self


class Exclusion(_Part):
    """Households that another scheme pays are left out of some rounds of this one."""

    scheme: Code
    rounds: Annotated[
        list[Annotated[int, Whole(least=1, most=60)]], Field(min_length=1, max_length=60)
    ]
    within_days: Annotated[int, Whole(least=1, most=3_650)] = Field(
        description="Counted back from the day on which the round is worked out."
    )


def of_its_time(document: Mapping[str, Any]) -> dict[str, Any]:
    """A stored document with what held before it could be said: two activations paid both."""
    return {"overlapping": Overlapping.PAID, **document}


class SchemeDocument(Document):
    """A version of a scheme."""

    model_config = ConfigDict(json_schema_extra={"examples": [shipped_document("flood-2022")]})

    name: Annotated[str, Text(longest=200)]
    shock: Literal["flood", "price", "drought", "disease", "other"]
    fund: Code
    budget_line: Code | None = Field(
        default=None,
        description="The line of the fund that its rounds are booked on, and whose ceiling holds "
        "for them; null: on none.",
        examples=["floods-2022"],
    )
    currency: CurrencyCode
    eligibility: Rule
    benefit: Annotated[list[BenefitCase], Field(min_length=1, max_length=20)]
    rounds: Annotated[list[RoundPlan], Field(min_length=1, max_length=60)]
    exclusions: Annotated[list[Exclusion], Field(max_length=20)] = []
    overlapping: Annotated[
        Overlapping,
        Field(
            description="Whether a household that another activation of this scheme has taken is "
            "`paid` by this one as well, for the time that both last, or `excluded`."
        ),
    ] = Overlapping.EXCLUDED
    later_rounds: Annotated[
        LaterRounds,
        Field(
            description="Whether the rounds after the first pay households by what they were when "
            "they were enrolled, or by what they are when the round is worked out."
        ),
    ] = LaterRounds.AS_ENROLLED
    notes: Annotated[str, Text(longest=4_000, shortest=0, lines=True)] = ""

    @model_validator(mode="after")
    def _rounds_count_from_one(self) -> Self:
        if [plan.number for plan in self.rounds] != list(range(1, len(self.rounds) + 1)):
            raise ValueError("rounds are numbered 1, 2, 3 … in order")
        unknown = {number for exclusion in self.exclusions for number in exclusion.rounds} - {
            plan.number for plan in self.rounds
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
