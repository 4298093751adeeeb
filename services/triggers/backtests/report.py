"""What a backtest comes to: plain values that are kept as JSON, drawn and printed."""

from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from services.triggers.backtests.document import RealEvent, Window
from services.triggers.backtests.scores import Brier, Score
from services.triggers.methods.severity import Severity
from services.triggers.methods.trigger_stage import TriggerStage

_PART = ConfigDict(frozen=True)


class Met(StrEnum):
    """What an activation was."""

    HIT = "hit"
    """The first of an event."""
    REPEATED = "repeated"
    """Another of an event that was hit before."""
    FALSE_ALARM = "false-alarm"


class Fate(StrEnum):
    """What became of an event."""

    HIT = "hit"
    MISSED = "missed"
    OUTSIDE = "outside"
    """It began outside of the span, and is not counted."""


class HistoryUsed(BaseModel):
    """What is known of one indicator."""

    model_config = _PART

    indicator: str
    figures: Annotated[int, Field(description="Those that were out by the end of the span.")]
    came_after: Annotated[int, Field(description="Those that came out later, and decide nothing.")]
    first_observed_on: date | None
    last_observed_on: date | None
    published_late: Annotated[
        int, Field(description="Figures of the span that came out more than two months after.")
    ]
    assumed: Annotated[
        bool, Field(description="Whether days of publication are assumed and not as they were.")
    ]


class Reason(BaseModel):
    """Why periods could not be judged."""

    model_config = _PART

    because: str
    periods: int


class LegTried(BaseModel):
    """How far one leg could be judged."""

    model_config = _PART

    leg: int
    indicator: str
    method: str
    periods: int
    unjudged: int
    judged_from: Annotated[date | None, Field(description="The first period that was judged.")]
    reasons: list[Reason]


class ActivationTried(BaseModel):
    """An activation that the trigger would have had."""

    model_config = _PART

    decided_on: date
    evidence_from: date
    evidence_to: date
    severity: Severity
    areas: list[str]
    finding: str
    withdrawn_on: Annotated[
        date | None, Field(description="When later figures said that it need not have been.")
    ]
    met: Met
    events: Annotated[list[str], Field(description="The events that it is one of.")]
    lead_days: Annotated[
        int | None,
        Field(description="Days before the first day of its first event; below 0: after"),
    ]
    households: Annotated[int | None, Field(description="Null: nobody can say.")]
    amount_minor: int | None
    households_not_hit: Annotated[
        int | None, Field(description="Of these, in places where no event of it was.")
    ]
    amount_not_hit_minor: int | None


class EventTried(BaseModel):
    """A real event, and what the trigger made of it."""

    model_config = _PART

    event: RealEvent
    fate: Fate
    decided_on: Annotated[date | None, Field(description="The first activation that hit it.")]
    lead_days: int | None
    ready_on: Annotated[date | None, Field(description="The first day of readiness for it.")]
    ready_lead_days: int | None
    households_missed: Annotated[
        int | None,
        Field(
            description="Of a missed event, the households affected; of any other, the households "
            "of its areas that no activation reached. Null: nobody can say."
        ),
    ]


class Scores(BaseModel):
    """How well it did. Each share has the n behind it."""

    model_config = _PART

    hits: int
    misses: int
    activations: int
    false_alarms: int
    repeated: int
    probability_of_detection: Score
    false_alarm_ratio: Score
    critical_success_index: Score
    median_lead_days: float | None
    brier: Brier | None


class Recurrence(BaseModel):
    """How often something was reached, and so once in how many years."""

    model_config = _PART

    leg: Annotated[int | None, Field(description="Null: the trigger, its legs joined.")]
    stage: TriggerStage
    activates: Annotated[
        bool, Field(description="Whether it counts activations, after the quiet and the season.")
    ] = False
    years: Annotated[int, Field(description="n: years in which it could be judged.")]
    reached: Annotated[int, Field(description="k: those in which it was reached.")]
    return_period_years: Annotated[float | None, Field(description="(n + 1)/k.")]


class Money(BaseModel):
    """What it would have cost; null: nobody can say."""

    model_config = _PART

    currency: str | None
    households: int | None
    amount_minor: int | None
    households_not_hit: int | None
    amount_not_hit_minor: int | None
    households_missed: int | None


class Point(BaseModel):
    """One judgement: about a period, decided on a day."""

    model_config = _PART

    on: date
    decided_on: date
    value: float | None
    activation: float | None
    readiness: float | None


class Measure(BaseModel):
    """One number of a leg over time, with the levels that it was held against."""

    model_config = _PART

    leg: int
    name: str
    name_km: str
    of_events: Annotated[
        bool, Field(description="Whether it is known of events alone: between them is nothing.")
    ]
    points: list[Point]


class CurvePoint(BaseModel):
    """The same trigger with another threshold."""

    model_config = _PART

    value: float
    refused: Annotated[str | None, Field(description="Why it is no threshold.")] = None
    scores: Scores | None = None
    money: Money | None = None


class Report(BaseModel):
    """A trigger, tried on history."""

    model_config = _PART

    code: str
    name: str
    version: Annotated[int | None, Field(description="Null: it was not posted.")]
    first_on: date
    last_on: date
    window: Window
    remarks: Annotated[list[str], Field(description="What to know before believing any of it.")]
    histories: list[HistoryUsed]
    legs: list[LegTried]
    activations: list[ActivationTried]
    events: list[EventTried]
    scores: Scores
    recurrences: list[Recurrence]
    money: Money
    measures: list[Measure]
    pointer: Annotated[str | None, Field(description="Which threshold the curve varies.")] = None
    curve: list[CurvePoint] = []
