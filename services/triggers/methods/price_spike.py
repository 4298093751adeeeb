"""When a price is a shock: the rule that a trigger document states, and the judgement of a month.

ALPS says that the price is high for the season, IFPA that it got there abnormally fast. A high
price that stands still, or a fast rise from a low price, is no emergency by itself.
"""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.triggers.methods.alps import (
    ALERT_FROM,
    CRISIS_FROM,
    MINIMUM_HISTORY_MONTHS,
    Alps,
    alps,
)
from services.triggers.methods.ifpa import MINIMUM_EARLIER_YEARS, Ifpa, ifpa
from services.triggers.methods.national_price import MonthlyPrices, month_after, months_between
from services.triggers.methods.stage import Severity, Stage
from services.triggers.methods.unjudged import Unjudged

MINIMUM_MARKETS = 3

_DOCUMENT = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class PriceThresholds(BaseModel):
    """What must hold for a stage to be reached."""

    model_config = _DOCUMENT

    alps: Annotated[
        float, Field(ge=0, le=10, description="ALPS from which this half holds; 1 is alert.")
    ]
    ifpa: Annotated[
        float,
        Field(ge=0, le=10, description="IFPA from which this half holds; 0.5 is moderately high."),
    ]
    require: Annotated[
        Literal["both", "either"],
        Field(description="Whether both halves must hold, or one is enough."),
    ]


class PriceRearm(BaseModel):
    """How long the trigger stays quiet after it fired."""

    model_config = _DOCUMENT

    quiet_months: Annotated[
        int,
        Field(
            ge=1,
            le=24,
            description="Never fires again within these months, counted from the month that fired: "
            "as long as the scheme's rounds run.",
        ),
    ]
    below_alps: Annotated[
        float,
        Field(
            ge=-10,
            le=10,
            description="After the quiet months it may fire again once a month's ALPS fell below "
            "this; 0.25 is where stress begins.",
        ),
    ]
    after_months: Annotated[
        int,
        Field(
            ge=1,
            le=60,
            description="It may fire again after these months even if the price never fell.",
        ),
    ]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.after_months < self.quiet_months:
            raise ValueError("after_months must be quiet_months or more.")
        return self


class PriceSpike(BaseModel):
    """A spike of the national monthly price, by ALPS (WFP) and IFPA (FAO)."""

    model_config = _DOCUMENT

    kind: Literal["price-spike"]
    minimum_markets: Annotated[
        int,
        Field(ge=MINIMUM_MARKETS, le=100, description="A month with fewer markets is missing."),
    ] = MINIMUM_MARKETS
    minimum_history_months: Annotated[
        int,
        Field(
            ge=MINIMUM_HISTORY_MONTHS,
            le=240,
            description="ALPS needs this many earlier months with a price.",
        ),
    ] = MINIMUM_HISTORY_MONTHS
    minimum_earlier_years: Annotated[
        int,
        Field(
            ge=MINIMUM_EARLIER_YEARS,
            le=20,
            description="IFPA needs the growth of this many earlier years.",
        ),
    ] = MINIMUM_EARLIER_YEARS
    readiness: PriceThresholds | None = None
    activation: PriceThresholds
    rearm: PriceRearm

    @model_validator(mode="after")
    def _readiness_first(self) -> Self:
        ready, active = self.readiness, self.activation
        if ready and (ready.alps > active.alps or ready.ifpa > active.ifpa):
            raise ValueError("Readiness thresholds must not lie above those of activation.")
        return self


@dataclass(frozen=True, kw_only=True)
class PriceJudgement:
    """One month, judged: both indicators, and the stage that they reach."""

    month: date
    alps: Alps | Unjudged
    ifpa: Ifpa | Unjudged
    stage: Stage

    @property
    def severity(self) -> Severity:
        """By the ALPS band: crisis is extreme, alert is severe, the rest moderate."""
        if isinstance(self.alps, Unjudged) or self.alps.value < ALERT_FROM:
            return Severity.MODERATE
        return Severity.EXTREME if self.alps.value >= CRISIS_FROM else Severity.SEVERE


def judge_price(prices: MonthlyPrices, month: date, *, method: PriceSpike) -> PriceJudgement:
    """Judge one month by the months before it. A half that cannot be judged does not hold."""
    spike = alps(prices, month, minimum_history_months=method.minimum_history_months)
    growth = ifpa(prices, month, minimum_earlier_years=method.minimum_earlier_years)
    stage = Stage.NONE
    if _holds(spike, growth, method.activation):
        stage = Stage.ACTIVATION
    elif method.readiness and _holds(spike, growth, method.readiness):
        stage = Stage.READINESS
    return PriceJudgement(month=month, alps=spike, ifpa=growth, stage=stage)


def _holds(spike: Alps | Unjudged, growth: Ifpa | Unjudged, thresholds: PriceThresholds) -> bool:
    high = not isinstance(spike, Unjudged) and spike.value >= thresholds.alps
    fast = not isinstance(growth, Unjudged) and growth.value >= thresholds.ifpa
    return (high and fast) if thresholds.require == "both" else (high or fast)


def why_rearmed(
    prices: MonthlyPrices, *, fired: date, month: date, method: PriceSpike
) -> str | None:
    """Why the trigger that fired for `fired` may fire again for `month`; None while it is quiet."""
    rearm = method.rearm
    passed = months_between(fired, month)
    if passed < rearm.quiet_months:
        return None
    if passed >= rearm.after_months:
        return f"{passed} months have passed since it fired for {fired:%Y-%m}."
    for step in range(1, passed + 1):
        between = month_after(fired, months=step)
        spike = alps(prices, between, minimum_history_months=method.minimum_history_months)
        if not isinstance(spike, Unjudged) and spike.value < rearm.below_alps:
            return (
                f"{passed} months have passed since it fired for {fired:%Y-%m}, and ALPS fell to "
                f"{spike.value:.2f} in {between:%Y-%m}."
            )
    return None
