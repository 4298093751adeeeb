"""The method's face: a month at a time, by the medians over the markets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from services.triggers.methods.chart import Chart
from services.triggers.methods.figures import Figures
from services.triggers.methods.judgement import Judgement, Period
from services.triggers.methods.measured import Measured, measured_of
from services.triggers.methods.method import Continuation, Method, Order, Words
from services.triggers.methods.price_spike import telling
from services.triggers.methods.price_spike.document import PriceSpike
from services.triggers.methods.price_spike.evidence import evidence, finding
from services.triggers.methods.price_spike.indicator import PRICE
from services.triggers.methods.price_spike.judgement import judge_price, why_rearmed
from services.triggers.methods.price_spike.series import (
    MonthlyPrices,
    NationalMonth,
    months_between,
    national_months,
    national_prices,
)
from shared.wording.phrase import Phrase


@dataclass(frozen=True, kw_only=True)
class NationalSeries:
    """The medians by month, as they are told, and as prices on a calendar."""

    months: Sequence[NationalMonth]
    prices: MonthlyPrices


class PriceSpikeMethod(Method[PriceSpike, NationalSeries]):
    """A period is one month, judged by its national price."""

    document = PriceSpike
    indicator_kinds = (PRICE,)
    widens = False
    words = Words(
        judged_on="the month of a price",
        areas="a national price activates these areas",
        evidence="prices, markets, ALPS and IFPA",
    )

    def lay_out(
        self, figures: Figures, document: PriceSpike, *, areas: Sequence[str]
    ) -> NationalSeries:
        months = national_months(figures)
        if not months:
            nothing = MonthlyPrices(first_month=date.min, values=np.zeros(0))
            return NationalSeries(months=months, prices=nothing)
        prices = national_prices(months, minimum_markets=document.minimum_markets)
        return NationalSeries(months=months, prices=prices)

    def used(self, period: Period) -> Period:
        """Every month so far: a trend is fitted over all of them."""
        return Period(first_on=date.min, last_on=period.last_on)

    def judge(
        self,
        series: NationalSeries,
        document: PriceSpike,
        *,
        period: Period,
        areas: Sequence[str],
    ) -> Judgement:
        judgement = judge_price(series.prices, period.first_on, document=document)
        return Judgement(
            period=period,
            stage=judgement.stage,
            severity=judgement.severity,
            areas=tuple(areas),
            finding=finding(judgement, document=document),
            evidence=evidence(series.months, judgement, document=document),
            unjudged=judgement.unjudged,
        )

    def measured(self, evidence: Mapping[str, Any]) -> Sequence[Measured]:
        return [
            measured_of(
                Phrase.same(half.upper()),
                evidence[half].get("value"),
                thresholds=evidence["thresholds"],
                threshold=half,
            )
            for half in ("alps", "ifpa")
        ]

    def continues(
        self,
        series: NationalSeries,
        document: PriceSpike,
        *,
        period: Period,
        earlier: Period,
    ) -> Continuation:
        fired = earlier.last_on
        rearmed = why_rearmed(
            series.prices,
            fired=fired,
            month=period.first_on,
            document=document,
        )
        if rearmed is not None:
            return Continuation(order=Order.LATER, because=rearmed)
        return Continuation(
            order=Order.SAME, because=f"The trigger is quiet: it fired for {fired:%Y-%m} already."
        )

    def is_over(self, document: PriceSpike, *, evidence_to: date, on: date) -> bool:
        return months_between(evidence_to, on) >= document.rearm.after_months

    def reasons(self, evidence: Mapping[str, Any], *, unit: str) -> Sequence[Phrase]:
        return telling.reasons(evidence, unit=unit)

    def chart(self, evidence: Mapping[str, Any], *, unit: str) -> Chart:
        return telling.chart(evidence, unit=unit)


PRICE_SPIKE = PriceSpikeMethod()
