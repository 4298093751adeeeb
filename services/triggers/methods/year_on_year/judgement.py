"""When a change over a year is a shock.

Against the same month of the year before, so that the season falls out; for several months in a
row, so that one month's figure is no shock. It needs two years of figures and no more, where ALPS
and IFPA need four; it does not know what is usual, which the levels have to say. This is how
statistical offices tell inflation: International Labour Organization and others, "Consumer Price
Index Manual", 2020, chapter 1.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np

from services.triggers.methods.levels import Direction
from services.triggers.methods.price_spike.series import (
    MonthlyPrices,
    month_after,
    months_between,
)
from services.triggers.methods.severity import Severity
from services.triggers.methods.trigger_stage import TriggerStage
from services.triggers.methods.year_on_year.document import YearOnYear

_DECIMALS = 9


@dataclass(frozen=True, kw_only=True)
class Change:
    """One month: its value, and the change since a year before in percent; None: unknown."""

    month: date
    value: float | None
    percent: float | None


@dataclass(frozen=True, kw_only=True)
class ChangeJudgement:
    """One month, judged by the last so many; the oldest of `changes` first."""

    changes: tuple[Change, ...]
    stage: TriggerStage
    severity: Severity
    unjudged: str | None

    @property
    def last(self) -> Change:
        return self.changes[-1]


def change(prices: MonthlyPrices, month: date) -> Change:
    """(P_t / P_{t−12} − 1) × 100, where both are known and above zero.

    Without the noise of binary fractions: from 0.5 to 0.7 is 40 percent, and no less.
    """
    position = prices.position(month)
    value, before = prices.price(position), prices.price(position - 12)
    return Change(
        month=month,
        value=None if np.isnan(value) else value,
        percent=round(100 * (value / before - 1), _DECIMALS) if value > 0 and before > 0 else None,
    )


def judge_change(prices: MonthlyPrices, month: date, *, document: YearOnYear) -> ChangeJudgement:
    """A stage is reached where each of the months reaches its level.

    Where a month is missing, and those that are known all reach the level of some stage, it
    cannot be judged: neither that the run goes on, nor that it ended.
    """
    changes = tuple(
        change(prices, month_after(month, months=-step))
        for step in reversed(range(document.months_in_a_row))
    )
    known = [each.percent for each in changes if each.percent is not None]
    _, first_level = document.levels.of_stages()[0]
    # The mildest of the months says which stage all of them reach.
    mildest = (min if document.direction is Direction.HIGH else max)(known, default=first_level)
    stage, severity, unjudged = TriggerStage.NONE, Severity.MODERATE, None
    if len(known) == len(changes):
        stage = document.levels.stage(mildest, document.direction)
        if stage is not TriggerStage.NONE:
            severity = document.levels.severity(known[-1], document.direction)
    elif document.direction.reaches(mildest, first_level):
        missing = ", ".join(f"{each.month:%Y-%m}" for each in changes if each.percent is None)
        unjudged = (
            f"The change since the year before is not known for {missing}: both months need a "
            "value above zero."
        )
    return ChangeJudgement(changes=changes, stage=stage, severity=severity, unjudged=unjudged)


def why_rearmed(
    prices: MonthlyPrices, *, fired: date, month: date, document: YearOnYear
) -> str | None:
    """Why the trigger that fired for `fired` may fire again for `month`; None while it is quiet.

    A month whose change is not known never counts as one that came back.
    """
    rearm = document.rearm
    passed = months_between(fired, month)
    if passed < rearm.quiet_months:
        return None
    since = f"{passed} months have passed since it fired for {fired:%Y-%m}"
    if passed >= rearm.after_months:
        return f"{since}."
    for step in range(1, passed):
        between = change(prices, month_after(fired, months=step))
        if between.percent is not None and not document.direction.reaches(
            between.percent, rearm.back_to_percent
        ):
            return f"{since}, and the change was {between.percent:.1f}% in {between.month:%Y-%m}."
    return None
