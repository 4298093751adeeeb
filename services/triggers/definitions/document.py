"""The trigger document: what is judged and how, for which scheme, where, and what each stage does.

A leg is an indicator and the method that judges it: its thresholds say which stage the leg
reaches. `join` says how many legs have to reach a stage for the trigger to reach it, and `stages`
what the trigger does there. One leg is the plain case, and so far the only one that is judged.
"""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from services.triggers.areas import COUNTRY, AreaCode
from services.triggers.definitions.shipped import shipped_document
from services.triggers.methods import registry
from services.triggers.methods.method import MethodDocument
from shared.documents import Code, Document
from shared.money import MAXIMUM_AMOUNT_MINOR, CurrencyCode
from shared.values import Text, Whole, YesNo

if TYPE_CHECKING:
    AnyMethodDocument = MethodDocument
else:
    AnyMethodDocument = registry.any_document()

MAXIMUM_LEGS = 20
MAXIMUM_HOUSEHOLDS = 100_000_000


class Approval(StrEnum):
    """Whether a met threshold pays at once."""

    AUTOMATIC = "automatic"
    SECOND_PERSON = "second-person"


class Leg(BaseModel):
    """One indicator, judged by one method."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    indicator: Annotated[Code, Field(description="The indicator that is judged.")]
    method: Annotated[
        AnyMethodDocument,
        Field(description="How the indicator is judged, with its thresholds."),
    ]


class AtLeast(BaseModel):
    """So many legs, whichever."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    at_least: Annotated[int, Whole(least=1, most=MAXIMUM_LEGS)]


class Ceiling(BaseModel):
    """So much an activation may pay by itself, over all rounds and with all that it is widened by.

    Above it a person is asked.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    households: Annotated[int, Whole(least=1, most=MAXIMUM_HOUSEHOLDS)]
    amount_minor: Annotated[int, Whole(least=1, most=MAXIMUM_AMOUNT_MINOR)]
    currency: Annotated[CurrencyCode, Field(description="The scheme's.")]


class ActivationStage(BaseModel):
    """What the trigger does when it reaches activation: enrol and pay."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    approval: Annotated[
        Approval,
        Field(
            description="`automatic`: met thresholds open an activation at once, and widen it, up "
            "to the ceiling. `second-person`: they propose, and a person approves or declines. "
            "What an official declares always needs a second person."
        ),
    ]
    ceiling: Annotated[
        Ceiling | None,
        Field(
            description="Needed where approval is `automatic`. Otherwise what the second person "
            "approves is the ceiling, and this one is only held against it."
        ),
    ] = None


class Stages(BaseModel):
    """What the trigger does at each stage."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    activation: ActivationStage


class TriggerDocument(Document):
    """A rule, whole: a change of any part is a new version."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [shipped_document("flood-reported-impact")]}
    )

    name: Annotated[str, Text(longest=200)]
    scheme: Annotated[Code, Field(description="The scheme that an activation enrols into.")]
    shock: Annotated[Code, Field(description="What happened, such as `flood` or `price`.")]
    areas: Annotated[
        list[AreaCode],
        Field(
            min_length=1,
            max_length=500,
            description=f"Where it acts: {'; '.join(words.areas for words in registry.words())}.",
        ),
    ] = [COUNTRY]
    area_filter: Annotated[
        Annotated[str, Text(longest=2_000, lines=True)] | None,
        Field(
            description="CQL2 text over the attributes of communes, passed on to the registry: "
            "only communes for which it holds are enrolled.",
        ),
    ] = None
    enabled: Annotated[
        YesNo, Field(description="A version with false retires the trigger: nothing is evaluated.")
    ] = True
    judge_within_days: Annotated[
        int,
        Whole(least=1, most=366),
        Field(
            description="Evidence that ended more days ago than this is history: it is kept and "
            "used, and no longer opens an activation by itself.",
        ),
    ]
    legs: Annotated[
        list[Leg],
        Field(
            min_length=1,
            max_length=MAXIMUM_LEGS,
            description="What is judged. One leg: more are refused until they can be judged.",
        ),
    ]
    join: Annotated[
        Literal["any", "all"] | AtLeast,
        Field(description="How many of the legs must reach a stage for the trigger to reach it."),
    ] = "any"
    stages: Stages

    @field_validator("legs")
    @classmethod
    def _one_leg(cls, legs: list[Leg]) -> list[Leg]:
        if len(legs) > 1:
            raise ValueError(
                "Several legs are not judged yet. Give one leg, or post a trigger for each."
            )
        return legs

    @model_validator(mode="after")
    def _enough_legs(self) -> Self:
        if isinstance(self.join, AtLeast) and self.join.at_least > len(self.legs):
            raise ValueError("at_least must not be more than there are legs.")
        return self

    @property
    def leg(self) -> Leg:
        """The leg, as long as there is one only."""
        (leg,) = self.legs
        return leg

    @property
    def indicator(self) -> str:
        """What the leg judges."""
        return self.leg.indicator

    @property
    def method_kind(self) -> str:
        """By which kind of method the leg is judged."""
        return self.leg.method.kind
