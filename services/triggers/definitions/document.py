"""The trigger document: what is judged and how, for which scheme, where, and what each stage does.

A leg is an indicator and the method that judges it: its thresholds say which stage the leg
reaches. `join` says how many legs have to reach a stage for the trigger to reach it, and `stages`
what the trigger does there. One leg is the plain case.
"""

from datetime import date, timedelta
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

DayOfYear = Annotated[
    str,
    Field(
        pattern=r"^(0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])$"
        r"|^(0[469]|11)-(0[1-9]|[12][0-9]|30)$|^02-(0[1-9]|1[0-9]|2[0-9])$",
        max_length=5,
        examples=["07-01"],
    ),
]


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
    holds_days: Annotated[
        int,
        Whole(least=0, most=366),
        Field(
            description="Beside other legs, a judgement counts for so many days after the last day "
            "that it is about."
        ),
    ] = 31


class AtLeast(BaseModel):
    """So many legs, whichever."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    at_least: Annotated[int, Whole(least=1, most=MAXIMUM_LEGS)]


class Season(BaseModel):
    """The time of the year in which a trigger may activate, and how often in one."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"examples": [{"first": "07-01", "last": "11-30", "at_most": 2}]},
    )

    first: Annotated[DayOfYear, Field(description="Its first day, as month and day.")] = "01-01"
    last: Annotated[
        DayOfYear, Field(description="Its last day; before the first, it lies in the next year.")
    ] = "12-31"
    at_most: Annotated[
        Annotated[int, Whole(least=1, most=100)] | None,
        Field(description="How often it may activate in one season; null: as often as it must."),
    ] = None

    def holds(self, day: date) -> bool:
        """Whether a day lies in a season."""
        of_year = f"{day:%m-%d}"
        if self.first <= self.last:
            return self.first <= of_year <= self.last
        return of_year >= self.first or of_year <= self.last

    def begun_on(self, day: date) -> date:
        """The first day of the season in which a day lies, or that came before it."""
        year = day.year if f"{day:%m-%d}" >= self.first else day.year - 1
        month, of_month = (int(part) for part in self.first.split("-"))
        # The 29th of February is the day before the 1st of March.
        return date(year, month, 1) + timedelta(days=of_month - 1)


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
            description="What is judged: an indicator, and the method that judges it.",
        ),
    ]
    join: Annotated[
        Literal["any", "all"] | AtLeast,
        Field(description="How many of the legs must reach a stage for the trigger to reach it."),
    ] = "any"
    stages: Stages
    season: Annotated[
        Season | None,
        Field(description="When it may activate, and how often; null: always."),
    ] = None

    @field_validator("legs")
    @classmethod
    def _each_leg_once(cls, legs: list[Leg]) -> list[Leg]:
        if any(leg in legs[:position] for position, leg in enumerate(legs)):
            raise ValueError("The same leg stands here twice. Give each once.")
        return legs

    @model_validator(mode="after")
    def _enough_legs(self) -> Self:
        if isinstance(self.join, AtLeast) and self.join.at_least > len(self.legs):
            raise ValueError("at_least must not be more than there are legs.")
        return self

    @property
    def indicators(self) -> tuple[str, ...]:
        """What the legs judge."""
        return tuple(leg.indicator for leg in self.legs)

    @property
    def method_kinds(self) -> tuple[str, ...]:
        """By which kinds of methods the legs are judged."""
        return tuple(leg.method.kind for leg in self.legs)
