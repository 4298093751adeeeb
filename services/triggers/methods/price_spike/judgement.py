"""When a price is a shock: the judgement of a month, and when a trigger may fire again.

ALPS says that the price is high for the season, IFPA that it got there abnormally fast. A high
price that stands still, or a fast rise from a low price, is no emergency by itself.
"""

from dataclasses import dataclass
from datetime import date

from services.triggers.methods.price_spike.alps import ALERT_FROM, CRISIS_FROM, Alps, alps
from services.triggers.methods.price_spike.document import PriceSpike, PriceThresholds
from services.triggers.methods.price_spike.ifpa import Ifpa, ifpa
from services.triggers.methods.price_spike.series import (
    MonthlyPrices,
    month_after,
    months_between,
)
from services.triggers.methods.severity import Severity
from services.triggers.methods.trigger_stage import TriggerStage
from services.triggers.methods.unjudged import Unjudged


@dataclass(frozen=True, kw_only=True)
class PriceJudgement:
    """One month, judged: both indicators, and the stage that they reach."""

    month: date
    alps: Alps | Unjudged
    ifpa: Ifpa | Unjudged
    stage: TriggerStage
    could_be_reached: bool
    """Whether a stage would be reached if what could not be judged held."""

    @property
    def unjudged(self) -> str | None:
        """Why nobody can say that no stage was reached; None: one was, or it can be said."""
        if self.stage is not TriggerStage.NONE or not self.could_be_reached:
            return None
        return " ".join(
            judged.reason for judged in (self.alps, self.ifpa) if isinstance(judged, Unjudged)
        )

    @property
    def severity(self) -> Severity:
        """By the ALPS band: crisis is extreme, alert is severe, the rest moderate."""
        if isinstance(self.alps, Unjudged) or self.alps.value < ALERT_FROM:
            return Severity.MODERATE
        return Severity.EXTREME if self.alps.value >= CRISIS_FROM else Severity.SEVERE


def judge_price(prices: MonthlyPrices, month: date, *, document: PriceSpike) -> PriceJudgement:
    """Judge one month by the months before it. A half that cannot be judged does not hold."""
    spike = alps(prices, month, minimum_history_months=document.minimum_history_months)
    growth = ifpa(prices, month, minimum_earlier_years=document.minimum_earlier_years)
    first = document.readiness or document.activation
    stage = TriggerStage.NONE
    if _holds(spike, growth, document.activation, unjudged=False):
        stage = TriggerStage.ACTIVATION
    elif _holds(spike, growth, first, unjudged=False):
        stage = TriggerStage.READINESS
    return PriceJudgement(
        month=month,
        alps=spike,
        ifpa=growth,
        stage=stage,
        could_be_reached=_holds(spike, growth, first, unjudged=True),
    )


def _holds(
    spike: Alps | Unjudged, growth: Ifpa | Unjudged, thresholds: PriceThresholds, *, unjudged: bool
) -> bool:
    """Whether a stage is reached, where a half that cannot be judged holds or does not."""
    high = unjudged if isinstance(spike, Unjudged) else spike.value >= thresholds.alps
    fast = unjudged if isinstance(growth, Unjudged) else growth.value >= thresholds.ifpa
    return (high and fast) if thresholds.require == "both" else (high or fast)


def why_rearmed(
    prices: MonthlyPrices, *, fired: date, month: date, document: PriceSpike
) -> str | None:
    """Why the trigger that fired for `fired` may fire again for `month`; None while it is quiet."""
    rearm = document.rearm
    passed = months_between(fired, month)
    if passed < rearm.quiet_months:
        return None
    if passed >= rearm.after_months:
        return f"{passed} months have passed since it fired for {fired:%Y-%m}."
    for step in range(1, passed + 1):
        between = month_after(fired, months=step)
        spike = alps(prices, between, minimum_history_months=document.minimum_history_months)
        if not isinstance(spike, Unjudged) and spike.value < rearm.below_alps:
            return (
                f"{passed} months have passed since it fired for {fired:%Y-%m}, and ALPS fell to "
                f"{spike.value:.2f} in {between:%Y-%m}."
            )
    return None
