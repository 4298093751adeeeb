"""The method's face: a month at a time, against the year before."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np

from services.triggers.methods.figures import Figures
from services.triggers.methods.judgement import Judgement, Period
from services.triggers.methods.measured import Measured, number_in
from services.triggers.methods.method import Continuation, Method, Order, Words
from services.triggers.methods.price_spike.indicator import PRICE
from services.triggers.methods.price_spike.series import (
    MonthlyPrices,
    months_between,
    national_months,
    national_prices,
)
from services.triggers.methods.year_on_year import telling
from services.triggers.methods.year_on_year.document import YearOnYear
from services.triggers.methods.year_on_year.evidence import evidence, finding
from services.triggers.methods.year_on_year.indicator import NATIONAL_SERIES
from services.triggers.methods.year_on_year.judgement import judge_change, why_rearmed
from shared.wording.phrase import Phrase

_USED_DAYS = 3 * 366
"""A year before the first of as many months in a row as there may be, 24."""
_CHANGE = Phrase("% since the year before", "% ធៀបនឹងឆ្នាំមុន")


class YearOnYearMethod(Method[YearOnYear, MonthlyPrices]):
    """A period is one month, judged by the median over markets or by the national figure."""

    document = YearOnYear
    indicator_kinds = (PRICE, NATIONAL_SERIES)
    widens = False
    words = Words(
        judged_on="the month of a national series",
        areas="a national series activates these areas",
        evidence="values and their changes since the year before",
    )

    def lay_out(
        self, figures: Figures, document: YearOnYear, *, areas: Sequence[str]
    ) -> MonthlyPrices:
        months = national_months(figures)
        if not months:
            return MonthlyPrices(first_month=date.min, values=np.zeros(0))
        return national_prices(months, minimum_markets=document.minimum_markets)

    def used(self, period: Period) -> Period:
        return Period(first_on=period.first_on - timedelta(days=_USED_DAYS), last_on=period.last_on)

    def judge(
        self,
        series: MonthlyPrices,
        document: YearOnYear,
        *,
        period: Period,
        areas: Sequence[str],
    ) -> Judgement:
        month = period.first_on.replace(day=1)
        judgement = judge_change(series, month, document=document)
        return Judgement(
            period=period,
            stage=judgement.stage,
            severity=judgement.severity,
            areas=tuple(areas),
            finding=finding(judgement, document=document),
            evidence=evidence(judgement, document=document),
            unjudged=judgement.unjudged,
        )

    def measured(self, evidence: Mapping[str, Any]) -> Sequence[Measured]:
        """The change that each month brought; how many in a row it takes, the finding says."""
        levels = evidence["thresholds"]["levels"]
        return [
            Measured(
                name=_CHANGE,
                value=number_in(evidence["changes"][-1]["percent"]),
                activation=number_in(levels["activation"]),
                readiness=number_in(levels["readiness"]),
            )
        ]

    def continues(
        self,
        series: MonthlyPrices,
        document: YearOnYear,
        *,
        period: Period,
        earlier: Period,
    ) -> Continuation:
        if self.is_over(document, evidence_to=period.last_on, on=earlier.first_on):
            return Continuation(
                order=Order.EARLIER,
                because="These figures came after a later event was activated.",
            )
        fired = earlier.last_on
        rearmed = why_rearmed(series, fired=fired, month=period.first_on, document=document)
        if rearmed is not None:
            return Continuation(order=Order.LATER, because=rearmed)
        return Continuation(
            order=Order.SAME, because=f"The trigger is quiet: it fired for {fired:%Y-%m} already."
        )

    def is_over(self, document: YearOnYear, *, evidence_to: date, on: date) -> bool:
        return months_between(evidence_to, on) >= document.rearm.after_months

    def reasons(self, evidence: Mapping[str, Any], *, unit: str) -> Sequence[Phrase]:
        return telling.reasons(evidence)


YEAR_ON_YEAR = YearOnYearMethod()
