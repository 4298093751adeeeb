"""What is asked of a backtest: a trigger, a span of history, and what really happened in it."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.triggers.areas import AreaCode
from services.triggers.definitions.document import TriggerDocument
from services.triggers.methods.calendar import Calendar
from services.triggers.methods.figures import Figure, Figures
from services.triggers.observations.schemas import ObservationIn
from shared.documents import Code
from shared.values import Day, Measure, Text, Whole, YesNo

MAXIMUM_EVENTS = 200
MAXIMUM_VARIED = 25
MAXIMUM_FIGURES = 20_000
MAXIMUM_BYTES = 6 * 1024 * 1024
_MAXIMUM_DAYS = 45_000

_PART = ConfigDict(extra="forbid", frozen=True)


class RealEvent(BaseModel):
    """Something that happened, whatever a trigger made of it."""

    model_config = _PART

    name: Annotated[str, Text(longest=200)]
    first_on: Annotated[Day, Field(description="Its first day.")]
    last_on: Annotated[Day, Field(description="Its last day.")]
    areas: Annotated[
        list[AreaCode],
        Field(
            max_length=500,
            description="Where it was. None: nobody says, and its place decides nothing.",
        ),
    ] = []
    households: Annotated[
        Annotated[int, Whole(least=0, most=100_000_000)] | None,
        Field(description="The households affected, where somebody counted them."),
    ] = None
    source: Annotated[
        Annotated[str, Text(longest=500)] | None, Field(description="Who says that it happened.")
    ] = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last_on < self.first_on:
            raise ValueError("An event ends on its first day at the earliest.")
        return self


class Window(BaseModel):
    """How early, and how late, an activation still is one of an event."""

    model_config = _PART

    lead_days: Annotated[
        int,
        Whole(least=0, most=366),
        Field(description="It hits when it is decided so many days before the first day, or later"),
    ] = 30
    lag_days: Annotated[
        int,
        Whole(least=0, most=366),
        Field(description="and so many days after the last day, or earlier."),
    ] = 30


class TriggerVersion(BaseModel):
    """A trigger that is in force, or was."""

    model_config = _PART

    code: Code
    version: Annotated[
        Annotated[int, Whole(least=1, most=1_000_000)] | None,
        Field(description="Null: the version in force."),
    ] = None


class Varied(BaseModel):
    """One number of the trigger's document, tried at several values."""

    model_config = _PART

    pointer: Annotated[
        str,
        Field(
            pattern=r"^(/[a-z0-9_]{1,60}){1,12}$",
            max_length=400,
            description="Where it stands in the document (RFC 6901).",
            examples=["/legs/0/method/activation/alps"],
        ),
    ]
    values: Annotated[
        list[Annotated[float, Measure(least=-1e12, most=1e12)]],
        Field(min_length=1, max_length=MAXIMUM_VARIED),
    ]


class GivenHistory(BaseModel):
    """Figures of one indicator that come with the question and are not recorded."""

    model_config = _PART

    indicator: Code
    calendar: Annotated[
        Calendar | None,
        Field(
            description="When a period is complete; null: as its method judges, or as is usual "
            "for its kind."
        ),
    ] = None
    forecast: Annotated[YesNo, Field(description="Whether they tell of days that are to come.")] = (
        False
    )
    observations: Annotated[list[ObservationIn], Field(min_length=1, max_length=MAXIMUM_FIGURES)]


def figures_of(given: GivenHistory) -> Figures:
    """The figures as columns."""
    return Figures.of(
        (
            Figure(
                area=row.area,
                place=row.place,
                source=row.source,
                observed_on=row.observed_on,
                published_on=row.published_on,
                value=None if row.value is None else float(row.value),
                member=row.member,
                issue=row.issue,
                details=row.details,
            )
            for row in given.observations
        ),
        forecast=given.forecast,
    )


class BacktestIn(BaseModel):
    """A trigger, tried on history."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "name": "Floods, 2020 to 2022",
                    "trigger": {"code": "flood-reported-impact", "version": 1},
                    "first_on": "2020-01-01",
                    "last_on": "2022-12-31",
                    "events": [
                        {
                            "name": "Floods of October 2020",
                            "first_on": "2020-10-01",
                            "last_on": "2020-10-31",
                            "areas": ["01", "02", "15"],
                            "households": 175872,
                            "source": "Humanitarian Response Forum, 26 October 2020",
                        }
                    ],
                    "window": {"lead_days": 30, "lag_days": 30},
                    "vary": {
                        "pointer": "/legs/0/method/activation/national_threshold_households",
                        "values": [10000, 20000, 40000],
                    },
                }
            ]
        },
    )

    name: Annotated[str, Text(longest=200)]
    trigger: Annotated[
        TriggerVersion | None, Field(description="A trigger that was posted; or `document`.")
    ] = None
    document: Annotated[
        TriggerDocument | None,
        Field(description="A whole trigger, which need not be posted; or `trigger`."),
    ] = None
    first_on: Annotated[Day, Field(description="Decisions count from this day on.")]
    last_on: Annotated[Day, Field(description="And until this day. What is before is history.")]
    events: Annotated[
        list[RealEvent],
        Field(max_length=MAXIMUM_EVENTS, description="What really happened in the span."),
    ] = []
    window: Window = Window()
    assume_published_after_days: Annotated[
        Annotated[int, Whole(least=0, most=3_660)] | None,
        Field(
            description="Of a history that was published in one piece: take each figure to have "
            "been out so many days after its period ended. The report says so. Null: as published."
        ),
    ] = None
    figures: Annotated[
        list[GivenHistory],
        Field(
            max_length=20,
            description=f"History that is not recorded, {MAXIMUM_FIGURES} figures at most, and as "
            "many as a body may have values: five each. Of other indicators what is recorded is "
            "taken.",
        ),
    ] = []
    vary: Annotated[
        Varied | None, Field(description="For a curve: one threshold at several values.")
    ] = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.trigger is None) == (self.document is None):
            raise ValueError("Give a trigger that was posted, or a whole document; not both.")
        if not 0 <= (self.last_on - self.first_on).days <= _MAXIMUM_DAYS:
            raise ValueError("The span ends after it begins, and within 120 years.")
        names = [event.name for event in self.events]
        if len(set(names)) < len(names):
            raise ValueError("Two events have one name. Tell them apart, by their year at least.")
        codes = [given.indicator for given in self.figures]
        if len(set(codes)) < len(codes):
            raise ValueError("The figures of one indicator are given twice. Give them together.")
        if sum(len(given.observations) for given in self.figures) > MAXIMUM_FIGURES:
            raise ValueError(
                f"More than {MAXIMUM_FIGURES} figures are given. Record them with "
                "POST /v1/observations, and leave them out here."
            )
        return self
