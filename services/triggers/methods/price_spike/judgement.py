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
    unjudged: str | None = None
    """Why neither a stage nor none can be said; None where it can."""

    @property
    def severity(self) -> Severity:
        """By the ALPS band: crisis is extreme, alert is severe, the rest moderate."""
        if isinstance(self.alps, Unjudged) or self.alps.value < ALERT_FROM:
            return Severity.MODERATE
        return Severity.EXTREME if self.alps.value >= CRISIS_FROM else Severity.SEVERE


def judge_price(prices: MonthlyPrices, month: date, *, document: PriceSpike) -> PriceJudgement:
    """Judge one month by the months before it.

    A half that cannot be judged neither holds nor fails: where the other does not settle it, there
    is no answer.
    """
    spike = alps(prices, month, minimum_history_months=document.minimum_history_months)
    growth = ifpa(prices, month, minimum_earlier_years=document.minimum_earlier_years)
    stages = {
        TriggerStage.ACTIVATION: document.activation,
        TriggerStage.READINESS: document.readiness,
    }
    held = {
        stage: _holds(spike, growth, thresholds)
        for stage, thresholds in stages.items()
        if thresholds is not None
    }
    stage = next((stage for stage, holds in held.items() if holds), TriggerStage.NONE)
    is_unsure = stage is TriggerStage.NONE and None in held.values()
    reasons = [half.reason for half in (spike, growth) if isinstance(half, Unjudged)]
    return PriceJudgement(
        month=month,
        alps=spike,
        ifpa=growth,
        stage=stage,
        unjudged=" ".join(reasons) if is_unsure else None,
    )


def _holds(
    spike: Alps | Unjudged, growth: Ifpa | Unjudged, thresholds: PriceThresholds
) -> bool | None:
    """None where it cannot be said."""
    high = None if isinstance(spike, Unjudged) else spike.value >= thresholds.alps
    fast = None if isinstance(growth, Unjudged) else growth.value >= thresholds.ifpa
    settled = thresholds.require == "either"
    if settled in (high, fast):
        return settled
    return None if None in (high, fast) else not settled


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
